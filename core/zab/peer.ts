import { Election } from './election.js';
import type { EpochTable } from './epoch-table.js';
import { Halted } from './halted.js';
import { Leader } from './leader.js';
import type { LearnerFeed } from './learner-feed.js';
import { Learner } from './learner.js';
import {
  checkRestored,
  resolveConfig,
  type Entry,
  type PeerConfig,
  type RestoredHistory,
} from './peer-config.js';
import type { PeerMessage } from './peer-message.js';
import { PeerState } from './peer-state.js';
import { isSameSituation, type LearnerStatus, type PeerStatus } from './peer-status.js';
import type { ReadIndexAnswer, Ready } from './ready.js';
import type { Role, Transition } from './role.js';
import { ProposalRefused } from './zab-error.js';

/** Own time passes in steps of at most so many ticks: a longer gap is a pause of the process, not silence of the others. */
const PAUSE_TICKS = 2;
const RETRY_MS = 50;
const RETRY_MAX_MS = 1000;

/**
 * One member's part in Zab, with no I/O in it: inputs change the state, `ready` says what there is to do.
 * Whatever a message promises is durable when the message appears in a Ready: the peer holds it back until
 * `persisted` says so, so a Ready can be carried out in any order that its own comment allows.
 *
 * A member is *looking* until the first `tick`s have found a leader, then *leading*, *following* or
 * *observing*, and looks again whenever it loses its leader or its quorum. A thrown `InvariantViolation` ends
 * the peer: stop the member.
 */
export class Peer {
  readonly #state: PeerState;
  #role: Role;
  #lastTickMs: number | null = null;
  #failures = 0;
  #lastChange: string | null = null;
  #endedByHandOver = false;
  #reported: PeerStatus | null = null;

  /** Throws `InvalidPeerConfig` if configuration or history cannot be worked with. */
  constructor(config: PeerConfig, restored: RestoredHistory) {
    checkRestored(restored);
    this.#state = new PeerState(resolveConfig(config), restored);
    this.#role = new Election(this.#state, 0);
  }

  /** Monotonic milliseconds. Call it at least twice per configured tick; it drives elections, heartbeats and timeouts. */
  tick(nowMs: number): void {
    const state = this.#state;
    const passedMs = nowMs - (this.#lastTickMs ?? nowMs);
    this.#lastTickMs = nowMs;
    const pauseMs = PAUSE_TICKS * state.config.tickMs;
    state.nowMs += Math.min(Math.max(passedMs, 0), pauseMs);
    if (passedMs > pauseMs) this.#role.pause();
    state.admission.tick();
    this.#role.tick();
    this.#settle();
  }

  /** A link to another member is up. `link` numbers the connection: the newest wins. */
  connected(peer: number, link: number): void {
    if (!this.#state.config.others.includes(peer)) return;
    if (this.#state.outbox.isUp(peer)) this.#linkDown(peer);
    this.#state.outbox.up(peer, link);
    this.#role.linkUp(peer);
    this.#settle();
  }

  /** That link is down. Nothing happens if a newer one took its place. */
  disconnected(peer: number, link: number): void {
    if (this.#state.outbox.isCurrent(peer, link)) this.#linkDown(peer);
  }

  /** A message has arrived over that link. */
  step(peer: number, link: number, message: PeerMessage): void {
    if (!this.#state.outbox.isCurrent(peer, link)) return;
    this.#attend(peer, message);
    this.#role.step(peer, message);
    this.#settle();
  }

  /** Proposes a transaction and returns its zxid, which is the previous `nextZxid()`. Throws `ProposalRefused` unless `status().admits`. */
  propose(payload: Uint8Array): bigint {
    const leader = this.#established();
    if (leader === null) throw new ProposalRefused('this member is not an established leader');
    const zxid = leader.propose(payload);
    this.#settle();
    return zxid;
  }

  /** Whether `propose` works now, as in `status()`; cheap enough to be asked for every request. */
  get admits(): boolean {
    return this.#role instanceof Leader && this.#role.refusal === null;
  }

  /** The zxid that the next proposal will get. Throws `ProposalRefused` on anybody but an established leader. */
  nextZxid(): bigint {
    const leader = this.#established();
    if (leader === null) throw new ProposalRefused('this member is not an established leader');
    return leader.nextZxid();
  }

  /**
   * Asks for a zxid that covers everything acknowledged to anybody so far; the answer comes in
   * `Ready.readIndexes` once a quorum has confirmed that this member still leads. False, and no answer ever, on
   * anybody but an established leader; a question that is open when leadership ends is never answered.
   */
  readIndex(token: number): boolean {
    const leader = this.#established();
    leader?.readIndex(token);
    return leader !== null;
  }

  /** The batch with this number is durable, and so are those before it. */
  persisted(number: number): void {
    const { hasAdvanced, installedZxid } = this.#state.disk.persisted(number, this.#state.nowMs);
    if (installedZxid !== null) this.#state.noteInstalled(installedZxid);
    if (!hasAdvanced) return;
    this.#role.durable();
    this.#settle();
  }

  /**
   * A write, sync or truncation has failed, and nobody knows what the disk holds: this member says that it is
   * out and takes part in nothing any more. After a recovery from the disk a new `Peer` may.
   */
  storageFailed(): void {
    this.#role.leave();
    this.#state.disk.abandon();
    this.#state.takeTransition();
    this.#lastChange = 'the storage has failed';
    this.#endedByHandOver = false;
    this.#role = new Halted(this.#state);
  }

  /**
   * The applied state differs from a quorum's at the same zxid, so nobody knows what else of this history is wrong: the
   * member cannot be counted until a leader has replaced its state and log by a snapshot. It serves nobody meanwhile.
   */
  stateDiverged(): void {
    const state = this.#state;
    if (state.needsSnapshot) return;
    state.needsSnapshot = true;
    if (state.config.isVoter) state.disk.rejoin('diverged');
    state.become({ to: 'looking', reason: "the state differs from a quorum's" });
    this.#settle();
  }

  /** The caller's own snapshot of the applied state at `zxid` is durable; the log may be shortened up to it. */
  snapshotTaken(zxid: bigint): void {
    this.#state.history.noteSnapshot(zxid);
  }

  /** Answers a `Ready.reads`: entries directly behind `after`, one at least; null if the log no longer reaches back that far. */
  entriesRead(request: number, entries: readonly Entry[] | null): void {
    this.#feedOf(request)?.entriesRead(entries);
  }

  /** Answers an `open` of `Ready.snapshots`: the applied state is frozen as it is at `zxid`. */
  snapshotOpened(request: number, zxid: bigint): void {
    this.#feedOf(request)?.snapshotOpened(zxid);
  }

  /** Answers a `next` of `Ready.snapshots` with one more piece, of at most about a megabyte. */
  snapshotRead(request: number, bytes: Uint8Array, isLast: boolean): void {
    this.#feedOf(request)?.snapshotRead(bytes, isLast);
  }

  /** A log or snapshot that was asked for cannot be read; the learner will come again. */
  sourceFailed(request: number): void {
    this.#feedOf(request)?.sourceFailed();
  }

  /** Sends bytes to the leader, in order with everything else; they come out of its `Ready.received`. False if there is no leader to send to. */
  sendToLeader(bytes: Uint8Array): boolean {
    return this.#role instanceof Learner && this.#role.sendToLeader(bytes);
  }

  /** Sends bytes to a learner of this leader, behind everything proposed so far. False if there is no such learner. */
  sendToLearner(learner: number, bytes: Uint8Array): boolean {
    return this.#role instanceof Leader && this.#role.sendTo(learner, bytes);
  }

  /**
   * Bytes to ride on the next ping to all learners, or on the next echo to the leader; they come out of
   * `Ready.pings`. False while earlier ones wait: offer what has gathered since together with them, later. Bytes that still wait
   * when the role ends are dropped.
   */
  offerPingPayload(bytes: Uint8Array): boolean {
    return this.#state.offerPingPayload(bytes);
  }

  /**
   * Stops admitting, and once everything is committed lets the most recent follower lead without an election.
   * False if nobody could now. If none has caught up within `syncLimit` ticks, this member carries on.
   */
  transferLeadership(): boolean {
    const isUnderWay = this.#role instanceof Leader && this.#role.transferLeadership();
    this.#settle();
    return isUnderWay;
  }

  /** The epochs of this history up to `zxid`, which is to be kept with a snapshot of the state at `zxid`. */
  epochsUpTo(zxid: bigint): EpochTable {
    return this.#state.history.epochsUpTo(zxid);
  }

  /**
   * Takes what there is to do; null if there is nothing. To be called until it is null after every round of inputs. At most
   * `most` entries are handed out to be applied; while there are more (`hasCommitted`) it is to be called again later.
   */
  ready(most = Infinity): Ready | null {
    const ready = this.#next(this.#isEnding ? Infinity : most);
    return ready ?? (this.#isEnding && this.hasCommitted ? this.#next(Infinity) : null);
  }

  /** This member is about to be told that it serves no more. What is committed is applied before, so that those who wait are answered. */
  get #isEnding(): boolean {
    return this.#reported?.isServing === true && !this.#role.isServing;
  }

  #next(most: number): Ready | null {
    const committed = this.#state.takeCommitted(most);
    do this.#role.flush();
    while (this.#settle());
    return this.#collect(committed);
  }

  /** Entries may be applied that `ready` has not handed out. */
  get hasCommitted(): boolean {
    return this.#state.hasCommitted;
  }

  status(): PeerStatus {
    const state = this.#state;
    const role = this.#role;
    const leader = role instanceof Leader ? role : null;
    return {
      state: role.name,
      phase: role.phase,
      leader: role.leader,
      epoch: role.epoch,
      isServing: role.isServing,
      isEstablishedLeader: leader?.isEstablished ?? false,
      admits: this.admits,
      isRejoining: state.disk.isRejoining,
      obstacle: role instanceof Election ? role.obstacle : null,
      gap: leader?.gap ?? null,
      founding: leader?.founding ?? state.admission.founding,
      isQuorumConfirmed: leader?.isQuorumConfirmed ?? false,
      lastProposed: state.history.last,
      lastDurable: state.disk.durableZxid,
      committed: state.commitZxid,
      delivered: state.deliveredZxid,
      lastChange: this.#lastChange,
      endedByHandOver: this.#endedByHandOver,
    };
  }

  /** The learners of this leader, by id; none on anybody else. */
  learners(): readonly LearnerStatus[] {
    return this.#role instanceof Leader ? this.#role.learners : [];
  }

  /** Whoever looks for a leader is answered at any time; whoever wants to follow too early is remembered. */
  #attend(peer: number, message: PeerMessage): void {
    const { waitingLearners, admission } = this.#state;
    const isIntroduction = message.type === 'notification' || message.type === 'learnerInfo';
    if (isIntroduction) admission.declare(peer, message.standing);
    if (message.type === 'notification' && message.state === 'looking') {
      waitingLearners.delete(peer);
      if (this.#role.name !== 'looking') this.#answer(peer);
    } else if (message.type === 'learnerInfo' && this.#role.name !== 'leading') {
      waitingLearners.set(peer, message);
      if (this.#role.name !== 'looking') this.#answer(peer);
    }
  }

  #answer(peer: number): void {
    if (this.#state.config.isVoter) this.#role.introduce(peer);
  }

  /** Null if the learner that wanted it is gone. */
  #feedOf(request: number): LearnerFeed | null {
    return this.#role instanceof Leader ? this.#role.feedOf(request) : null;
  }

  #collect(committed: readonly Entry[]): Ready | null {
    const state = this.#state;
    const ready: Ready = {
      persist: state.disk.take(state.nowMs),
      messages: state.outbox.takeMessages(),
      disconnects: state.outbox.takeDisconnects(),
      committed,
      ...state.outputs.take(),
      readIndexes: this.#takeReadIndexes(),
      status: this.#changedStatus(),
    };
    return isEmpty(ready) ? null : ready;
  }

  #takeReadIndexes(): readonly ReadIndexAnswer[] {
    return this.#role instanceof Leader ? this.#role.takeReadIndexes() : [];
  }

  #changedStatus(): PeerStatus | null {
    if (this.#isEnding && this.hasCommitted) return null;
    const status = this.status();
    if (this.#reported !== null && isSameSituation(status, this.#reported)) return null;
    this.#reported = status;
    return status;
  }

  #established(): Leader | null {
    return this.#role instanceof Leader && this.#role.isEstablished ? this.#role : null;
  }

  #linkDown(peer: number): void {
    this.#state.outbox.down(peer);
    this.#state.waitingLearners.delete(peer);
    this.#role.linkDown(peer);
    this.#settle();
  }

  /** Changes roles until nobody asks for another; true if there was any change. */
  #settle(): boolean {
    let hasChanged = false;
    for (let next = this.#state.takeTransition(); next !== null; next = this.#state.takeTransition()) {
      if (this.#role.isServing) this.#endedByHandOver = next.isHandOver === true;
      if (this.#role.phase === 'broadcast') this.#failures = 0;
      else if (this.#role.name !== 'looking') this.#failures += 1;
      this.#role.leave();
      // What was to ride on a ping of this role says nothing in another one.
      this.#state.takePingPayload();
      this.#lastChange = next.reason;
      this.#role = this.#play(next);
      this.#role.tick();
      hasChanged = true;
    }
    return hasChanged;
  }

  #play(transition: Transition): Role {
    const state = this.#state;
    if (transition.to === 'looking') return new Election(state, this.#retryDelayMs());
    const role =
      transition.to === 'leading'
        ? new Leader(state)
        : new Learner(state, transition.leader, transition.predecessor);
    // A leader has to be found, and whoever waits for this member to lead, or to vote, has to know that it follows.
    for (const peer of state.config.others) {
      if (state.config.isVoter || state.waitingLearners.has(peer)) role.introduce(peer);
    }
    return role;
  }

  /** Attempts that keep failing are made more and more slowly. */
  #retryDelayMs(): number {
    if (this.#failures < 2) return 0;
    return this.#state.jitter.spread(Math.min(RETRY_MS * 2 ** (this.#failures - 2), RETRY_MAX_MS));
  }
}

function isEmpty(ready: Ready): boolean {
  return (
    ready.persist === null &&
    ready.messages.length === 0 &&
    ready.committed.length === 0 &&
    ready.status === null &&
    ready.disconnects.length === 0 &&
    ready.received.length === 0 &&
    ready.pings.length === 0 &&
    ready.readIndexes.length === 0 &&
    ready.reads.length === 0 &&
    ready.snapshots.length === 0 &&
    ready.install.length === 0
  );
}
