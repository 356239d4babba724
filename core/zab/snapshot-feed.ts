import type { PeerState } from './peer-state.js';
import { invariant } from './zab-error.js';

/** Chunks asked for or on their way to the learner at once. */
const CHUNKS_IN_FLIGHT = 4;

/**
 * Sends a snapshot of the applied state to one learner, chunk by chunk, no faster than it takes them, so that
 * neither end holds more than a few chunks and pings still get through.
 */
export class SnapshotFeed {
  readonly request: number;
  readonly #state: PeerState;
  readonly #epoch: number;
  readonly #learner: number;
  #asked = 0;
  #sent = 0;
  #arrived = 0;
  #isComplete = false;
  #zxid: bigint | null = null;

  constructor(state: PeerState, epoch: number, learner: number) {
    this.#state = state;
    this.#epoch = epoch;
    this.#learner = learner;
    this.request = state.outputs.openSnapshot(learner);
  }

  /** The zxid that the snapshot stands at, once its last chunk is sent; null before. */
  get sentZxid(): bigint | null {
    return this.#isComplete ? this.#zxid : null;
  }

  /** Chunks are out that the learner has not confirmed. */
  get isWaitingForLearner(): boolean {
    return this.#sent > this.#arrived;
  }

  opened(zxid: bigint): void {
    const { deliveredZxid, history } = this.#state;
    invariant(this.#zxid === null, 'a snapshot is opened once', { request: this.request });
    invariant(zxid <= deliveredZxid, 'a snapshot holds only what is committed', { zxid, deliveredZxid });
    this.#zxid = zxid;
    this.#state.outbox.send(this.#learner, {
      type: 'snap',
      epoch: this.#epoch,
      zxid,
      epochs: history.epochsUpTo(zxid),
    });
    this.#ask();
  }

  read(bytes: Uint8Array, isLast: boolean): void {
    if (this.#isComplete) return;
    invariant(this.#asked > this.#sent, 'a chunk comes when it is asked for', { request: this.request });
    this.#sent += 1;
    this.#state.outbox.send(this.#learner, { type: 'snapshotChunk', epoch: this.#epoch, bytes, isLast });
    if (!isLast) return;
    this.#isComplete = true;
    this.#state.outputs.closeSnapshot(this.request);
  }

  /** False if the learner confirms what it never got. */
  arrived(chunks: number): boolean {
    if (chunks > this.#sent || chunks < this.#arrived) return false;
    this.#arrived = chunks;
    if (this.#zxid !== null) this.#ask();
    return true;
  }

  /** The learner is gone. */
  cancel(): void {
    if (!this.#isComplete) this.#state.outputs.closeSnapshot(this.request);
    this.#isComplete = true;
  }

  #ask(): void {
    while (!this.#isComplete && this.#asked - this.#arrived < CHUNKS_IN_FLIGHT) {
      this.#asked += 1;
      this.#state.outputs.readSnapshot(this.request);
    }
  }
}
