import type { Quorum } from './quorum.js';

/**
 * Who has told a prospective leader what it promised before, and who has promised this leader's epoch. The
 * epoch is fixed by the first quorum, larger than anything that quorum has promised; it is established by the
 * same or another quorum (Zab paper, phase 1).
 */
export class EpochDiscovery {
  readonly #quorum: Quorum;
  readonly #accepted = new Map<number, number>();
  readonly #promised = new Set<number>();
  #epoch: number | null = null;

  constructor(quorum: Quorum) {
    this.#quorum = quorum;
  }

  /** The new epoch; null until a quorum has been heard. */
  get epoch(): number | null {
    return this.#epoch;
  }

  get hasPromiseQuorum(): boolean {
    return this.#quorum.isReached(this.#promised);
  }

  /** Returns true when this one completes the quorum, and with it the epoch; `floor` lifts it further. */
  noteAccepted(voter: number, acceptedEpoch: number, floor: number): boolean {
    if (this.#epoch !== null) return false;
    this.#accepted.set(voter, acceptedEpoch);
    if (!this.#quorum.isReached(this.#accepted.keys())) return false;
    this.#epoch = Math.max(floor, ...this.#accepted.values()) + 1;
    return true;
  }

  notePromise(voter: number): void {
    this.#promised.add(voter);
  }

  /** Its link is gone or it looks for a leader again: a promise stays a promise, but its support is gone. */
  forget(voter: number): void {
    if (this.#epoch === null) this.#accepted.delete(voter);
  }

  /** Whether these, with the epoch fixed or not, could still carry the discovery on. */
  isPossibleWith(members: Iterable<number>): boolean {
    return this.#quorum.isReached(members);
  }
}
