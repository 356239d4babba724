import type { Snapshot, StateMachine } from '../../data/index.js';
import type { Clock, Logger, Random } from '../../runtime/index.js';
import {
  SnapshotPostponedError,
  SnapshotReadBackError,
  type EpochTable,
  type Storage,
} from '../../storage/index.js';
import { snapshotCheck } from './snapshot-check.js';

/** One slice is read per turn of the loop, so that no client waits for longer than it takes to encode this. */
const SLICE_BYTES = 64 * 1024;
/** Time until a snapshot that could not be taken is tried again. */
const RETRY_MS = 60_000;
const LEAST_TXNS = 100_000;
const LEAST_BYTES = 256 * 1024 * 1024;

export interface SnapshotterParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Null: as many as the last snapshot had znodes, and `LEAST_TXNS` at least. */
  readonly snapshotTxns: number | null;
  /** Null: as many as the znodes of the last snapshot held, and `LEAST_BYTES` at least. */
  readonly snapshotBytes: number | null;
  /** The snapshot is durable, and was read back. */
  readonly taken: (zxid: bigint) => void;
  /** A snapshot did not read back as the state that it was taken of; `isRepeated`: nor did the one before. */
  readonly notReadBack: (error: SnapshotReadBackError, isRepeated: boolean) => void;
  /** The storage failed. */
  readonly failed: (error: unknown) => void;
}

/**
 * Takes a snapshot now and then, while the member goes on serving. Unless told otherwise it writes one after as much as it
 * had to write the last time: what snapshots cost a transaction is then the same for a small and a large tree, and a restart
 * reads about as much of the log as of the snapshot.
 */
export class Snapshotter {
  readonly #parts: SnapshotterParts;
  #txns = 0;
  #bytes = 0;
  #txnsDue = 0;
  #bytesDue = 0;
  #running: Promise<void> | null = null;
  /** After a snapshot that could not be taken. */
  #retryAt: number | null = null;
  #isSuspended = false;
  #hasReadBackFailed = false;

  constructor(parts: SnapshotterParts) {
    this.#parts = parts;
    this.#draw(null);
  }

  /** A transaction of that size was applied. */
  count(bytes: number): void {
    this.#txns += 1;
    this.#bytes += bytes;
  }

  get isDue(): boolean {
    if (this.#running !== null || this.#isSuspended) return false;
    if (this.#retryAt !== null) return this.#parts.clock.now() >= this.#retryAt;
    return this.#txns >= this.#txnsDue || this.#bytes >= this.#bytesDue;
  }

  /** Takes no snapshot of a state that is known to be wrong. */
  suspend(): void {
    this.#isSuspended = true;
  }

  /** A snapshot of the leader has replaced the state. */
  replaced(): void {
    this.#isSuspended = false;
    this.#hasReadBackFailed = false;
    this.#retryAt = null;
  }

  /** Begins a snapshot of the machine as it is now. */
  begin(machine: StateMachine, epochs: EpochTable): void {
    this.#draw(machine);
    this.#retryAt = null;
    this.#running = this.#write(machine, epochs).finally(() => (this.#running = null));
  }

  /** Waits for the snapshot that is being written, if any. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #write(machine: StateMachine, epochs: EpochTable): Promise<void> {
    const { storage, clock, logger, taken } = this.#parts;
    const snapshot = machine.snapshot();
    const { zxid } = snapshot;
    const check = snapshotCheck(clock, () => snapshot);
    const startedAt = clock.now();
    try {
      await storage.writeSnapshot(zxid, epochs, this.#slices(snapshot), check);
      this.#hasReadBackFailed = false;
      taken(zxid);
      logger.info('Snapshot taken', { zxid, ms: Math.round(clock.now() - startedAt) });
    } catch (error) {
      this.#failed(error);
    } finally {
      snapshot.close();
    }
  }

  #failed(error: unknown): void {
    const { clock, logger, failed, notReadBack } = this.#parts;
    if (error instanceof SnapshotPostponedError) {
      this.#retryAt = clock.now() + RETRY_MS;
      logger.warn('Snapshot postponed', { retryInMs: RETRY_MS, reason: error.message });
    } else if (error instanceof SnapshotReadBackError) {
      this.#retryAt = clock.now() + RETRY_MS;
      const isRepeated = this.#hasReadBackFailed;
      this.#hasReadBackFailed = true;
      logger.error('Snapshot does not read back; older snapshots and the log are kept', { error });
      notReadBack(error, isRepeated);
    } else failed(error);
  }

  async *#slices(snapshot: Snapshot): AsyncIterable<Uint8Array> {
    for (let slice = snapshot.next(SLICE_BYTES); slice !== null; slice = snapshot.next(SLICE_BYTES)) {
      yield slice;
      await new Promise<void>((resolve) => this.#parts.clock.soon(resolve));
    }
  }

  /**
   * Anywhere in the upper half of what is allowed, so that the members of an ensemble do not all write at once. Before the
   * first snapshot the tree counts as small (`machine` null).
   */
  #draw(machine: StateMachine | null): void {
    const { snapshotTxns, snapshotBytes, random } = this.#parts;
    const share = 0.5 + random.next() / 2;
    const txns = snapshotTxns ?? Math.max(LEAST_TXNS, machine?.nodeCount ?? 0);
    const bytes = snapshotBytes ?? Math.max(LEAST_BYTES, machine?.dataBytes ?? 0);
    this.#txns = 0;
    this.#bytes = 0;
    this.#txnsDue = Math.max(1, Math.round(txns * share));
    this.#bytesDue = Math.max(1, Math.round(bytes * share));
  }
}
