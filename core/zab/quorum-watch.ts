import type { PeerState } from './peer-state.js';
import type { PeerPhase } from './peer-status.js';

/** Whether a leader still has, or can still get, a quorum behind it. */
export class QuorumWatch {
  readonly #state: PeerState;
  /** When each voter that has acknowledged the epoch's marker was last heard; a broken link is not silence yet. */
  readonly #heardMs = new Map<number, number>();
  /** Voters known to look for another leader. */
  readonly #deserters = new Set<number>();
  #deadlineMs = 0;

  constructor(state: PeerState) {
    this.#state = state;
    this.noteProgress();
  }

  /** From now on this voter counts for as long as it is heard. */
  enlist(voter: number): void {
    this.#heardMs.set(voter, this.#state.nowMs);
  }

  heard(voter: number): void {
    if (this.#heardMs.has(voter)) this.#heardMs.set(voter, this.#state.nowMs);
  }

  /** It does not follow any more, though it may not have turned to somebody else. */
  leaves(voter: number): void {
    this.#heardMs.delete(voter);
  }

  deserts(voter: number): void {
    this.#deserters.add(voter);
  }

  returns(voter: number): void {
    this.#deserters.delete(voter);
  }

  /** Whether others should follow this leader: it has links to a quorum of voters that count, or to every voter. */
  canLead(phase: PeerPhase): boolean {
    const { quorum, admission } = this.#state;
    const linked = this.#linked(phase);
    const isEnough = admission.hasQuorum(linked) || linked.length === quorum.voters.length;
    return isEnough && this.verdict(phase) === null;
  }

  /** This process has slept: it gives everybody the time again to be heard. */
  forgivePause(): void {
    for (const voter of this.#heardMs.keys()) this.#heardMs.set(voter, this.#state.nowMs);
  }

  /** Somebody has come closer: the limit of the phase runs anew. */
  noteProgress(): void {
    this.#deadlineMs = this.#state.nowMs + this.#state.config.initLimitMs;
  }

  /** Why this leader should give up; null if it need not. */
  verdict(phase: PeerPhase): string | null {
    const { nowMs, config, quorum, id, admission } = this.#state;
    if (phase === 'broadcast') {
      const heard = [...this.#heardMs]
        .filter(([, ms]) => nowMs - ms <= config.syncLimitMs)
        .map(([voter]) => voter);
      return admission.hasQuorum([id, ...heard]) ? null : 'no quorum was heard within the limit';
    }
    if (!quorum.isReached(this.#linked(phase)))
      return `too few voters want this leader, or can be reached, in ${phase}`;
    return nowMs >= this.#deadlineMs ? `no quorum in ${phase} within the limit` : null;
  }

  /**
   * This leader, and the voters with a link to it that may make a quorum for it. Whoever has lost the link has left it, and
   * could only come back if a quorum had stayed. Once the epoch is established, everybody may come back.
   */
  #linked(phase: PeerPhase): readonly number[] {
    const { id, quorum, outbox } = this.#state;
    const refuses = (voter: number): boolean => phase !== 'broadcast' && this.#deserters.has(voter);
    return quorum.voters.filter((voter) => voter === id || (outbox.isUp(voter) && !refuses(voter)));
  }
}
