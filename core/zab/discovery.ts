import { describeGap, type VoterState } from './ambiguous-end.js';
import type { EpochBasis } from './epoch-basis.js';
import type { LearnerRoster } from './learner-roster.js';
import type { LearnerTracker } from './learner-tracker.js';
import type { LearnerInfo } from './peer-message.js';
import type { FoundingStatus } from './peer-status.js';
import type { PeerState } from './peer-state.js';

/**
 * The leader's side of phase 1 (Zab paper): find an epoch larger than any that a quorum has promised, and have
 * a quorum promise it. The first quorum of learners to come fixes the epoch; the promises may be of another.
 */
export class Discovery {
  readonly #state: PeerState;
  readonly #learners: LearnerRoster;
  /** What each voter that wants to follow has promised, this member among them. */
  readonly #accepted = new Map<number, number>();
  /** Voters that have promised the epoch, and whose history is no more recent than the leader's, as they were when they promised. */
  readonly #promised = new Map<number, VoterState>();
  #basis: EpochBasis | null = null;
  #epoch = 0;

  /** Those who have been waiting for this member to lead raise the epoch even if a quorum is complete without them. */
  constructor(state: PeerState, learners: LearnerRoster, waiting: ReadonlyMap<number, LearnerInfo>) {
    this.#state = state;
    this.#learners = learners;
    for (const [id, info] of waiting) this.#notePromisedElsewhere(id, info);
    this.#noteAccepted(state.id, state.disk.acceptedEpoch);
  }

  /** The new epoch; 0 until a quorum has been heard. */
  get epoch(): number {
    return this.#epoch;
  }

  get isEpochDurable(): boolean {
    return this.#epoch !== 0 && this.#state.disk.durableAcceptedEpoch >= this.#epoch;
  }

  get hasPromiseQuorum(): boolean {
    return this.#basis?.isPromisedBy(this.#promised) ?? false;
  }

  /** What was known about the founding when it fixed the epoch; null if the epoch is of no founding. */
  get founding(): FoundingStatus | null {
    return this.#basis?.isFounding === true ? this.#basis.founding : null;
  }

  get loss(): string | null {
    return this.#basis?.isBroken === true ? 'a voter was lost while the ensemble was being founded' : null;
  }

  /** On what the epoch rests; null until it is fixed. */
  get basis(): EpochBasis | null {
    return this.#basis;
  }

  /** A voter wants to follow. */
  welcome(voter: number, info: LearnerInfo): void {
    this.#notePromisedElsewhere(voter, info);
    this.#noteAccepted(voter, info.acceptedEpoch);
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

  /** The voter has promised the epoch. If it does not count, the promise shows that it is there, and completes no quorum. */
  promise(voter: number, state: VoterState): void {
    if (this.#basis === null) return;
    const isCounted = this.#basis.takesPromiseOf(voter);
    if (isCounted || !this.#basis.isFounding)
      this.#promised.set(voter, isCounted ? state : { standing: 'rejoining' });
  }

  /** Which entries the ensemble goes on without that may have been acknowledged; null if there are none. */
  describeGap(): string | null {
    const { quorum, history } = this.#state;
    return this.#basis?.isFounding === true ? null : describeGap(quorum, this.#promised, history.last);
  }

  /** Fixes the epoch if that is possible now: a founding may have waited for observers long enough. */
  tick(): void {
    this.#fix();
  }

  /** It does not follow any more. What it has promised stays promised. */
  forget(voter: number): void {
    if (this.#epoch === 0) this.#accepted.delete(voter);
  }

  #notePromisedElsewhere(voter: number, { acceptedEpoch }: LearnerInfo): void {
    if (!this.#state.quorum.isVoter(voter)) return;
    this.#state.promisedElsewhere = Math.max(this.#state.promisedElsewhere, acceptedEpoch);
  }

  #noteAccepted(voter: number, epoch: number): void {
    if (this.#epoch !== 0) return;
    this.#accepted.set(voter, epoch);
    this.#fix();
  }

  #fix(): void {
    if (this.#epoch !== 0) return;
    const { promisedElsewhere, disk, admission } = this.#state;
    this.#basis = admission.basisOf(this.#accepted.keys());
    if (this.#basis === null) return;
    this.#epoch = Math.max(promisedElsewhere, ...this.#accepted.values()) + 1;
    disk.saveAcceptedEpoch(this.#epoch);
  }
}
