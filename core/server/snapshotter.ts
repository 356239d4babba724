import type { StateMachine } from '../data/index.js';
import type { Clock, Logger, Random } from '../runtime/index.js';
import type { EpochTable, Storage } from '../storage/index.js';

/** One slice is read per turn of the loop, so that no client waits for longer than it takes to encode this. */
const SLICE_BYTES = 64 * 1024;
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
  /** The snapshot is durable. */
  readonly taken: (zxid: bigint) => void;
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
    return this.#running === null && (this.#txns >= this.#txnsDue || this.#bytes >= this.#bytesDue);
  }

  /** Begins a snapshot of the machine as it is now. */
  begin(machine: StateMachine, epochs: EpochTable): void {
    this.#draw(machine);
    this.#running = this.#write(machine, epochs).finally(() => (this.#running = null));
  }

  /** Waits for the snapshot that is being written, if any. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #write(machine: StateMachine, epochs: EpochTable): Promise<void> {
    const { storage, clock, logger, taken, failed } = this.#parts;
    const snapshot = machine.snapshot();
    const startedAt = clock.now();
    try {
      await storage.writeSnapshot(snapshot.zxid, epochs, this.#slices(snapshot));
      taken(snapshot.zxid);
      logger.info('Snapshot taken', { zxid: snapshot.zxid, ms: Math.round(clock.now() - startedAt) });
    } catch (error) {
      failed(error);
    } finally {
      snapshot.close();
    }
  }

  async *#slices(snapshot: { next(maxBytes: number): Uint8Array | null }): AsyncIterable<Uint8Array> {
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
