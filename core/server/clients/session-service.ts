import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../runtime/index.js';
import { ringOf, type SecretRing } from '../configuration/secret-ring.js';
import type { ClientConnection } from './connection/client-connection.js';

export const SECRET_BYTES = 32;
const PASSWORD_BYTES = 16;
const LOCAL_EPOCH = 0xff_ffffn;
const LOW_56_BITS = (1n << 56n) - 1n;

export interface SessionServiceOptions {
  readonly memberId: number;
  /** Known to every member of the ensemble and to nobody else: the first signs session passwords, each verifies them. */
  readonly secret: Uint8Array | SecretRing;
}

/**
 * The sessions that are connected to this member. Ids carry the member in their first byte; ids and passwords need no
 * memory to be told apart or verified.
 */
export class SessionService {
  readonly #options: SessionServiceOptions;
  readonly #secrets: SecretRing;
  readonly #connections = new Map<bigint, ClientConnection>();

  constructor(options: SessionServiceOptions) {
    this.#options = options;
    this.#secrets = ringOf(options.secret);
  }

  /** Connections that have a session, by its id. */
  get connections(): ReadonlyMap<bigint, ClientConnection> {
    return this.#connections;
  }

  /**
   * The id of the session whose creation is proposed as `zxid` for a client of `member`. Zxids are never used twice, so
   * ids are not either, whatever the clock does and however often members start.
   */
  newId(zxid: bigint, member = this.#options.memberId): bigint {
    return BigInt.asIntN(64, (BigInt(member) << 56n) | (zxid & LOW_56_BITS));
  }

  /** The id of a session that only this member knows of: its zxid would be one of the last epoch that an id has room for. */
  newLocalId(random: Random): bigint {
    const chance = BigInt(Math.floor(random.next() * 0x1_0000_0000));
    return this.newId((LOCAL_EPOCH << 32n) | chance);
  }

  /** Whether a member that only reads has made the session. */
  isLocal(sessionId: bigint): boolean {
    return ((sessionId >> 32n) & LOCAL_EPOCH) === LOCAL_EPOCH;
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

  attach(sessionId: bigint, connection: ClientConnection): void {
    this.#connections.set(sessionId, connection);
  }

  /** The session lives on without a connection; nothing happens if it has another one by now. */
  detach(sessionId: bigint, connection: ClientConnection): void {
    if (this.#connections.get(sessionId) === connection) this.#connections.delete(sessionId);
  }
}

function signed(sessionId: bigint, secret: Uint8Array): Uint8Array {
  const message = Buffer.alloc(8);
  message.writeBigInt64BE(sessionId);
  const digest = createHmac('sha256', secret).update(message).digest();
  return new Uint8Array(digest.subarray(0, PASSWORD_BYTES));
}
