import { lanes, type StateDigest } from './digest.js';

/** The replicated sessions: id → negotiated timeout in milliseconds. */
export class SessionTable {
  readonly #timeouts = new Map<bigint, number>();
  readonly #digest: StateDigest;

  constructor(digest: StateDigest) {
    this.#digest = digest;
  }

  get all(): ReadonlyMap<bigint, number> {
    return this.#timeouts;
  }

  add(sessionId: bigint, timeoutMs: number): void {
    this.remove(sessionId);
    this.#timeouts.set(sessionId, timeoutMs);
    hashSession(sessionId, timeoutMs);
    this.#digest.add();
  }

  remove(sessionId: bigint): void {
    const timeoutMs = this.#timeouts.get(sessionId);
    if (timeoutMs === undefined) return;
    this.#timeouts.delete(sessionId);
    hashSession(sessionId, timeoutMs);
    this.#digest.subtract();
  }
}

/** Leaves the hash of a session in `lanes`. */
export function hashSession(sessionId: bigint, timeoutMs: number): void {
  lanes.start();
  lanes.long(sessionId);
  lanes.int(timeoutMs);
  lanes.finish();
}
