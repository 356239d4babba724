/** Writes that all connections together may have under way while several of them write, */
const SHARED_WRITES = 2_000;
/** and what each may have at least. */
const LEAST_WRITES = 8;

/**
 * Shares the writes under way among the connections that write, so that a connection with one write does not wait behind
 * thousands of another one. A connection that writes alone has no limit here.
 */
export class WriteShares {
  #writers = 0;
  #share = Infinity;

  /** Writes that one connection may have under way now. */
  get share(): number {
    return this.#share;
  }

  /** So many more connections, or fewer, have a write under way. */
  add(writers: number): void {
    this.#writers += writers;
    const even = Math.floor(SHARED_WRITES / this.#writers);
    this.#share = this.#writers < 2 ? Infinity : Math.max(LEAST_WRITES, even);
  }
}
