import { createHmac, timingSafeEqual } from 'node:crypto';
import { SessionTracker } from '../data/index.js';
import type { ClientConnection } from './client-connection.js';

export const SECRET_BYTES = 32;
const PASSWORD_BYTES = 16;
const LOW_56_BITS = (1n << 56n) - 1n;

export interface SessionServiceOptions {
  readonly memberId: number;
  readonly tickMs: number;
  /** Known to every member of the ensemble and to nobody else: proves session passwords. */
  readonly secret: Uint8Array;
}

/**
 * The sessions as this member sees them: who is connected here, and, while it leads, which are alive.
 * Ids carry the member in their first byte; ids and passwords need no memory to be told apart or verified.
 */
export class SessionService {
  readonly #options: SessionServiceOptions;
  readonly #connections = new Map<bigint, ClientConnection>();
  #tracker: SessionTracker<ClientConnection>;

  constructor(options: SessionServiceOptions) {
    this.#options = options;
    this.#tracker = new SessionTracker(options.tickMs);
  }

  /** Connections that have a session, by its id. */
  get connections(): ReadonlyMap<bigint, ClientConnection> {
    return this.#connections;
  }

  /** A leader begins: every session that there is gets its whole timeout. */
  lead(sessions: ReadonlyMap<bigint, number>, now: number): void {
    this.#tracker = new SessionTracker(this.#options.tickMs);
    for (const [id, timeoutMs] of sessions) this.#tracker.add(id, timeoutMs, now, null);
  }

  /**
   * The id of the session whose creation is proposed as `zxid`. Zxids are never used twice, so ids are not either,
   * whatever the clock does and however often the member starts.
   */
  newId(zxid: bigint): bigint {
    return BigInt.asIntN(64, (BigInt(this.#options.memberId) << 56n) | (zxid & LOW_56_BITS));
  }

  passwordOf(sessionId: bigint): Uint8Array {
    const message = Buffer.alloc(8);
    message.writeBigInt64BE(sessionId);
    const digest = createHmac('sha256', this.#options.secret).update(message).digest();
    return new Uint8Array(digest.subarray(0, PASSWORD_BYTES));
  }

  /** Takes the same time whatever is wrong. */
  isPassword(sessionId: bigint, password: Uint8Array): boolean {
    const right = this.passwordOf(sessionId);
    return password.length === PASSWORD_BYTES && timingSafeEqual(right, password);
  }

  /** A session begins to be tracked when its creation is proposed, so that writes right behind it find it. */
  track(sessionId: bigint, timeoutMs: number, now: number, owner: ClientConnection | null): void {
    this.#tracker.add(sessionId, timeoutMs, now, owner);
  }

  /** From now on only this connection speaks for the session. False if the session is unknown or closing. */
  claim(sessionId: bigint, connection: ClientConnection, now: number): boolean {
    if (!this.#tracker.touch(sessionId, now)) return false;
    this.#tracker.setOwner(sessionId, connection);
    return true;
  }

  isOwner(sessionId: bigint, connection: ClientConnection): boolean {
    return this.#tracker.ownerOf(sessionId) === connection;
  }

  touch(sessionId: bigint, now: number): boolean {
    return this.#tracker.touch(sessionId, now);
  }

  /** Its close has been proposed: nothing is accepted from it any more. */
  setClosing(sessionId: bigint): void {
    this.#tracker.setClosing(sessionId);
  }

  isClosing(sessionId: bigint): boolean {
    return this.#tracker.isClosing(sessionId);
  }

  /** Sessions whose time is up, oldest first. */
  expired(now: number, limit: number): readonly bigint[] {
    return this.#tracker.expired(now, limit);
  }

  /** Its close has been applied. Returns the connection that the session has here, if any. */
  closed(sessionId: bigint): ClientConnection | undefined {
    this.#tracker.remove(sessionId);
    return this.#connections.get(sessionId);
  }

  attach(sessionId: bigint, connection: ClientConnection): void {
    this.#connections.set(sessionId, connection);
  }

  /** The session lives on without a connection; nothing happens if it has another one by now. */
  detach(sessionId: bigint, connection: ClientConnection): void {
    if (this.#connections.get(sessionId) === connection) this.#connections.delete(sessionId);
  }
}
