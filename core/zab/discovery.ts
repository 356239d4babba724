import { countableFor, type VoterState } from './ambiguous-end.js';
import type { LearnerRoster } from './learner-roster.js';
import type { LearnerTracker } from './learner-tracker.js';
import type { LearnerInfo } from './peer-message.js';
import type { PeerState } from './peer-state.js';
import { isAttended, type Standing } from './standing.js';

/**
 * The leader's side of phase 1 (Zab paper): find an epoch larger than any that a quorum has promised, and have
 * a quorum promise it. The first quorum of learners to come fixes the epoch; the promises may be of another.
 */
export class Discovery {
  readonly #state: PeerState;
  readonly #learners: LearnerRoster;
  readonly #accepted = new Map<number, { readonly epoch: number; readonly standing: Standing }>();
  readonly #promised = new Map<number, VoterState>();
  /** Who was known to be rejoining, and over which link, when the epoch was fixed. */
  #rejoiners: ReadonlyMap<number, number> = new Map();
  #epoch = 0;

  /** Those who have been waiting for this member to lead raise the epoch even if a quorum is complete without them. */
  constructor(state: PeerState, learners: LearnerRoster, waiting: ReadonlyMap<number, LearnerInfo>) {
    this.#state = state;
    this.#learners = learners;
    for (const [id, info] of waiting) this.#notePromisedElsewhere(id, info);
    this.#noteAccepted(state.id, { epoch: state.disk.acceptedEpoch, standing: state.standing });
  }

  /** The new epoch; 0 until a quorum has been heard. */
  get epoch(): number {
    return this.#epoch;
  }

  get isEpochDurable(): boolean {
    return this.#epoch !== 0 && this.#state.disk.durableAcceptedEpoch >= this.#epoch;
  }

  get hasPromiseQuorum(): boolean {
    const { quorum, history } = this.#state;
    return isAttended(quorum, countableFor(quorum, this.#promised, history.last));
  }

  /** A voter wants to follow. */
  welcome(voter: number, info: LearnerInfo): void {
    this.#notePromisedElsewhere(voter, info);
    this.#noteAccepted(voter, { epoch: info.acceptedEpoch, standing: info.standing });
  }

  /** It could join only by breaking a promise, so it waits for a later epoch. */
  isStranded({ isVoter, info }: LearnerTracker): boolean {
    return isVoter && this.#epoch !== 0 && info.acceptedEpoch > this.#epoch;
  }

  /** Announces the epoch once it is durable here; to observers only when it is established, so that they never promise one that fails. */
  invite(isEstablished: boolean): void {
    if (!this.isEpochDurable) return;
    for (const learner of this.#learners.all) {
      if (learner.isInvited || this.isStranded(learner) || !(learner.isVoter || isEstablished)) continue;
      learner.isInvited = true;
      learner.heardMs = this.#state.nowMs;
      const { attempt } = learner.info;
      this.#state.outbox.send(learner.id, { type: 'newEpoch', attempt, epoch: this.#epoch });
    }
  }

  promise(voter: number, state: VoterState): void {
    this.#promised.set(voter, state);
  }

  /** Whether it had said that it is rejoining, still the same process, before this epoch was fixed. */
  isAfterReturnOf(voter: number): boolean {
    const link = this.#rejoiners.get(voter);
    return link !== undefined && this.#state.outbox.isCurrent(voter, link);
  }

  /** It does not follow any more. What it has promised stays promised. */
  forget(voter: number): void {
    if (this.#epoch === 0) this.#accepted.delete(voter);
  }

  #notePromisedElsewhere(voter: number, { acceptedEpoch }: LearnerInfo): void {
    if (!this.#state.quorum.isVoter(voter)) return;
    this.#state.promisedElsewhere = Math.max(this.#state.promisedElsewhere, acceptedEpoch);
  }

  #noteAccepted(voter: number, accepted: { readonly epoch: number; readonly standing: Standing }): void {
    if (this.#epoch !== 0) return;
    const { quorum, promisedElsewhere, disk, rejoiners } = this.#state;
    this.#accepted.set(voter, accepted);
    const heard = [...this.#accepted];
    if (!isAttended(quorum, new Map(heard.map(([id, { standing }]) => [id, standing])))) return;
    this.#epoch = Math.max(promisedElsewhere, ...heard.map(([, { epoch }]) => epoch)) + 1;
    this.#rejoiners = new Map(rejoiners);
    disk.saveAcceptedEpoch(this.#epoch);
  }
}
