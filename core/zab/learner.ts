import { lastCommonZxid } from './epoch-table.js';
import { LeaderContact } from './leader-contact.js';
import type { Entry } from './peer-config.js';
import type { HandOver, Lend, NewEpoch, Notification, PeerMessage, Snap } from './peer-message.js';
import type { PeerState } from './peer-state.js';
import type { PeerPhase } from './peer-status.js';
import type { Role } from './role.js';
import { SnapshotIntake } from './snapshot-intake.js';
import { invariant } from './zab-error.js';
import { epochOf, formatZxid, isSuccessor, minZxid, NO_ZXID } from './zxid.js';

/**
 * The part of a follower, and of an observer (Zab paper, phases 1 to 3). *discovery*: ask the leader for its
 * epoch and promise it; *synchronization*: make the leader's history this member's own; *broadcast*: everything
 * that was committed when the leader took this member on is applied.
 *
 * One structure serves the last two: entries are appended in order whenever they come, acknowledged when they
 * are durable, applied when they are committed as well. A commit is only a watermark (ZOOKEEPER-4394), and
 * acknowledgements are cumulative, so none can overtake that of the epoch's marker (ZOOKEEPER-4685).
 */
export class Learner implements Role {
  readonly name: 'following' | 'observing';
  readonly leader: number;
  readonly #state: PeerState;
  /** Who has handed over to the leader; null if this one was elected. */
  readonly #predecessor: number | null;
  #phase: PeerPhase = 'discovery';
  #epoch = 0;
  #attempt = 0;
  /** The leader has said where its history goes on from this one. */
  #hasStream = false;
  #intake: SnapshotIntake | null = null;
  #ackedZxid: bigint | null = null;
  /** The leader has readmitted this member, and waits for the confirmation that this is durable. */
  #owesReadmission = false;
  /** Clients are served once this is applied; null until the leader is established. */
  #serveFrom: bigint | null = null;
  #deadlineMs: number;
  #heardMs: number;
  /** When a link to the leader was up last, as long as the leader has not answered. */
  #linkedMs: number;
  readonly #contact: LeaderContact;

  constructor(state: PeerState, leader: number, predecessor: number | null = null) {
    this.#state = state;
    this.#predecessor = predecessor;
    this.leader = leader;
    this.name = state.config.isVoter ? 'following' : 'observing';
    this.#deadlineMs = state.nowMs + state.config.initLimitMs;
    this.#heardMs = state.nowMs;
    this.#linkedMs = state.nowMs;
    this.#contact = new LeaderContact(state.nowMs);
    this.linkUp(leader);
  }

  get phase(): PeerPhase {
    return this.#phase;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get isServing(): boolean {
    return this.#phase === 'broadcast';
  }

  tick(): void {
    const { nowMs, config, outbox } = this.#state;
    if (this.#epoch === 0 && outbox.isUp(this.leader)) this.#linkedMs = nowMs;
    if (this.#epoch === 0 && nowMs - this.#linkedMs > config.tickMs) {
      this.#quit(`the link to member ${this.leader}, which was to lead, is down`);
    } else if (this.#phase !== 'broadcast' && nowMs >= this.#deadlineMs) {
      this.#quit(`no progress in ${this.#phase} with member ${this.leader} within the limit`);
    } else if (this.#hasStream && nowMs - this.#contactMs > config.syncLimitMs) {
      this.#state.outbox.close(this.leader, 'the leader has been silent for too long');
      this.#quit(`the leader, member ${this.leader}, has been silent for too long`);
    }
  }

  /** Time that this process slept through says nothing about the leader. */
  pause(): void {
    this.#heardMs = this.#state.nowMs;
    this.#linkedMs = this.#state.nowMs;
    this.#contact.provenAt(this.#state.nowMs);
  }

  linkUp(peer: number): void {
    if (peer !== this.leader || !this.#state.outbox.isUp(peer)) return;
    this.#attempt = this.#state.attempts += 1;
    const { disk, voterState } = this.#state;
    const { acceptedEpoch } = disk;
    this.#state.outbox.send(peer, {
      type: 'learnerInfo',
      attempt: this.#attempt,
      acceptedEpoch,
      ...voterState,
    });
  }

  /** Before the leader has answered, another link may serve as well, if it is up soon. */
  linkDown(peer: number): void {
    if (peer !== this.leader) return;
    if (this.#epoch !== 0) this.#quit(`the link to the leader, member ${peer}, is down`);
    else this.#linkedMs = this.#state.nowMs;
  }

  introduce(peer: number): void {
    this.#state.notify(peer, this.name);
  }

  step(from: number, message: PeerMessage): void {
    if (from !== this.leader) return;
    this.#heardMs = this.#state.nowMs;
    if (message.type === 'notification') return this.#hearNotification(message);
    if (message.type === 'newEpoch') return this.#hearNewEpoch(message);
    if (this.#epoch === 0 || message.type === 'learnerInfo' || message.epoch !== this.#epoch) return;
    this.#hear(message);
  }

  /** Who serves clients has to know that the leader counts on it; before that it is enough to hear anything. */
  get #contactMs(): number {
    return this.isServing ? this.#contact.provenMs : this.#heardMs;
  }

  durable(): void {
    if (this.#phase === 'discovery') this.#acknowledgeEpoch();
    if (this.#intake?.isComplete === true && !this.#state.disk.isInstalling) this.#intake = null;
    if (this.#owesReadmission) this.#confirmReadmission();
  }

  flush(): void {
    if (this.#state.isLeaving || !this.#hasStream || this.#intake !== null) return;
    const { disk, outbox, deliveredZxid } = this.#state;
    const epoch = this.#epoch;
    if (disk.durableZxid !== this.#ackedZxid) {
      // UPTODATE answers an acknowledgement, and none is older than the first.
      if (this.#ackedZxid === null) this.#contact.provenAt(this.#state.nowMs);
      this.#ackedZxid = disk.durableZxid;
      outbox.send(this.leader, { type: 'ack', epoch, zxid: disk.durableZxid });
    }
    if (this.#phase === 'broadcast' || this.#serveFrom === null || deliveredZxid < this.#serveFrom) return;
    this.#phase = 'broadcast';
    this.#state.vote = { ...this.#state.vote, epoch };
  }

  leave(): void {
    this.#intake?.abort();
  }

  /** False while there is no leader that would take it. */
  sendToLeader(bytes: Uint8Array): boolean {
    if (!this.#hasStream || !this.#state.outbox.isUp(this.leader)) return false;
    this.#state.outbox.send(this.leader, { type: 'application', epoch: this.#epoch, bytes });
    return true;
  }

  /** The leader leads no longer: it was followed because it said on this link, or on an older one, that it leads. */
  #hearNotification({ state: role, round, vote }: Notification): void {
    const hasGivenUp = role === 'looking';
    // A successor may hear of the hand-over after those who are to follow it; it remembers that they came.
    const isYetToHear = this.#epoch === 0 && vote.leader === this.#predecessor;
    const followsAnother = (role === 'following' || role === 'observing') && round >= this.#state.round;
    if (hasGivenUp || (followsAnother && !isYetToHear))
      this.#quit(`member ${this.leader} does not lead any more`);
  }

  #hearNewEpoch({ attempt, epoch }: NewEpoch): void {
    const { disk } = this.#state;
    if (attempt !== this.#attempt || this.#epoch !== 0) return;
    if (epoch < this.#leastEpoch) {
      return this.#quit(`epoch ${epoch} is lower than epoch ${this.#leastEpoch}, which was promised`);
    }
    this.#epoch = epoch;
    if (epoch > disk.acceptedEpoch) {
      disk.saveAcceptedEpoch(epoch);
      this.#state.promisedTo = { leader: this.leader, epoch };
    }
    this.#acknowledgeEpoch();
  }

  /**
   * No leader of a lower epoch is followed. Nobody relies on the promise of an observer, and it raises no epoch: one that a voter had made before
   * it became an observer would keep it from every leader for a long time.
   */
  get #leastEpoch(): number {
    const { config, disk, history } = this.#state;
    return config.isVoter ? disk.acceptedEpoch : epochOf(history.last);
  }

  #acknowledgeEpoch(): void {
    const { disk, history, outbox, promisedTo } = this.#state;
    if (this.#epoch === 0 || !disk.isIdle) return;
    this.#phase = 'synchronization';
    this.#noteProgress();
    outbox.send(this.leader, {
      type: 'ackEpoch',
      epoch: this.#epoch,
      isPromise: promisedTo?.leader === this.leader && promisedTo.epoch === this.#epoch,
      needsSnapshot: this.#state.needsSnapshot,
      lastZxid: disk.durableZxid,
      epochs: history.epochsUpTo(disk.durableZxid),
    });
  }

  #hear(message: Exclude<PeerMessage, { type: 'notification' | 'newEpoch' | 'learnerInfo' }>): void {
    const { outbox, outputs } = this.#state;
    switch (message.type) {
      case 'diff':
        return this.#startStream(message.after);
      case 'trunc':
        return this.#truncate(message.after);
      case 'lend':
        return this.#lend(message);
      case 'snap':
        return this.#startSnapshot(message);
      case 'snapshotChunk':
        if (this.#intake === null || this.#intake.isComplete) return this.#refuse('a chunk of no snapshot');
        this.#noteProgress();
        return this.#intake.chunk(message.bytes, message.isLast, this.leader);
      case 'proposal':
        return this.#append(message.entries, message.commit);
      case 'inform':
        return this.#append(message.entries, message.entries.at(-1)?.zxid ?? 0n);
      case 'commit':
        return this.#commit(message.zxid);
      case 'upToDate':
        return this.#serve(message.commit);
      case 'ping':
        this.#contact.echoed(message.nonce, message.heard, this.#state.nowMs);
        outbox.send(this.leader, {
          type: 'pong',
          epoch: this.#epoch,
          nonce: message.nonce,
          payload: this.#state.takePingPayload(),
        });
        return outputs.ping(this.leader, message.payload);
      case 'readmit':
        return this.#readmit();
      case 'handOver':
        return this.#handOver(message);
      case 'application':
        return outputs.receive(this.leader, message.bytes);
      default:
        return this.#refuse(`a leader does not send ${message.type}`);
    }
  }

  /** The leader's history is behind this one: it takes this one over before it gives it to everybody. */
  #lend({ lastZxid, epochs }: Lend): void {
    const { history, outbox, config } = this.#state;
    const common = lastCommonZxid(history.epochs, epochs);
    if (this.#hasStream) return this.#refuse('a request for the history that it has sent itself');
    if (common < history.base) return this.#quit('the leader is further behind than this member remembers');
    const epoch = this.#epoch;
    outbox.send(this.leader, { type: lastZxid > common ? 'trunc' : 'diff', epoch, after: common });
    for (let after = common; after < history.last;) {
      const entries = history.read(after, history.last, { maxBytes: config.limits.messageBytes })!;
      outbox.send(this.leader, { type: 'proposal', epoch, entries, commit: NO_ZXID });
      after = entries.at(-1)!.zxid;
    }
    this.#noteProgress();
  }

  #startStream(after: bigint): void {
    const { history } = this.#state;
    if (this.#hasStream || after !== history.last) {
      return this.#refuse(
        `a stream behind ${formatZxid(after)}, where ${formatZxid(history.last)} is the last entry`,
      );
    }
    this.#hasStream = true;
    this.#noteProgress();
  }

  /** What is committed is never cut: a leader without it must not exist, or this disk is not of this ensemble. */
  #truncate(after: bigint): void {
    const { history, disk, commitZxid } = this.#state;
    if (this.#hasStream || !history.contains(after)) return this.#refuse(`a cut at ${formatZxid(after)}`);
    const committed = minZxid(commitZxid, history.last);
    invariant(after >= committed, 'the leader lacks what is committed here', {
      after,
      committed,
      leader: this.leader,
    });
    history.truncateAfter(after);
    disk.truncateAfter(after);
    this.#startStream(after);
  }

  #startSnapshot(snap: Snap): void {
    if (this.#hasStream || epochOf(snap.zxid) > this.#epoch || snap.epochs.at(-1)?.lastZxid !== snap.zxid) {
      return this.#refuse(`a snapshot at ${formatZxid(snap.zxid)}`);
    }
    const { deliveredZxid } = this.#state;
    invariant(snap.zxid >= deliveredZxid, 'the leader lacks what is committed here', {
      snapshotZxid: snap.zxid,
      delivered: deliveredZxid,
      leader: this.leader,
    });
    this.#hasStream = true;
    this.#intake = new SnapshotIntake(this.#state, snap);
    this.#noteProgress();
  }

  #append(entries: readonly Entry[], commit: bigint): void {
    const { history, disk } = this.#state;
    if (!this.#canAppend) return this.#refuse('entries without a place to append them');
    for (const entry of entries) {
      if (!isSuccessor(entry.zxid, history.last) || epochOf(entry.zxid) > this.#epoch) {
        return this.#refuse(`${formatZxid(entry.zxid)} behind ${formatZxid(history.last)}`);
      }
      history.append(entry);
      disk.append(entry);
    }
    this.#noteProgress();
    this.#commit(commit);
  }

  #commit(zxid: bigint): void {
    const { history } = this.#state;
    if (!this.#canAppend || zxid > history.last) {
      return this.#refuse(
        `a commit of ${formatZxid(zxid)}, where ${formatZxid(history.last)} is the last entry`,
      );
    }
    this.#state.advanceCommit(zxid);
  }

  #readmit(): void {
    const { disk } = this.#state;
    if (epochOf(disk.durableZxid) !== this.#epoch) return this.#refuse('a readmission before its marker');
    disk.readmit(this.#serveFrom !== null);
    this.#owesReadmission = true;
    this.#confirmReadmission();
  }

  #confirmReadmission(): void {
    const { disk, outbox } = this.#state;
    if (disk.isRejoining) return;
    this.#owesReadmission = false;
    outbox.send(this.leader, { type: 'readmitted', epoch: this.#epoch });
  }

  /** An observer that had everything before is told by nothing else that it is committed. */
  #serve(commit: bigint): void {
    if (!this.#canAppend) return this.#refuse('the end of a synchronization that has not begun');
    if (this.name === 'observing') this.#state.advanceCommit(commit);
    this.#state.disk.noteFounded();
    this.#serveFrom = commit;
    this.#noteProgress();
  }

  #handOver({ leader, round }: HandOver): void {
    const state = this.#state;
    state.round = round;
    if (leader === state.id && state.config.isVoter) {
      state.vote = { ...state.ownVote };
      state.become({ to: 'leading', reason: `member ${this.leader} has handed over`, isHandOver: true });
    } else if (state.quorum.isVoter(leader)) {
      state.vote = { ...state.vote, leader };
      state.become({
        to: 'following',
        leader,
        predecessor: this.leader,
        reason: `member ${this.leader} has handed over to member ${leader}`,
        isHandOver: true,
      });
    } else this.#refuse(`a hand-over to member ${leader}, which has no vote`);
  }

  get #canAppend(): boolean {
    return this.#hasStream && (this.#intake === null || this.#intake.isComplete);
  }

  #noteProgress(): void {
    this.#deadlineMs = this.#state.nowMs + this.#state.config.initLimitMs;
  }

  #refuse(what: string): void {
    this.#state.outbox.close(this.leader, `out of place: ${what}`);
    this.#quit(`the leader, member ${this.leader}, sent ${what}`);
  }

  #quit(reason: string): void {
    this.#state.become({ to: 'looking', reason });
  }
}
