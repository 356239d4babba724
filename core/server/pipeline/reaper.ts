import type { ServerOptions } from '../configuration/index.js';
import type { LeaderPath } from './leader-path.js';

/** Removes containers that have become empty and znodes whose time to live is over; only on a member that leads. */
export class Reaper {
  readonly #options: Pick<ServerOptions, 'containerCheckMs' | 'maxReapedPerCheck'>;
  #nextAt: number | null = null;

  constructor(options: Pick<ServerOptions, 'containerCheckMs' | 'maxReapedPerCheck'>) {
    this.#options = options;
  }

  /** `leader`: the way of a write while this member leads, else null. */
  tick(now: number, leader: LeaderPath<unknown> | null): void {
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
