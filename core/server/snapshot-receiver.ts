import { SnapshotReader, type StateMachine } from '../data/index.js';
import type { Storage } from '../storage/index.js';
import type { InstallStep } from '../zab/index.js';
import { ByteQueue } from './byte-queue.js';

interface Installation {
  readonly install: number;
  readonly pieces: ByteQueue;
  readonly reader: SnapshotReader;
  /** Settles when the storage has switched to it, or has let it go. */
  readonly stored: Promise<void>;
}

/**
 * Takes a snapshot from the leader, piece by piece: onto the disk beside what is there, and into a state machine of its
 * own. Both take effect with `complete`; until then nothing has happened.
 */
export class SnapshotReceiver {
  readonly #storage: Storage;
  #installation: Installation | null = null;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get isReceiving(): boolean {
    return this.#installation !== null;
  }

  /** What has arrived and does not lie on the disk yet. */
  get waitingBytes(): number {
    return this.#installation?.pieces.bytes ?? 0;
  }

  /** Throws `MarshallingError` or `InvariantError` on a snapshot that cannot be read. */
  carryOut(step: InstallStep): void {
    if (step.type === 'begin') this.#begin(step);
    else if (step.type === 'abort') this.abort();
    else {
      this.#installation!.pieces.push(step.bytes);
      this.#installation!.reader.push(step.bytes);
    }
  }

  /** Everything has arrived: resolves to its state when it has durably taken the place of the whole history. */
  async complete(): Promise<StateMachine> {
    const { pieces, reader, stored } = this.#installation!;
    try {
      const machine = reader.finish();
      pieces.end();
      await stored;
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

  #begin(step: Extract<InstallStep, { readonly type: 'begin' }>): void {
    this.abort();
    const pieces = new ByteQueue();
    const stored = this.#storage.installSnapshot(step.zxid, step.epochs, pieces);
    // Whoever waits for it hears of a failure; a snapshot that was let go of is nobody's failure.
    stored.catch(() => undefined);
    this.#installation = { install: step.install, pieces, reader: new SnapshotReader(), stored };
  }
}
