import type { LearnerTracker } from './learner-tracker.js';
import type { PeerState } from './peer-state.js';
import { epochOf } from './zxid.js';

/**
 * An orderly end of a leadership: nothing more is admitted, what is in flight is committed, and is durable on every learner
 * that is up to date, so that all can answer their clients. (A learner whose disk takes longer than `syncLimit` ticks for
 * anything is given up by the leader.) Then everybody is told who leads next and goes straight to discovery
 * with that one. The election that is skipped is only ever a guess; discovery checks the successor like any other. A leader
 * that succeeds itself opens a new epoch.
 */
export class HandOverPlan {
  readonly #state: PeerState;
  #plan: { readonly to: number | 'best'; readonly reason: string; readonly sinceMs: number } | null = null;

  constructor(state: PeerState) {
    this.#state = state;
  }

  get isPlanned(): boolean {
    return this.#plan !== null;
  }

  planTo(to: number, reason: string): void {
    this.#plan ??= { to, reason, sinceMs: this.#state.nowMs };
  }

  /** A leader that was to succeed itself does not, for somebody wants it to leave. */
  planToBest(reason: string): void {
    if (this.#plan?.to === this.#state.id) this.#plan = null;
    this.#plan ??= { to: 'best', reason, sinceMs: this.#state.nowMs };
  }

  /** Nobody has caught up in time to take over: the leader carries on. */
  expire(learners: readonly LearnerTracker[]): void {
    if (this.#plan?.to !== 'best' || this.#sinceMs <= this.#state.config.syncLimitMs) return;
    if (!this.#isDrained || this.#best(learners) === undefined) this.#plan = null;
  }

  /** Hands over if all is drained, and the successor and all others that are up to date have everything. */
  carryOut(learners: readonly LearnerTracker[], epoch: number): void {
    if (this.#plan === null || !this.#isDrained) return;
    const { to, reason } = this.#plan;
    const isBehind = (one: LearnerTracker): boolean => one.isUpToDate && !this.#hasAll(one);
    if (learners.some(isBehind)) return;
    const successor = to === 'best' ? this.#best(learners)?.id : to;
    if (successor !== undefined) this.now(learners, { epoch, to: successor, reason });
  }

  /** Hands over in whatever state things are. The round stays: if the successor looks for a leader after all, its next round says so. */
  now(learners: readonly LearnerTracker[], options: { epoch: number; to: number; reason: string }): void {
    const state = this.#state;
    const { epoch, to, reason } = options;
    const zxid = state.disk.durableZxid;
    state.vote = { leader: to, epoch: epochOf(zxid), zxid };
    for (const { id, isInvited } of learners) {
      if (isInvited) state.outbox.send(id, { type: 'handOver', epoch, leader: to, round: state.round });
    }
    if (to === state.id) state.become({ to: 'leading', reason, isHandOver: true });
    else state.become({ to: 'following', leader: to, reason, isHandOver: true });
  }

  /** Everything that was admitted is applied here. */
  get #isDrained(): boolean {
    return this.#state.deliveredZxid === this.#state.history.last;
  }

  get #sinceMs(): number {
    return this.#state.nowMs - (this.#plan?.sinceMs ?? 0);
  }

  #hasAll({ ackedZxid }: LearnerTracker): boolean {
    return ackedZxid === this.#state.history.last;
  }

  #best(learners: readonly LearnerTracker[]): LearnerTracker | undefined {
    return learners.findLast((one) => one.isCounted && one.isUpToDate && this.#hasAll(one));
  }
}
