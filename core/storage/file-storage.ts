import { silentLogger, type Logger } from '../runtime/index.js';
import { CommitQueue } from './commit-queue.js';
import { openDirectory, type DirectoryContent } from './data-directory.js';
import type { Directory } from './disk.js';
import { DurableHistory, type GivenSnapshot } from './durable-history.js';
import { settingsOf, type FileStorageOptions, type StorageSettings } from './file-storage-options.js';
import { recoverHistory, type RecoveredHistory } from './recovery.js';
import { repairForRejoining } from './self-repair.js';
import { readSnapshotContent } from './snapshot-file.js';
import { SnapshotFailure } from './snapshot-store.js';
import {
  CorruptionError,
  DataDirectoryReplacedError,
  isMisuse,
  misuse,
  SnapshotPostponedError,
  StorageError,
  toStorageError,
} from './storage-error.js';
import type { ContentCheck, EpochTable, LogEntry, PersistBatch, RecoveredState, Storage } from './storage.js';
import { reportingUnreadableBlocks } from './unreadable-blocks.js';

/** Within one start: what a repair sets aside may have kept another damaged place from being read. */
const MOST_REPAIRS = 3;

/**
 * Durable state of one member in a directory of files: a log in segments, snapshots, the promised epoch. One
 * loop carries out what is asked, in order; whatever gathers while it waits for a sync shares the next one. It
 * is open → recovered → (failed) → closed; once failed it answers everything with the error that stopped it.
 */
export class FileStorage implements Storage {
  readonly #directory: Directory;
  readonly #logger: Logger;
  readonly #settings: StorageSettings;
  readonly #queue = new CommitQueue((batches) => this.#commit(batches));
  /** Snapshots are written one after the other. */
  #snapshotting: Promise<void> = Promise.resolve();
  #failure: StorageError | null = null;
  #closed: Promise<void> | null = null;
  #hasBegunRecovery = false;

  #history: DurableHistory | null = null;

  private constructor(directory: Directory, logger: Logger, settings: StorageSettings) {
    this.#directory = directory;
    this.#logger = logger;
    this.#settings = settings;
  }

  /** Locks the directory; rejects with `DataDirectoryLockedError` if another process uses it. `recover` comes next. */
  static async open(options: FileStorageOptions): Promise<FileStorage> {
    const settings = settingsOf(options);
    return new FileStorage(await options.disk.lock(), options.logger ?? silentLogger, settings);
  }

  async recover(checkContent?: ContentCheck): Promise<RecoveredState> {
    if (this.#hasBegunRecovery) throw misuse('recover was called twice; open the storage anew instead');
    this.#hasBegunRecovery = true;
    try {
      return await this.#recoverOrRepair(checkContent, this.#settings.canRejoin ? MOST_REPAIRS : 0);
    } catch (error) {
      throw this.#fail(error, 'recovering');
    }
  }

  persist(batch: PersistBatch): Promise<void> {
    const refusal = this.#refusal();
    return refusal === null ? this.#queue.push(batch) : Promise.reject(refusal);
  }

  async proveEnd(): Promise<void> {
    if (this.#refusal() !== null || !this.#history!.isUnproven) return;
    await this.#queue.pushAct(async () => {
      if (this.#failure !== null) throw this.#failure;
      try {
        await this.#history!.proveEnd();
      } catch (error) {
        throw this.#fail(await this.#causeOf(error), 'writing');
      }
    });
  }

  async readEntries(after: bigint, maxBytes: number): Promise<readonly LogEntry[] | null> {
    const refusal = this.#refusal();
    if (refusal !== null) throw refusal;
    return this.#history!.read(after, maxBytes);
  }

  async writeSnapshot(
    zxid: bigint,
    epochs: EpochTable,
    content: AsyncIterable<Uint8Array>,
    checkContent?: ContentCheck,
  ): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== null) throw refusal;
    const snapshot: GivenSnapshot = { zxid, epochs, content, checkContent };
    await this.#inTurn(() => this.#history!.writeSnapshot(snapshot));
  }

  installSnapshot(
    zxid: bigint,
    epochs: EpochTable,
    content: AsyncIterable<Uint8Array>,
    checkContent?: ContentCheck,
  ): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== null) return Promise.reject(refusal);
    const snapshot: GivenSnapshot = { zxid, epochs, content, checkContent };
    const install = (): Promise<void> => this.#history!.installSnapshot(snapshot);
    return this.#queue.pushAct(() => this.#inTurn(install, 'needed'));
  }

  async verifyPlace(): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== null) throw refusal;
    try {
      await this.#directory.verifyPlace();
    } catch (error) {
      // Whatever else goes wrong with a look at the directory harms nobody.
      if (error instanceof DataDirectoryReplacedError) throw this.#fail(error, 'looking at');
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #recoverOrRepair(checkContent: ContentCheck | undefined, repairs: number): Promise<RecoveredState> {
    try {
      return await this.#recover(checkContent);
    } catch (error) {
      if (!(error instanceof CorruptionError) || repairs === 0) throw error;
      await this.#repair(error, checkContent).catch((next: unknown) => {
        // The next attempt comes upon it as well.
        if (!(next instanceof CorruptionError)) throw next;
      });
      return this.#recoverOrRepair(checkContent, repairs - 1);
    }
  }

  async #recover(checkContent: ContentCheck | undefined): Promise<RecoveredState> {
    const content = await openDirectory(reportingUnreadableBlocks(this.#directory), this.#settings);
    const history = await recoverHistory(this.#directory, content, { logger: this.#logger, checkContent });
    return this.#begin(content, history);
  }

  async #repair(error: CorruptionError, checkContent: ContentCheck | undefined): Promise<void> {
    const id = Buffer.from(this.#settings.random.bytes(4)).toString('hex');
    await repairForRejoining(reportingUnreadableBlocks(this.#directory), error, {
      folder: `damaged-${id}`,
      checkContent,
      logger: this.#logger,
    });
  }

  #begin(content: DirectoryContent, recovered: RecoveredHistory): RecoveredState {
    const { snapshot, epochs, promises, entries } = recovered;
    const { segmentBytes, snapshotsKept } = this.#settings;
    const parts = { directory: this.#directory, logger: this.#logger, segmentBytes, snapshotsKept };
    this.#history = new DurableHistory(parts, content, recovered);
    return {
      acceptedEpoch: promises.acceptedEpoch,
      rejoining: promises.rejoining ?? null,
      mayHold: promises.mayHold ?? null,
      directoryId: content.identity.id.toString('hex'),
      isNew: content.isNew,
      epochs,
      snapshot: snapshot && {
        zxid: snapshot.header.zxid,
        epochs: snapshot.header.epochs,
        read: () => this.#recovering(readSnapshotContent(this.#directory, snapshot.file.name)),
      },
      entries,
    };
  }

  /** What is read later than `recover` fails as `recover` itself does. */
  async *#recovering<T>(items: AsyncIterable<T>): AsyncIterable<T> {
    try {
      yield* items;
    } catch (error) {
      throw this.#fail(error, 'recovering');
    }
  }

  async #commit(batches: readonly PersistBatch[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    try {
      await this.#history!.commit(batches);
    } catch (error) {
      throw this.#fail(await this.#causeOf(error), 'writing');
    }
  }

  /**
   * Runs `work` behind every earlier snapshot; what does not go wrong harmlessly stops the storage. A spare snapshot that could
   * not be staged is harmless, unless the disk refused it. With a snapshot that is needed only a content that breaks off is
   * harmless: if the disk has no room for it, what waits to be appended behind it would leave a gap behind what was there before.
   */
  #inTurn(work: () => Promise<void>, snapshot: 'spare' | 'needed' = 'spare'): Promise<void> {
    const turn = this.#snapshotting.then(async () => {
      if (this.#failure !== null) throw this.#failure;
      try {
        await work();
      } catch (error) {
        if (isMisuse(error)) throw error;
        if (!(error instanceof SnapshotFailure)) throw this.#fail(error, 'writing a snapshot to');
        const { kind, reason } = error;
        const isHarmless = kind === 'content' || (snapshot === 'spare' && kind !== 'disk');
        if (!isHarmless) throw this.#fail(reason, 'writing a snapshot to');
        throw kind === 'shortage' ? this.#postponed(reason) : reason;
      }
    });
    this.#snapshotting = turn.catch(() => undefined);
    return turn;
  }

  #postponed(reason: unknown): SnapshotPostponedError {
    const { location } = this.#directory;
    const { file } = (reason as StorageError).fields as { file?: string };
    const cause = (reason as StorageError).cause;
    return new SnapshotPostponedError({ location, file: file ?? 'snapshot', cause });
  }

  async #close(): Promise<void> {
    await this.#queue.idle();
    await this.#snapshotting;
    try {
      if (this.#failure === null) await this.#history?.close();
      else await this.#history?.abandon();
    } catch (error) {
      throw this.#fail(error, 'closing');
    } finally {
      await this.#directory.release();
    }
  }

  /** A write may fail in many ways when the directory is not there any more; that is what is reported then. */
  async #causeOf(error: unknown): Promise<unknown> {
    return this.#directory.verifyPlace().then(
      () => error,
      (replaced: unknown) => (replaced instanceof DataDirectoryReplacedError ? replaced : error),
    );
  }

  /** The first failure is the one that every later call hears of. */
  #fail(error: unknown, doing: string): StorageError {
    if (this.#failure !== null) return this.#failure;
    const what = { location: this.#directory.location, doing, file: 'the data directory' };
    this.#failure = toStorageError(error, what);
    this.#logger.error('The storage has failed and stops', { error: this.#failure });
    return this.#failure;
  }

  #refusal(): StorageError | null {
    if (this.#failure !== null) return this.#failure;
    if (this.#closed !== null) {
      return new StorageError(`${this.#directory.location} is closed`, { code: 'STORAGE_CLOSED' });
    }
    return this.#history === null ? misuse('recover has to come first') : null;
  }
}
