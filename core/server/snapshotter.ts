import type { StateMachine } from '../data/index.js';
import type { Clock, Logger, Random } from '../runtime/index.js';
import type { EpochTable, Storage } from '../storage/index.js';

/** One slice is read per turn of the loop, so that no client waits for longer than it takes to encode this. */
const SLICE_BYTES = 64 * 1024;

export interface SnapshotterParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly snapshotTxns: number;
  readonly snapshotBytes: number;
  /** The snapshot is durable. */
  readonly taken: (zxid: bigint) => void;
  /** The storage failed. */
  readonly failed: (error: unknown) => void;
}

/** Takes a snapshot now and then, while the member goes on serving. */
export class Snapshotter {
  readonly #parts: SnapshotterParts;
  #txns = 0;
  #bytes = 0;
  #txnsDue = 0;
  #bytesDue = 0;
  #running: Promise<void> | null = null;

  constructor(parts: SnapshotterParts) {
    this.#parts = parts;
    this.#draw();
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
    this.#draw();
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

  /** Anywhere in the upper half of what is allowed, so that the members of an ensemble do not all write at once. */
  #draw(): void {
    const share = 0.5 + this.#parts.random.next() / 2;
    this.#txns = 0;
    this.#bytes = 0;
    this.#txnsDue = Math.max(1, Math.round(this.#parts.snapshotTxns * share));
    this.#bytesDue = Math.max(1, Math.round(this.#parts.snapshotBytes * share));
  }
}
