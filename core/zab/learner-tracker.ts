import { LearnerFeed } from './learner-feed.js';
import type { AckEpoch, LearnerInfo } from './peer-message.js';
import type { PeerState } from './peer-state.js';
import { NO_ZXID } from './zxid.js';

/** What the leader knows of one learner, from its LEARNERINFO until its link is gone or it looks for a leader again. */
export class LearnerTracker {
  readonly id: number;
  readonly isVoter: boolean;
  readonly info: LearnerInfo;
  /** It has been told that it counts again, and has not confirmed it yet. */
  isBeingReadmitted = false;
  /** When it was last heard, in the leader's own time. */
  heardMs: number;
  /** The last round of pings that it has echoed. */
  echoedRound = 0;
  /** The first round of pings that began after its promise had come. */
  firstRound = 0;
  /** The epoch has been announced to it. */
  isInvited = false;
  /** Its history, once it has acknowledged the epoch. */
  report: AckEpoch | null = null;
  /** How it is brought up to date; null until it has been announced the epoch. */
  feed: LearnerFeed | null = null;
  ackedZxid = NO_ZXID;
  /** It has been told to serve clients. */
  isUpToDate = false;
  readonly #state: PeerState;

  constructor(id: number, info: LearnerInfo, state: PeerState) {
    this.id = id;
    this.isVoter = state.quorum.isVoter(id);
    this.info = info;
    this.#state = state;
    this.heardMs = state.nowMs;
  }

  /** Its acknowledgements and echoes count. */
  get isCounted(): boolean {
    return this.#state.admission.counts(this.id);
  }

  /** It could take over from the leader. */
  get isCandidate(): boolean {
    return this.isCounted && this.isUpToDate;
  }

  /** Why it cannot join the epoch, if it has promised a later one. */
  get strandedReason(): string {
    return `member ${this.id} has promised epoch ${this.info.acceptedEpoch} and can join only a later one`;
  }

  /** Why the leader gives it up: it is silent, or owes an acknowledgement, for too long. Null if it is not. */
  get overdueReason(): string | null {
    const { nowMs, config } = this.#state;
    if (!this.isInvited) return null;
    const silenceMs = this.report === null ? config.initLimitMs : config.syncLimitMs;
    const debtMs = this.isUpToDate ? config.syncLimitMs : config.initLimitMs;
    if (nowMs - this.heardMs > silenceMs) return 'it has been silent for too long';
    return (this.feed?.owedMs ?? 0) > debtMs ? 'it acknowledges too slowly' : null;
  }

  startFeed(state: PeerState, epoch: number, report: AckEpoch): LearnerFeed {
    const feed = new LearnerFeed(state, { epoch, learner: this.id, isVoter: this.isVoter });
    this.feed = feed;
    feed.begin(report);
    return feed;
  }
}
