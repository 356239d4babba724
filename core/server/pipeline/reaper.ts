import type { ServerOptions } from '../configuration/server-options.js';
import type { LeaderPath } from './leader-path.js';

/** Removes containers that have become empty and znodes whose time to live is over; only on a member that leads. */
export class Reaper {
  readonly #options: ServerOptions;
  readonly #leader: () => LeaderPath | null;
  #nextAt: number | null = null;

  /** `leader`: the way of a write while this member leads. */
  constructor(options: ServerOptions, leader: () => LeaderPath | null) {
    this.#options = options;
    this.#leader = leader;
  }

  tick(now: number): void {
    const leader = this.#leader();
    if (leader === null) {
      this.#nextAt = null;
      return;
    }
    this.#nextAt ??= now + this.#options.containerCheckMs;
    if (now < this.#nextAt || leader.isFull) return;
    this.#nextAt = now + this.#options.containerCheckMs;
    leader.reap(this.#options.maxReapedPerCheck);
  }
}
