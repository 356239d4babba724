import type { DataTree } from '../data-tree.js';

/** Applied transactions that are kept in front of those that are not. */
const MOST_APPLIED = 1_024;

/**
 * By how much the tree grows by what is proposed and not applied yet, and whether it may grow further. The bound counts what
 * znodes take (`DataTree.bytes`), so that it is the same whichever member leads. Without a bound nothing is kept.
 */
export class PendingGrowth {
  readonly #tree: DataTree;
  #maxBytes: number;
  /** Changes that were refused. */
  refusals = 0;
  /** Of each transaction that changes the size, oldest first; those before `#head` are applied. */
  #proposed: { readonly zxid: bigint; readonly bytes: number }[] = [];
  #head = 0;
  #bytes = 0;
  /** Of the transaction that is being prepared. */
  #own = 0;
  #beforeAttempt = 0;

  constructor(tree: DataTree, maxBytes: number) {
    this.#tree = tree;
    this.#maxBytes = maxBytes;
  }

  /** Whether the tree may grow by so much more. It may always shrink. */
  allows(bytes: number): boolean {
    const isAllowed = bytes <= 0 || this.#tree.bytes + this.#bytes + this.#own + bytes <= this.#maxBytes;
    if (!isAllowed) this.refusals += 1;
    return isAllowed;
  }

  /** Another bound holds from now on. What was proposed without one is not counted until it is applied. */
  limit(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  add(bytes: number): void {
    this.#own += bytes;
  }

  /** What follows is only tried out. */
  attempt(): void {
    this.#beforeAttempt = this.#own;
  }

  fail(): void {
    this.#own = this.#beforeAttempt;
  }

  /** The transaction has been prepared, to be proposed as `zxid`. */
  prepared(zxid: bigint): void {
    if (this.#own !== 0 && this.#maxBytes !== Infinity) {
      this.#proposed.push({ zxid, bytes: this.#own });
      this.#bytes += this.#own;
    }
    this.#own = 0;
  }

  applied(zxid: bigint): void {
    const proposed = this.#proposed;
    if (proposed.length === 0) return;
    for (; this.#head < proposed.length; this.#head++) {
      const oldest = proposed[this.#head]!;
      if (oldest.zxid > zxid) break;
      this.#bytes -= oldest.bytes;
    }
    if (this.#head < proposed.length && (this.#head < MOST_APPLIED || this.#head * 2 < proposed.length))
      return;
    this.#proposed = proposed.slice(this.#head);
    this.#head = 0;
  }
}
