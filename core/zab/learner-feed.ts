import { lastCommonZxid } from './epoch-table.js';
import type { Entry } from './peer-config.js';
import type { AckEpoch } from './peer-message.js';
import type { PeerState } from './peer-state.js';
import type { Batch, SharedBatches } from './shared-batches.js';
import { SnapshotFeed } from './snapshot-feed.js';
import { invariant } from './zab-error.js';
import { maxZxid, minZxid, NO_ZXID } from './zxid.js';

/**
 * *idle*: nothing sent yet · *applying*: a snapshot follows when this leader has applied what both have · *reading*: the next entries come from the log on disk · *snapshot*: a snapshot is
 * opened or under way · *streaming*: the next entries are in memory · *broken*: the source failed, start over.
 */
type FeedMode = 'idle' | 'applying' | 'reading' | 'snapshot' | 'streaming' | 'broken';

const SLOWEST_LINE_BYTES_PER_MS = 100;

/**
 * Brings one learner up to this leader's history and keeps it there. One cursor says what it has been sent;
 * synchronization and broadcast differ only in where the entries behind the cursor come from. So there is no
 * moment of hand-over between the two in which a proposal could be missed or sent twice (ZOOKEEPER-3104).
 */
export class LearnerFeed {
  readonly #state: PeerState;
  readonly #epoch: number;
  readonly #learner: number;
  readonly #isVoter: boolean;
  #mode: FeedMode = 'idle';
  #cursor = NO_ZXID;
  #commitSent = NO_ZXID;
  /** The learner's history goes on behind the common part and must be cut there. */
  #mustTruncate = false;
  #hasHeader = false;
  #logRequest: number | null = null;
  #fetched: readonly Entry[] = [];
  #snapshot: SnapshotFeed | null = null;
  #unacked: { readonly last: bigint; readonly bytes: number }[] = [];
  #unackedBytes = 0;
  #progressMs: number;

  constructor(state: PeerState, options: { epoch: number; learner: number; isVoter: boolean }) {
    this.#state = state;
    this.#epoch = options.epoch;
    this.#learner = options.learner;
    this.#isVoter = options.isVoter;
    this.#progressMs = state.nowMs;
  }

  get hasBegun(): boolean {
    return this.#mode !== 'idle';
  }

  get isBroken(): boolean {
    return this.#mode === 'broken';
  }

  /** Everything up to here has been sent. */
  get cursor(): bigint {
    return this.#cursor;
  }

  /**
   * How long the learner has owed an answer to what it was sent, in milliseconds; 0 if it owes none. The time that the next
   * message takes on a slow line is no debt: it cannot be acknowledged in parts.
   */
  get owedMs(): number {
    const owes = this.#unacked.length > 0 || (this.#snapshot?.isWaitingForLearner ?? false);
    const onTheLineMs = (this.#unacked[0]?.bytes ?? 0) / SLOWEST_LINE_BYTES_PER_MS;
    return owes ? Math.max(0, this.#state.nowMs - this.#progressMs - onTheLineMs) : 0;
  }

  /** Decides between DIFF, TRUNC and SNAP. A learner whose committed past is not in this history will refuse the cut and stop. */
  begin(report: AckEpoch): void {
    const { history } = this.#state;
    invariant(this.#mode === 'idle', 'a learner is synchronized once per attempt', {
      learner: this.#learner,
    });
    this.#cursor = lastCommonZxid(history.epochs, report.epochs);
    this.#mustTruncate = report.lastZxid > this.#cursor;
    if (report.needsSnapshot) this.#mode = 'applying';
    else if (this.#cursor >= history.base) this.#startStream();
    else this.#readLog();
  }

  /** Sends what is due. */
  pump(shared: SharedBatches): void {
    const { history, commitZxid, deliveredZxid, config } = this.#state;
    if (this.#mode === 'applying' && deliveredZxid >= this.#cursor) this.#snapshotInstead();
    const upTo = this.#isVoter ? history.last : commitZxid;
    const fetched = this.#fetched.filter(({ zxid }) => zxid <= upTo);
    this.#fetched = [];
    if (fetched.length > 0) this.#sendBatch(shared.pack(fetched, this.#isVoter));
    while (this.#mode === 'streaming' && this.#cursor < upTo) {
      if (this.#unackedBytes >= config.limits.inFlightBytes) break;
      const batch = shared.next({ isVoter: this.#isVoter, after: this.#cursor, upTo });
      if (batch === null) this.#readLog();
      else this.#sendBatch(batch);
    }
    const commit = minZxid(commitZxid, this.#cursor);
    if (!this.#isVoter || !this.#hasHeader || this.#mode === 'snapshot' || commit <= this.#commitSent) return;
    this.#commitSent = commit;
    this.#state.outbox.send(this.#learner, { type: 'commit', epoch: this.#epoch, zxid: commit });
  }

  awaits(request: number): boolean {
    return this.#logRequest === request || this.#snapshot?.request === request;
  }

  /** The log's answer; null if it no longer reaches back that far. What it has is sent with the next pump. */
  entriesRead(entries: readonly Entry[] | null): void {
    this.#logRequest = null;
    if (entries === null || entries.length === 0) return this.#snapshotInstead();
    let previous = this.#cursor;
    for (const { zxid } of entries) {
      invariant(this.#state.history.follows(zxid, previous), 'the log must continue what was sent', {
        zxid,
        previous,
      });
      previous = zxid;
    }
    this.#startStream();
    this.#fetched = entries;
  }

  snapshotOpened(zxid: bigint): void {
    invariant(zxid >= this.#cursor, 'a snapshot must reach as far as the common history', {
      zxid,
      cursor: this.#cursor,
    });
    this.#snapshot?.opened(zxid);
    this.#hasHeader = true;
    this.#progressMs = this.#state.nowMs;
  }

  snapshotRead(bytes: Uint8Array, isLast: boolean): void {
    const snapshot = this.#snapshot;
    if (snapshot === null) return;
    if (!snapshot.isWaitingForLearner) this.#progressMs = this.#state.nowMs;
    snapshot.read(bytes, isLast);
    if (snapshot.sentZxid === null) return;
    this.#cursor = snapshot.sentZxid;
    this.#commitSent = this.#cursor;
    this.#unacked.push({ last: this.#cursor, bytes: 0 });
    this.#mode = 'streaming';
  }

  sourceFailed(): void {
    this.#mode = 'broken';
  }

  /** False if the learner confirms what it never got. */
  chunksArrived(chunks: number): boolean {
    this.#progressMs = this.#state.nowMs;
    return this.#snapshot?.arrived(chunks) ?? false;
  }

  /** False if the learner acknowledges what it never got. */
  acked(zxid: bigint): boolean {
    if (!this.#hasHeader || zxid > this.#cursor) return false;
    let settled = 0;
    for (const { last, bytes } of this.#unacked) {
      if (last > zxid) break;
      this.#unackedBytes -= bytes;
      settled += 1;
    }
    if (settled > 0) this.#unacked.splice(0, settled);
    this.#progressMs = this.#state.nowMs;
    return true;
  }

  cancel(): void {
    this.#snapshot?.cancel();
    this.#snapshot = null;
    this.#logRequest = null;
  }

  #startStream(): void {
    this.#mode = 'streaming';
    if (this.#hasHeader) return;
    this.#hasHeader = true;
    const type = this.#mustTruncate ? 'trunc' : 'diff';
    this.#state.outbox.send(this.#learner, { type, epoch: this.#epoch, after: this.#cursor });
  }

  #readLog(): void {
    this.#mode = 'reading';
    this.#logRequest = this.#state.outputs.readLog(this.#cursor, this.#state.config.limits.messageBytes);
  }

  /** A learner that was promised a diff cannot be given a snapshot any more: it has to come again. */
  #snapshotInstead(): void {
    if (this.#hasHeader) return this.sourceFailed();
    this.#mode = 'snapshot';
    this.#snapshot = new SnapshotFeed(this.#state, this.#epoch, this.#learner);
  }

  #sendBatch({ message, last, bytes }: Batch): void {
    if (this.#unacked.length === 0) this.#progressMs = this.#state.nowMs;
    this.#state.outbox.send(this.#learner, message);
    this.#unacked.push({ last, bytes });
    this.#unackedBytes += bytes;
    this.#cursor = last;
    if (message.type === 'proposal') this.#commitSent = maxZxid(this.#commitSent, message.commit);
  }
}
