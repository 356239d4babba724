import type { Recount, RecountResult } from '../../../data/index.js';
import type { Clock, Logger } from '../../../runtime/index.js';
import type { ReplicatedState } from '../replicated-state.js';

/** Longest time without a recount. The read-back of a snapshot counts as one: it computes the digest of all that is in memory. */
const RECOUNT_EVERY_MS = 3_600_000;
/** Counted in one turn of the loop: well below a millisecond. */
const SLICE_BYTES = 256 * 1024;

export interface RecounterParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ReplicatedState;
  /** The state in memory is not what the applied transactions add up to. */
  readonly damaged: (result: RecountResult) => void;
}

/** Computes the digest of the whole state anew from time to time, a slice per turn, and reports one that is not the one kept. */
export class Recounter {
  readonly #parts: RecounterParts;
  #running: Recount | null = null;
  #lastAt: number | null = null;

  constructor(parts: RecounterParts) {
    this.#parts = parts;
  }

  /** To be called now and then. */
  tick(now: number): void {
    this.#lastAt ??= now;
    if (now - this.#lastAt >= RECOUNT_EVERY_MS) this.begin();
  }

  /** A snapshot has read back as the state. */
  snapshotVerified(): void {
    this.#lastAt = this.#parts.clock.now();
  }

  /** Recounts now, unless a recount is under way. */
  begin(): void {
    this.#lastAt = this.#parts.clock.now();
    if (this.#running !== null) return;
    this.#running = this.#parts.state.machine.recount();
    this.#parts.clock.soon(this.#goOn);
  }

  /** Gives up the recount that is under way, if any: the state is replaced, or the member ends. */
  cancel(): void {
    this.#running?.close();
    this.#running = null;
  }

  readonly #goOn = (): void => {
    const result = this.#running?.next(SLICE_BYTES);
    if (result === undefined) return;
    if (result === null) return this.#parts.clock.soon(this.#goOn);
    this.#running = null;
    if (result.isSound)
      this.#parts.logger.debug('State recounted', { zxid: result.zxid, digest: result.counted });
    else this.#parts.damaged(result);
  };
}
