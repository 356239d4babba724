import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SecretRing } from '../configuration/index.js';

const PASSWORD_BYTES = 16;

/**
 * Passwords of sessions: proofs of their ids under a secret of the ensemble, so that every member verifies them and none has to
 * keep them.
 */
export class SessionPasswords {
  readonly #secrets: SecretRing;

  /** `secrets`: known to every member of the ensemble and to nobody else. The first signs, each verifies. */
  constructor(secrets: SecretRing) {
    this.#secrets = secrets;
  }

  passwordOf(sessionId: bigint): Uint8Array {
    return signed(sessionId, this.#secrets.first);
  }

  /** Takes the same time whatever is wrong. */
  isPassword(sessionId: bigint, password: Uint8Array): boolean {
    if (password.length !== PASSWORD_BYTES) return false;
    let isRight = false;
    for (const secret of this.#secrets.accepted)
      isRight = timingSafeEqual(signed(sessionId, secret), password) || isRight;
    return isRight;
  }
}

function signed(sessionId: bigint, secret: Uint8Array): Uint8Array {
  const message = Buffer.alloc(8);
  message.writeBigInt64BE(sessionId);
  const digest = createHmac('sha256', secret).update(message).digest();
  return new Uint8Array(digest.subarray(0, PASSWORD_BYTES));
}
