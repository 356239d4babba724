import { Adoption } from './adoption.js';
import { voterStateOf, type VoterState } from './ambiguous-end.js';
import { Discovery } from './discovery.js';
import { EpochReview } from './epoch-review.js';
import { HandOverPlan } from './hand-over-plan.js';
import { LearnerRoster } from './learner-roster.js';
import { LearnerTracker } from './learner-tracker.js';
import type { LearnerFeed } from './learner-feed.js';
import type { Entry } from './peer-config.js';
import type { AckEpoch, LearnerInfo, Notification, PeerMessage } from './peer-message.js';
import type { PeerState } from './peer-state.js';
import type { FoundingStatus, LearnerStatus, PeerPhase } from './peer-status.js';
import { ProposalWindow } from './proposal-window.js';
import { QuorumRounds } from './quorum-rounds.js';
import { QuorumWatch } from './quorum-watch.js';
import { Readmission } from './readmission.js';
import type { ReadIndexAnswer } from './ready.js';
import type { Role } from './role.js';
import { SharedBatches } from './shared-batches.js';
import { invariant, ProposalRefused } from './zab-error.js';
import { EPOCH_MAX, makeZxid } from './zxid.js';

/**
 * The leader's part (Zab paper, phases 1 to 3). *discovery*: a quorum promises an epoch to this member and to
 * nobody else, and none of it has a more recent history; *synchronization*: a quorum holds this member's
 * history and the epoch's marker behind it; *broadcast*: the epoch is established, proposals are welcome.
 * Nothing that changes a learner's history is sent before the quorum of promises is complete.
 */
export class Leader implements Role {
  readonly name = 'leading';
  readonly #state: PeerState;
  readonly #discovery: Discovery;
  readonly #learners = new LearnerRoster();
  readonly #adoption: Adoption;
  readonly #readmission: Readmission;
  readonly #window: ProposalWindow;
  readonly #rounds: QuorumRounds;
  readonly #handOver: HandOverPlan;
  /** How far each voter that counts, this one among them, has acknowledged; from the epoch's marker on. */
  readonly #acked = new Map<number, bigint>();
  readonly #watch: QuorumWatch;
  readonly #review: EpochReview;
  #applications: { readonly to: number; readonly bytes: Uint8Array }[] = [];
  #phase: PeerPhase = 'discovery';
  #pingAtMs: number;
  /** This member has applied everything that was committed when the epoch was established. */
  #hasApplied = false;
  #gap: string | null = null;

  constructor(state: PeerState) {
    this.#state = state;
    this.#window = new ProposalWindow(state.config.limits);
    this.#rounds = new QuorumRounds(state.quorum, state.id);
    this.#handOver = new HandOverPlan(state);
    this.#watch = new QuorumWatch(state);
    this.#pingAtMs = state.nowMs;
    const waiting = new Map([...state.waitingLearners].sort(([a], [b]) => a - b));
    state.waitingLearners.clear();
    this.#discovery = new Discovery(state, this.#learners, waiting);
    this.#adoption = new Adoption(state, this.#learners, this.#discovery);
    this.#readmission = new Readmission(state, this.#learners, this.#discovery);
    this.#review = new EpochReview(state, {
      learners: this.#learners,
      discovery: this.#discovery,
      readmission: this.#readmission,
      handOver: this.#handOver,
    });
    for (const [id, info] of waiting) this.#welcome(id, info);
  }

  get phase(): PeerPhase {
    return this.#phase;
  }

  get leader(): number {
    return this.#state.id;
  }

  get epoch(): number {
    return this.#discovery.epoch;
  }

  get isServing(): boolean {
    return this.isEstablished;
  }

  /**
   * A quorum holds the marker, this member has applied everything up to it (primary integrity), and the ensemble is founded.
   */
  get isEstablished(): boolean {
    // Once so it stays so, and it is asked for with every request.
    this.#hasApplied ||=
      this.#phase === 'broadcast' && this.#state.deliveredZxid >= this.#marker && this.#readmission.isFounded;
    return this.#hasApplied;
  }

  /** What this leader's founding began without; null in any other epoch. */
  get founding(): FoundingStatus | null {
    return this.isEstablished ? null : this.#discovery.founding;
  }

  /** Which entries that may have been acknowledged this epoch began without; null if there are none. */
  get gap(): string | null {
    return this.#gap;
  }

  get isQuorumConfirmed(): boolean {
    return this.isEstablished && this.#rounds.isConfirmed;
  }

  /** Why a proposal is not welcome; null if it is. */
  get refusal(): string | null {
    if (!this.isEstablished) return 'this member is not an established leader';
    if (this.#handOver.isPlanned) return 'this leader is about to hand over';
    return this.#window.isFull ? 'too much is in flight' : null;
  }

  get learners(): LearnerStatus[] {
    return this.#learners.all.map(({ id, isVoter, isCounted, isUpToDate, ackedZxid }) => {
      return { id, isVoter, isRejoining: isVoter && !isCounted, isUpToDate, acked: ackedZxid };
    });
  }

  nextZxid(): bigint {
    return this.#state.history.last + 1n;
  }

  propose(payload: Uint8Array): bigint {
    const refusal = this.refusal;
    if (refusal !== null) throw new ProposalRefused(refusal);
    const zxid = this.nextZxid();
    invariant(this.#readmission.isFounded, 'the first transaction needs an ensemble that is founded', {
      zxid,
    });
    this.#append({ zxid, payload });
    this.#window.add(zxid, payload.length);
    this.#review.proposed(zxid);
    return zxid;
  }

  readIndex(token: number): void {
    this.#rounds.ask(token, this.#state.history.last);
  }

  takeReadIndexes(): ReadIndexAnswer[] {
    return this.#rounds.takeAnswers(this.#state.commitZxid);
  }

  /** False if there is no such learner. */
  sendTo(learner: number, bytes: Uint8Array): boolean {
    if ((this.#learners.get(learner)?.report ?? null) === null) return false;
    this.#applications.push({ to: learner, bytes });
    return true;
  }

  /** False if nobody could take over now. */
  transferLeadership(): boolean {
    if (!this.isEstablished || !this.#learners.all.some(({ isCandidate }) => isCandidate)) return false;
    this.#handOver.planToBest('leadership is handed over on request');
    return true;
  }

  pause(): void {
    this.#rounds.doubt();
    for (const learner of this.#learners.all) learner.heardMs = this.#state.nowMs;
    this.#watch.forgivePause();
  }

  tick(): void {
    const { nowMs, config } = this.#state;
    if (this.#phase === 'discovery') this.#discovery.tick();
    const verdict = this.#watch.verdict(this.#phase) ?? this.#loss;
    if (verdict !== null) return this.#giveUp(verdict);
    const end = this.#phase === 'broadcast' ? this.#review.tick() : null;
    if (end !== null) this.#giveUp(end);
    this.#dropOverdue();
    if (nowMs < this.#pingAtMs) return;
    this.#pingAtMs = nowMs + config.tickMs / 2;
    this.#ping();
  }

  linkUp(peer: number): void {
    this.introduce(peer);
  }

  linkDown(peer: number): void {
    this.#forget(peer);
    if (this.#loss !== null) this.#giveUp(this.#loss);
  }

  step(from: number, message: PeerMessage): void {
    if (message.type === 'learnerInfo') return this.#welcome(from, message);
    if (message.type === 'notification') return this.#hearNotification(from, message);
    const learner = this.#learners.get(from);
    if (learner === undefined || message.epoch !== this.epoch) return;
    learner.heardMs = this.#state.nowMs;
    this.#watch.heard(from);
    this.#hear(learner, message);
  }

  durable(): void {
    if (!this.#discovery.isEpochDurable) return;
    const { id, voterState, disk } = this.#state;
    if (this.#phase === 'discovery') this.#notePromise(id, voterState);
    for (const [voter, state] of this.#adoption.takeSupporters() ?? []) this.#notePromise(voter, state);
    this.#discovery.invite(this.#phase === 'broadcast');
    if (this.#phase === 'discovery') return;
    if (this.#state.admission.counts(id)) this.#noteAck(id, disk.durableZxid);
    else this.#count();
  }

  flush(): void {
    if (this.#state.isLeaving) return;
    this.#window.applied(this.#state.deliveredZxid);
    this.#tellUpToDate();
    const shared = new SharedBatches(this.#state, this.epoch);
    for (const learner of this.#learners.all) {
      learner.feed?.pump(shared);
      if (learner.feed?.isBroken === true) this.#drop(learner, 'its history is not available any more');
    }
    const { epoch } = this;
    for (const { to, bytes } of this.#applications.splice(0)) {
      this.#state.outbox.send(to, { type: 'application', epoch, bytes });
    }
    if (this.#rounds.isWanted) this.#ping();
    this.#handOver.carryOut(this.#learners.all, this.epoch);
  }

  introduce(peer: number): void {
    this.#state.notify(peer, this.name, { canLead: this.#watch.canLead(this.#phase) });
  }

  /** Whoever has not been answered yet may still be by whoever this member is next. */
  leave(): void {
    for (const { id, info, isInvited } of this.#learners.all) {
      if (!isInvited) this.#state.waitingLearners.set(id, info);
      this.#learners.remove(id);
    }
  }

  /** Whom a log or snapshot that was asked for is meant for; null if that learner is gone. */
  feedOf(request: number): LearnerFeed | null {
    return this.#learners.all.find(({ feed }) => feed?.awaits(request) === true)?.feed ?? null;
  }

  /** Why the founding under way cannot be completed; null if nothing is known against it. */
  get #loss(): string | null {
    return this.#phase === 'broadcast' ? null : this.#discovery.loss;
  }

  get #marker(): bigint {
    return makeZxid(this.epoch, 0);
  }

  /** Phase 1: somebody wants to follow. */
  #welcome(from: number, info: LearnerInfo): void {
    const { outbox, id } = this.#state;
    const { acceptedEpoch } = info;
    if (acceptedEpoch >= EPOCH_MAX) return outbox.close(from, `it promised epoch ${acceptedEpoch}`);
    const learner = new LearnerTracker(from, info, this.#state);
    this.#forget(from);
    this.#learners.put(learner);
    if (learner.isVoter) {
      this.#watch.returns(from);
      this.#discovery.welcome(from, info);
      if (this.#loss !== null) return this.#giveUp(this.#loss);
    }
    this.#discovery.invite(this.#phase === 'broadcast');
    if (this.#phase !== 'discovery' || !this.#discovery.isStranded(learner)) return;
    this.#handOver.now(this.#learners.all, { epoch: this.epoch, to: id, reason: learner.strandedReason });
  }

  #hear(learner: LearnerTracker, message: Exclude<PeerMessage, Notification | LearnerInfo>): void {
    switch (message.type) {
      case 'ackEpoch':
        return this.#hearPromise(learner, message);
      case 'ack':
        return this.#hearAck(learner, message.zxid);
      case 'snapshotAck':
        if (learner.feed?.chunksArrived(message.chunks) === true) return this.#watch.noteProgress();
        return this.#drop(learner, 'it confirmed chunks that it never got');
      case 'pong':
        learner.echoedRound = Math.max(learner.echoedRound, message.nonce);
        if (learner.isCounted && learner.report !== null) this.#rounds.echo(learner.id, message.nonce);
        if (this.#phase === 'discovery') this.#adoption.consider(message.nonce);
        return this.#state.outputs.ping(learner.id, message.payload);
      case 'diff':
      case 'trunc':
      case 'proposal':
        if (this.#adoption.hear(learner.id, message)) return this.#watch.noteProgress();
        return this.#drop(learner, `it sent a ${message.type} that nobody asked for`);
      case 'readmitted':
        return this.#hearReadmitted(learner);
      case 'application':
        return this.#state.outputs.receive(learner.id, message.bytes);
      default:
        return this.#drop(learner, `a learner does not send ${message.type}`);
    }
  }

  #hearPromise(learner: LearnerTracker, report: AckEpoch): void {
    if (learner.report !== null || !learner.isInvited) return this.#drop(learner, 'it promised twice');
    learner.report = report;
    learner.firstRound = this.#rounds.next;
    if (this.#phase !== 'discovery') return void learner.startFeed(this.#state, this.epoch, report);
    if (!report.isPromise || !learner.isVoter) return;
    // A quorum may be complete without it, and then nothing that it has more is committed, and is cut; else see `Adoption`.
    if (report.lastZxid > this.#state.history.last) return;
    this.#notePromise(learner.id, voterStateOf(learner.info));
  }

  /** Phase 2 begins with the quorum of promises: the history is closed with the epoch's marker and sent to everybody. */
  #notePromise(voter: number, state: VoterState): void {
    this.#discovery.promise(voter, state);
    if (this.#phase !== 'discovery' || this.#adoption.isUnderWay || !this.#discovery.hasPromiseQuorum) return;
    this.#phase = 'synchronization';
    this.#gap = this.#discovery.describeGap();
    this.#watch.noteProgress();
    this.#append({ zxid: this.#marker, payload: this.#markerPayload() });
    for (const learner of this.#learners.all) {
      if (learner.report !== null) learner.startFeed(this.#state, this.epoch, learner.report);
    }
  }

  #markerPayload(): Uint8Array {
    const { history, config, deliveredZxid } = this.#state;
    return config.markerPayload({
      unapplied: history.markersBehind(deliveredZxid),
      isBlank: history.isBlank,
    });
  }

  #append(entry: Entry): void {
    this.#state.history.append(entry);
    this.#state.disk.append(entry);
  }

  #hearAck(learner: LearnerTracker, zxid: bigint): void {
    if (learner.feed?.acked(zxid) !== true) return this.#drop(learner, 'it acknowledged what it never got');
    if (zxid < learner.ackedZxid) return this.#drop(learner, 'it took back an acknowledgement');
    learner.ackedZxid = zxid;
    this.#watch.noteProgress();
    if (!learner.isVoter || zxid < this.#marker) return;
    if (!learner.isCounted) return this.#readmission.carryOut(this.#phase === 'broadcast');
    this.#watch.enlist(learner.id);
    this.#noteAck(learner.id, zxid);
  }

  /** Only what belongs to this epoch is committed by counting; everything older is committed by standing before it. */
  #noteAck(voter: number, zxid: bigint): void {
    if (zxid < this.#marker) return;
    invariant(zxid <= this.#state.history.last, 'nobody can hold what was never proposed', { voter, zxid });
    this.#acked.set(voter, zxid);
    this.#count();
  }

  #count(): void {
    const { quorum, disk } = this.#state;
    const committed = disk.durableZxid < this.#marker ? null : quorum.reachedBy(this.#acked);
    if (committed !== null) {
      if (this.#phase === 'synchronization') this.#establish();
      this.#state.advanceCommit(committed);
    } else this.#readmission.carryOut(false);
  }

  /** From now on it counts like anybody else. */
  #hearReadmitted(learner: LearnerTracker): void {
    if (!learner.isBeingReadmitted) return this.#drop(learner, 'it was not asked to remember anything');
    learner.isBeingReadmitted = false;
    this.#readmission.confirmed(learner);
    this.#watch.noteProgress();
    this.#watch.enlist(learner.id);
    this.#noteAck(learner.id, learner.ackedZxid);
  }

  #establish(): void {
    const state = this.#state;
    this.#phase = 'broadcast';
    this.#review.begin();
    state.vote = { leader: state.id, epoch: this.epoch, zxid: state.vote.zxid };
    this.#discovery.invite(true);
    this.#readmission.carryOut(true);
  }

  #tellUpToDate(): void {
    if (this.#phase !== 'broadcast' || !this.#readmission.checkFounded()) return;
    for (const learner of this.#learners.all) {
      if (learner.isUpToDate || learner.ackedZxid < this.#marker) continue;
      learner.isUpToDate = true;
      this.#state.outbox.send(learner.id, {
        type: 'upToDate',
        epoch: this.epoch,
        commit: this.#state.commitZxid,
      });
    }
  }

  /** It looks for a leader, or has another. What it said before this leader was elected may still come, in an older round. */
  #hearNotification(from: number, { state: role, round, vote }: Notification): void {
    const { id, quorum, round: ownRound } = this.#state;
    const isLooking = role === 'looking';
    if (role === 'observing' || (!isLooking && vote.leader === id)) return;
    this.#forget(from);
    this.#watch.leaves(from);
    if (!quorum.isVoter(from)) return;
    if (isLooking && round <= ownRound) this.#watch.returns(from);
    else this.#watch.deserts(from);
  }

  #dropOverdue(): void {
    for (const learner of this.#learners.all) {
      const reason = learner.overdueReason;
      if (reason !== null) this.#drop(learner, reason);
    }
  }

  #ping(): void {
    const { outbox } = this.#state;
    const ping = {
      type: 'ping',
      epoch: this.epoch,
      nonce: this.#rounds.begin(this.#state.admission.counts(this.#state.id)),
      payload: this.#state.takePingPayload(),
    } as const;
    for (const { id, report, echoedRound } of this.#learners.all)
      if (report !== null) outbox.send(id, { ...ping, heard: echoedRound });
  }

  #giveUp(reason: string): void {
    this.#state.become({ to: 'looking', reason });
  }

  #drop(learner: LearnerTracker, reason: string): void {
    this.#forget(learner.id);
    this.#state.outbox.close(learner.id, reason);
  }

  /** What it acknowledged on this link counts no longer. */
  #forget(peer: number): void {
    if (this.#adoption.isFrom(peer))
      this.#giveUp(`member ${peer}, whose history was to be taken over, is gone`);
    this.#learners.remove(peer);
    this.#discovery.forget(peer);
    this.#acked.delete(peer);
  }
}
