import { createHmac, timingSafeEqual } from 'node:crypto';
import { type EnsembleIdentity, ensembleIdBytes } from '../../data/index.js';
import type { SecretRing } from '../configuration/index.js';
import { isOlderThan } from '../pipeline/index.js';

const PASSWORD_BYTES = 16;

/**
 * Passwords of sessions: proofs of their ids under a secret of the ensemble and of its id, so that every member verifies them, none
 * has to keep them, and none is valid in an ensemble that was founded anew with the same secret.
 */
export class SessionPasswords {
  readonly #secrets: SecretRing;
  readonly #identity: () => EnsembleIdentity | null;
  /** The id of the ensemble as bytes: computed once for all sessions. */
  #ensemble: { readonly id: string; readonly bytes: Uint8Array } = { id: '', bytes: new Uint8Array(0) };

  /**
   * `secrets`: known to every member of the ensemble and to nobody else. The first signs, each verifies. `identity`: of the ensemble, as
   * far as this member knows it. Default: none. Sessions that are older than the id of their ensemble keep their passwords.
   */
  constructor(secrets: SecretRing, identity: () => EnsembleIdentity | null = () => null) {
    this.#secrets = secrets;
    this.#identity = identity;
  }

  passwordOf(sessionId: bigint): Uint8Array {
    return signed(this.#messageOf(sessionId), this.#secrets.first);
  }

  /** Takes the same time whatever is wrong. */
  isPassword(sessionId: bigint, password: Uint8Array): boolean {
    if (password.length !== PASSWORD_BYTES) return false;
    const message = this.#messageOf(sessionId);
    let isRight = false;
    for (const secret of this.#secrets.accepted)
      isRight = timingSafeEqual(signed(message, secret), password) || isRight;
    return isRight;
  }

  #messageOf(sessionId: bigint): Uint8Array {
    const message = Buffer.alloc(8);
    message.writeBigInt64BE(sessionId);
    const identity = this.#identity();
    if (identity === null || isOlderThan(identity, sessionId)) return message;
    return Buffer.concat([message, this.#bytesOf(identity)]);
  }

  #bytesOf({ id }: EnsembleIdentity): Uint8Array {
    if (this.#ensemble.id !== id) this.#ensemble = { id, bytes: ensembleIdBytes(id) };
    return this.#ensemble.bytes;
  }
}

function signed(message: Uint8Array, secret: Uint8Array): Uint8Array {
  const digest = createHmac('sha256', secret).update(message).digest();
  return new Uint8Array(digest.subarray(0, PASSWORD_BYTES));
}
