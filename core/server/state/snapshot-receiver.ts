import type { StateMachine } from '../../data/index.js';
import type { Clock } from '../../runtime/index.js';
import type { Storage } from '../../storage/index.js';
import type { InstallStep, PeerMessage } from '../../zab/index.js';
import { ByteQueue } from './byte-queue.js';
import { SnapshotArrivals } from './snapshot-arrivals.js';
import { snapshotCheck, type SnapshotExpectation } from './snapshot-check.js';

interface Installation {
  readonly zxid: bigint;
  readonly pieces: ByteQueue;
  /** What the file has to hold, which is read back before it counts. */
  expected: SnapshotExpectation;
  /** Settles when the storage has switched to it, or has let it go. */
  readonly stored: Promise<void>;
}

/**
 * Takes a snapshot from the leader, piece by piece: onto the disk beside what is there, and into a state machine of its
 * own. Both take effect with `complete`, after the state has been found to be whole, and the file too; until then nothing has
 * happened.
 */
export class SnapshotReceiver {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #arrivals = new SnapshotArrivals();
  #installation: Installation | null = null;

  constructor(storage: Storage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  get isReceiving(): boolean {
    return this.#installation !== null;
  }

  /** What has arrived and does not lie on the disk yet. */
  get waitingBytes(): number {
    return this.#installation?.pieces.bytes ?? 0;
  }

  /** Snapshots of which something has arrived and that nobody has taken yet. */
  get arrivals(): number {
    return this.#arrivals.count;
  }

  /**
   * A message of another member, before anybody acts upon it. Returns what is wrong with the snapshot that it belongs to, so that
   * it is not acted upon; else null.
   */
  heard(link: number, message: PeerMessage): string | null {
    return this.#arrivals.heard(link, message);
  }

  /** The link is gone. */
  disconnected(link: number): void {
    this.#arrivals.forget(link);
  }

  /** Everything that follows from the messages so far has been carried out. */
  settle(): void {
    this.#arrivals.settle();
  }

  carryOut(step: InstallStep): void {
    if (step.type === 'begin') this.#begin(step);
    else if (step.type === 'abort') this.abort();
    else this.#installation!.pieces.push(step.bytes);
  }

  /** Everything has arrived: resolves to its state when it has durably taken the place of the whole history. */
  async complete(): Promise<StateMachine> {
    const installation = this.#installation!;
    try {
      const machine = this.#arrivals.take(installation.zxid);
      const { digest, nodeCount } = machine;
      installation.expected = { zxid: installation.zxid, digest, nodeCount };
      installation.pieces.end();
      await installation.stored;
      return machine;
    } finally {
      this.abort();
    }
  }

  /** Lets go of what has arrived. Idempotent. */
  abort(): void {
    this.#installation?.pieces.fail(new Error('the leader is gone before the end of the snapshot'));
    this.#installation = null;
  }

  #begin({ zxid, epochs }: Extract<InstallStep, { readonly type: 'begin' }>): void {
    this.abort();
    const pieces = new ByteQueue();
    const check = snapshotCheck(this.#clock, () => installation.expected);
    const stored = this.#storage.installSnapshot(zxid, epochs, pieces, check);
    // Whoever waits for it hears of a failure; a snapshot that was let go of is nobody's failure.
    stored.catch(() => undefined);
    const installation: Installation = { zxid, pieces, expected: { zxid, digest: 0n, nodeCount: 0 }, stored };
    this.#installation = installation;
  }
}
