import type { LearnerTracker } from './learner-tracker.js';
import type { PeerState } from './peer-state.js';
import { epochOf } from './zxid.js';

/** How long those who follow are waited for who have not made everything durable yet. */
const LAGGARD_TICKS = 2;

/**
 * An orderly end of a leadership: nothing more is admitted, what is in flight is committed, and has reached whoever keeps
 * up, so that all can answer their clients; then everybody is told who leads next and goes straight to discovery with that one. The election that is skipped is only ever
 * a guess; discovery checks the successor like any other. A leader that succeeds itself opens a new epoch.
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

  planToBest(reason: string): void {
    this.#plan ??= { to: 'best', reason, sinceMs: this.#state.nowMs };
  }

  /** Nobody has caught up in time to take over: the leader carries on. */
  expire(): void {
    const { nowMs, config } = this.#state;
    if (this.#plan?.to === 'best' && nowMs - this.#plan.sinceMs > config.syncLimitMs) this.#plan = null;
  }

  /** Hands over if all is drained, the successor has everything, and the others have too or are too late. */
  carryOut(learners: readonly LearnerTracker[], epoch: number): void {
    const last = this.#state.history.last;
    if (this.#plan === null || this.#state.deliveredZxid !== last) return;
    const { to, reason, sinceMs } = this.#plan;
    const { nowMs, config } = this.#state;
    const isBehind = ({ isUpToDate, ackedZxid }: LearnerTracker): boolean => isUpToDate && ackedZxid !== last;
    if (learners.some(isBehind) && nowMs - sinceMs < LAGGARD_TICKS * config.tickMs) return;
    const best = learners.findLast(
      ({ isCounted, isUpToDate, ackedZxid }) => isCounted && isUpToDate && ackedZxid === last,
    );
    const successor = to === 'best' ? best?.id : to;
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
}
