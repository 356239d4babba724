import type { PeerStatus } from '../../../core/zab/index.js';
import { check } from './referee.js';

/** The part of a status that changes when a member changes its role, its leader or its epoch. */
interface Role {
  readonly text: string;
  readonly isSettled: boolean;
}

/**
 * Whether members keep their roles. No leader is replaced and no learner leaves its leader unless something happened to a member,
 * a disk or a link. Load is no reason, and neither is a timeout.
 */
export class RoleLedger {
  readonly #roles = new Map<number, Role>();
  readonly #now: () => number;
  #calm: string | null = null;
  #lastChangeAt = 0;

  /** `now`: true time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** When a member last changed its role, its leader, its epoch or its phase, or was started. */
  get lastChangeAt(): number {
    return this.#lastChangeAt;
  }

  /** From now on no member has a reason to change its role; `why` says which faults are absent. Null: they have. */
  expectCalm(why: string | null): void {
    this.#calm = why;
  }

  started(id: number): void {
    this.#roles.delete(id);
    this.#lastChangeAt = this.#now();
  }

  turned(id: number, name: string, status: PeerStatus): void {
    const { state, phase, leader, epoch, isRejoining, isServing, lastChange } = status;
    const text = `${state} in ${phase} of member ${leader}, epoch ${epoch}${isRejoining ? ', rejoining' : ''}`;
    const before = this.#roles.get(id);
    if (before?.text === text) return;
    this.#roles.set(id, { text, isSettled: isServing && phase === 'broadcast' && !isRejoining });
    this.#lastChangeAt = this.#now();
    check(
      this.#calm === null || before?.isSettled !== true,
      () => `${name} changed from ${before!.text} to ${text} (${lastChange}), although ${this.#calm}`,
    );
  }
}
