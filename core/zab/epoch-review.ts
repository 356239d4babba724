import type { Discovery } from './discovery.js';
import type { HandOverPlan } from './hand-over-plan.js';
import type { LearnerRoster } from './learner-roster.js';
import type { PeerState } from './peer-state.js';
import type { Readmission } from './readmission.js';
import { counterOf, epochOf } from './zxid.js';

export interface EpochReviewParts {
  readonly learners: LearnerRoster;
  readonly discovery: Discovery;
  readonly readmission: Readmission;
  readonly handOver: HandOverPlan;
}

/**
 * Decides when a leader ends an established epoch though a quorum supports it: the epoch has no zxids left, a voter can join or count
 * only in a later epoch, or the leader's own disk is stuck.
 */
export class EpochReview {
  readonly #state: PeerState;
  readonly #parts: EpochReviewParts;
  #establishedMs = 0;

  constructor(state: PeerState, parts: EpochReviewParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** The epoch is established now. */
  begin(): void {
    this.#establishedMs = this.#state.nowMs;
  }

  /** This zxid was proposed. The leader succeeds itself, in a new epoch, when the zxids are used up. */
  proposed(zxid: bigint): void {
    const { config, id } = this.#state;
    if (counterOf(zxid) < config.limits.epochCounter) return;
    this.#parts.handOver.planTo(id, `epoch ${epochOf(zxid)} is used up`);
  }

  /** Plans a hand-over if one is due. Returns why the leader has to give up at once; null if it need not. */
  tick(): string | null {
    const { nowMs, config, id, disk } = this.#state;
    const { learners, discovery, readmission, handOver } = this.#parts;
    if (nowMs - this.#establishedMs >= config.initLimitMs) {
      const stranded = learners.all.find((learner) => discovery.isStranded(learner));
      if (stranded !== undefined) handOver.planTo(id, stranded.strandedReason);
      const waiting = readmission.needsEpoch;
      if (waiting !== undefined) {
        handOver.planTo(id, `member ${waiting.id} does not count before the next epoch`);
      }
    }
    handOver.expire(learners.all);
    const isDiskStuck = nowMs - (disk.owesSinceMs ?? nowMs) > config.syncLimitMs;
    return isDiskStuck && learners.all.some(({ isCandidate }) => isCandidate)
      ? 'the own disk is stuck'
      : null;
  }
}
