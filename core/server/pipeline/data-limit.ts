import type { Logger } from '../../runtime/index.js';

/** The tree takes writes again when it is this much below the limit. */
const RELIEVED = 0.95;

/**
 * What all znodes may take in memory, as the leader decides it: the least that it and the voters that follow allow, so that no member that
 * counts runs out of memory by what the others can hold.
 */
export class DataLimit {
  readonly #own: number;
  readonly #logger: Logger;
  readonly #reported = new Map<number, number>();
  #bytes: number;
  #refusals = 0;
  #isRefusing = false;

  /** `own`: of the leader itself; null if it has no limit. */
  constructor(own: number | null, logger: Logger) {
    this.#own = own ?? Infinity;
    this.#bytes = this.#own;
    this.#logger = logger;
  }

  /** Infinity if no member has a limit. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Writes that make the tree larger were refused lately, and the tree is not much smaller since. */
  get isRefusing(): boolean {
    return this.#isRefusing;
  }

  /** A voter that follows allows so much; null: it follows no more. Returns whether the limit has changed. */
  report(member: number, bytes: number | null): boolean {
    if (bytes === null) this.#reported.delete(member);
    else this.#reported.set(member, bytes);
    const before = this.#bytes;
    this.#bytes = Math.min(this.#own, ...this.#reported.values());
    return this.#bytes !== before;
  }

  /** To be called about twice per tick. `refusals`: changes that were refused since the term began. */
  watch(refusals: number, treeBytes: number): void {
    const fields = { bytes: treeBytes, limit: this.#bytes };
    if (refusals > this.#refusals && !this.#isRefusing) {
      this.#isRefusing = true;
      this.#logger.warn('Writes that make the tree larger are refused: limit of data reached', fields);
    } else if (this.#isRefusing && treeBytes < RELIEVED * this.#bytes) {
      this.#isRefusing = false;
      this.#logger.info('Writes that make the tree larger are taken again', fields);
    }
    this.#refusals = refusals;
  }
}
