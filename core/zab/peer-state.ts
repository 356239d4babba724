import { Admission } from './admission.js';
import { voterStateOf, type VoterState } from './ambiguous-end.js';
import { DiskQueue } from './disk-queue.js';
import { History } from './history.js';
import { Jitter } from './jitter.js';
import { Outbox } from './outbox.js';
import { Outputs } from './outputs.js';
import type { Entry, ResolvedConfig, RestoredHistory } from './peer-config.js';
import type { LearnerInfo, Notification } from './peer-message.js';
import { MajorityQuorum, type Quorum } from './quorum.js';
import type { Transition } from './role.js';
import { standingOf, type Standing } from './standing.js';
import { NO_VOTE, voteFor, type Vote } from './vote.js';
import { invariant } from './zab-error.js';
import { maxZxid, minZxid, NO_ZXID } from './zxid.js';

/** Bytes of committed entries handed out at once, so that a long log is applied in pieces. */
const COMMITTED_BYTES = 256 * 1024;

const NO_BYTES = new Uint8Array(0);

/** What outlives a role: the history, the disk, the links, the clock, and what is known to be committed. */
export class PeerState {
  readonly config: ResolvedConfig;
  readonly quorum: Quorum;
  readonly history: History;
  readonly disk: DiskQueue;
  readonly outbox = new Outbox();
  readonly outputs = new Outputs();
  readonly jitter: Jitter;
  /** Milliseconds of this member's own time: a pause of the process does not pass in it. */
  nowMs = 0;
  /** Round of the election; need not survive a restart. */
  round = 0;
  /** What this member answers to those who look for a leader. */
  vote: Vote = NO_VOTE;
  /** The highest epoch that anybody was heard to have promised. */
  promisedElsewhere = 0;
  readonly admission: Admission;
  /** Those who want to follow this member while it does not lead yet. */
  readonly waitingLearners = new Map<number, LearnerInfo>();
  /** Whose the last promise was, as long as this process remembers it: to the same candidate it may be repeated. */
  promisedTo: { readonly leader: number; readonly epoch: number } | null = null;
  /** Attempts to follow somebody so far. */
  attempts = 0;
  /** The state differs from a quorum's, and no snapshot has replaced it yet. */
  needsSnapshot: boolean;
  /** The last entry that may have been acknowledged and is gone. */
  readonly #mayHold: bigint;
  #commitZxid: bigint;
  #deliveredZxid: bigint;
  #transition: Transition | null = null;
  #pingPayload: Uint8Array | null = null;

  constructor(config: ResolvedConfig, restored: RestoredHistory) {
    this.config = config;
    this.quorum = new MajorityQuorum(config.voters);
    this.history = new History(restored, config.limits);
    this.#mayHold = config.isVoter ? (restored.mayHold ?? NO_ZXID) : NO_ZXID;
    this.needsSnapshot = restored.rejoining === 'diverged';
    this.disk = new DiskQueue({
      zxid: this.history.last,
      acceptedEpoch: restored.acceptedEpoch,
      rejoining: config.isVoter ? (restored.rejoining ?? null) : null,
    });
    this.admission = new Admission(this);
    this.jitter = new Jitter(config.seed ^ (config.id << 16));
    this.#commitZxid = restored.snapshotZxid;
    this.#deliveredZxid = restored.snapshotZxid;
  }

  get id(): number {
    return this.config.id;
  }

  /** Everything up to it is committed, here or not. */
  get commitZxid(): bigint {
    return this.#commitZxid;
  }

  get deliveredZxid(): bigint {
    return this.#deliveredZxid;
  }

  /** This member's own claim to lead. One whose state differs from a quorum's has nothing that others could follow. */
  get ownVote(): Vote {
    const zxid = this.disk.durableZxid;
    const mayLead = this.config.isVoter && !this.needsSnapshot;
    return mayLead ? voteFor(this.id, zxid) : NO_VOTE;
  }

  get standing(): Standing {
    const { config, disk, history } = this;
    return standingOf({ isVoter: config.isVoter, disk, history, mayHold: this.#mayHold });
  }

  /** What this member says of itself to those who count it. */
  get voterState(): VoterState {
    return voterStateOf({ standing: this.standing, mayHold: this.#mayHold });
  }

  /** Sends another member this one's role and vote. */
  notify(
    peer: number,
    state: Notification['state'],
    { round = this.round, vote = this.vote, canLead = false, isBehind = false } = {},
  ): void {
    const claim = this.disk.durableZxid;
    const candidacy = { vote, claim, canLead, isBehind };
    this.outbox.send(peer, { type: 'notification', state, round, ...candidacy, ...this.voterState });
  }

  advanceCommit(zxid: bigint): void {
    this.#commitZxid = maxZxid(this.#commitZxid, zxid);
  }

  /** Up to here entries are committed and durable: as the log has them, never ahead of the disk (ZOOKEEPER-4882). */
  get #deliverable(): bigint {
    return minZxid(this.#commitZxid, this.disk.durableZxid);
  }

  /** Entries may be applied that nobody has applied yet. */
  get hasCommitted(): boolean {
    return this.#deliverable > this.#deliveredZxid && this.history.base <= this.#deliveredZxid;
  }

  /** At most `most` of the entries that may be applied and that nobody has applied yet. */
  takeCommitted(most: number): readonly Entry[] {
    if (!this.hasCommitted || most <= 0) return [];
    const limits = { maxBytes: COMMITTED_BYTES, maxEntries: most };
    const entries = this.history.read(this.#deliveredZxid, this.#deliverable, limits);
    if (entries === null || entries.length === 0) return [];
    this.#deliveredZxid = entries.at(-1)!.zxid;
    this.history.trim(this.#deliveredZxid);
    return entries;
  }

  /** A snapshot from the leader is durable and loaded in the place of all that was. */
  noteInstalled(zxid: bigint): void {
    invariant(zxid >= this.#deliveredZxid, 'a snapshot must not undo what was applied', {
      zxid,
      delivered: this.#deliveredZxid,
    });
    this.#deliveredZxid = zxid;
    this.needsSnapshot = false;
    this.advanceCommit(zxid);
  }

  /** False while an earlier one has not gone out yet. */
  offerPingPayload(bytes: Uint8Array): boolean {
    if (this.#pingPayload !== null) return false;
    this.#pingPayload = bytes;
    return true;
  }

  takePingPayload(): Uint8Array {
    const payload = this.#pingPayload ?? NO_BYTES;
    this.#pingPayload = null;
    return payload;
  }

  /** Asks for another role; the first wish counts. */
  become(transition: Transition): void {
    this.#transition ??= transition;
  }

  get isLeaving(): boolean {
    return this.#transition !== null;
  }

  takeTransition(): Transition | null {
    const transition = this.#transition;
    this.#transition = null;
    return transition;
  }
}
