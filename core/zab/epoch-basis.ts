import type { VoterState } from './ambiguous-end.js';
import type { FoundingStatus } from './peer-status.js';
import type { PeerState } from './peer-state.js';
import { isFounder } from './standing.js';

/**
 * What a leader's epoch rests on: a quorum of voters that count, or a founding by all of them. It holds what was known when the
 * epoch was fixed, and nothing that was learnt later: a voter that loses its disk afterwards is not covered by it.
 */
export class EpochBasis {
  /** Every voter takes part, because too few of them count. */
  readonly isFounding: boolean;
  /** What was known about the founding then. */
  readonly founding: FoundingStatus;
  readonly #state: PeerState;
  /**
   * The link of each voter that had declared by then that it does not count, and in a founding of every other voter. A process
   * has its own links: another process of the same member is not the one that was known.
   */
  readonly #links: ReadonlyMap<number, number>;
  readonly #readmitted = new Set<number>();

  constructor(
    state: PeerState,
    options: { isFounding: boolean; links: ReadonlyMap<number, number>; founding: FoundingStatus },
  ) {
    this.#state = state;
    this.isFounding = options.isFounding;
    this.founding = options.founding;
    this.#links = options.links;
  }

  /** A voter that the founding needs is gone, or has a history now: the epoch cannot be completed. */
  get isBroken(): boolean {
    const { quorum, id } = this.#state;
    return this.isFounding && quorum.voters.some((voter) => voter !== id && !this.#isStillFounder(voter));
  }

  /** A promise that this voter makes now counts. */
  takesPromiseOf(voter: number): boolean {
    const { admission, id } = this.#state;
    return admission.counts(voter) || (this.isFounding && (voter === id || this.#isStillFounder(voter)));
  }

  /** These promises are enough to begin the epoch. */
  isPromisedBy(promised: ReadonlyMap<number, VoterState>): boolean {
    const { quorum, admission, history } = this.#state;
    if (!this.isFounding) return admission.isQuorumFor(promised, history.last);
    return !this.isBroken && quorum.voters.every((voter) => promised.has(voter));
  }

  /** The process that speaks for this voter had declared before the epoch was fixed that it does not count. */
  mayReadmit(voter: number): boolean {
    return !this.#readmitted.has(voter) && this.#isSameProcess(voter);
  }

  /** The voter counts again: should it lose something from now on, it was not known when the epoch was fixed. */
  noteReadmitted(voter: number): void {
    this.#readmitted.add(voter);
  }

  #isSameProcess(voter: number): boolean {
    const link = this.#links.get(voter);
    return link !== undefined && this.#state.outbox.isCurrent(voter, link);
  }

  #isStillFounder(voter: number): boolean {
    const standing = this.#state.admission.standingOf(voter);
    return this.#isSameProcess(voter) && standing !== undefined && isFounder(standing);
  }
}
