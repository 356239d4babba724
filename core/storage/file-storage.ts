import { silentLogger, SystemRandom, type Logger, type Random } from '../runtime/index.js';
import { CommitQueue } from './commit-queue.js';
import { openDirectory, saltOf, type DirectoryContent } from './data-directory.js';
import type { Directory, Disk } from './disk.js';
import { epochOf } from './epoch-table.js';
import { writePromises, type Promises } from './epoch-file.js';
import { LogEndWriter, type LogEnd } from './log-end.js';
import { ReadGate } from './read-gate.js';
import { recoverHistory, type RecoveredHistory } from './recovery.js';
import { readSnapshotContent } from './snapshot-file.js';
import { SnapshotFailure, SnapshotStore } from './snapshot-store.js';
import { repairForRejoining } from './self-repair.js';
import {
  CorruptionError,
  DataDirectoryReplacedError,
  SnapshotPostponedError,
  StorageError,
  toStorageError,
} from './storage-error.js';
import type { ContentCheck, EpochTable, LogEntry, PersistBatch, RecoveredState, Storage } from './storage.js';
import { reportingUnreadableBlocks } from './unreadable-blocks.js';
import { TransactionLog, type LogOptions } from './transaction-log.js';

const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;
const SMALLEST_SEGMENT_BYTES = 4096;
const LARGEST_SEGMENT_BYTES = 1024 * 1024 * 1024;
const DEFAULT_SNAPSHOTS_KEPT = 3;
export interface FileStorageOptions {
  readonly disk: Disk;
  readonly logger?: Logger | undefined;
  /** Size at which a log file is followed by the next, 4 KiB to 1 GiB. Default 64 MiB; an engine in memory wants less. */
  readonly segmentBytes?: number | undefined;
  /** Snapshots that stay, with the log from the oldest of them on. Default 3. */
  readonly snapshotsKept?: number | undefined;
  /** Whose directory it is, such as `member 1`. A directory made for another owner is refused. */
  readonly owner?: string | undefined;
  /**
   * Other members can give back what a damaged directory has lost: instead of rejecting with `CorruptionError`, `recover` keeps what
   * is sound, sets the rest aside, and reports `rejoining`. Default false.
   */
  readonly canRejoin?: boolean | undefined;
  /** For the directory's own id. */
  readonly random?: Random | undefined;
}

/**
 * Durable state of one member in a directory of files: a log in segments, snapshots, the promised epoch. One
 * loop carries out what is asked, in order; whatever gathers while it waits for a sync shares the next one. It
 * is open → recovered → (failed) → closed; once failed it answers everything with the error that stopped it.
 */
export class FileStorage implements Storage {
  readonly #directory: Directory;
  readonly #logger: Logger;
  readonly #options: Required<
    Pick<FileStorageOptions, 'segmentBytes' | 'snapshotsKept' | 'owner' | 'random' | 'canRejoin'>
  >;
  readonly #gate = new ReadGate();
  readonly #queue = new CommitQueue((batches) => this.#commit(batches));
  /** Snapshots are written one after the other. */
  #snapshotting: Promise<void> = Promise.resolve();
  #failure: StorageError | null = null;
  #closed: Promise<void> | null = null;
  #hasBegunRecovery = false;

  #promises: Promises = { acceptedEpoch: 0, rejoining: undefined };
  #generation = 0;
  #logOptions!: LogOptions;
  #log: TransactionLog | null = null;
  #snapshots!: SnapshotStore;

  private constructor(options: FileStorageOptions, directory: Directory) {
    this.#directory = directory;
    this.#logger = options.logger ?? silentLogger;
    this.#options = {
      segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES,
      snapshotsKept: options.snapshotsKept ?? DEFAULT_SNAPSHOTS_KEPT,
      owner: options.owner ?? '',
      random: options.random ?? new SystemRandom(),
      canRejoin: options.canRejoin ?? false,
    };
  }

  /** Locks the directory; rejects with `DataDirectoryLockedError` if another process uses it. `recover` comes next. */
  static async open(options: FileStorageOptions): Promise<FileStorage> {
    requireInteger('segmentBytes', options.segmentBytes, SMALLEST_SEGMENT_BYTES, LARGEST_SEGMENT_BYTES);
    requireInteger('snapshotsKept', options.snapshotsKept, 1, 1_000_000);
    return new FileStorage(options, await options.disk.lock());
  }

  async recover(checkContent?: ContentCheck): Promise<RecoveredState> {
    if (this.#hasBegunRecovery) throw misuse('recover was called twice; open the storage anew instead');
    this.#hasBegunRecovery = true;
    try {
      return await this.#recover(checkContent).catch(async (error: unknown) => {
        if (!(error instanceof CorruptionError) || !this.#options.canRejoin) throw error;
        await this.#repair(error, checkContent);
        return this.#recover(checkContent);
      });
    } catch (error) {
      throw this.#fail(error, 'recovering');
    }
  }

  persist(batch: PersistBatch): Promise<void> {
    const refusal = this.#refusal();
    return refusal === null ? this.#queue.push(batch) : Promise.reject(refusal);
  }

  async proveEnd(): Promise<void> {
    if (this.#refusal() !== null || !this.#log!.isUnproven) return;
    await this.#queue.pushAct(async () => {
      if (this.#failure !== null) throw this.#failure;
      try {
        await this.#log!.proveEnd();
      } catch (error) {
        throw this.#fail(await this.#causeOf(error), 'writing');
      }
    });
  }

  async readEntries(after: bigint, maxBytes: number): Promise<readonly LogEntry[] | null> {
    const refusal = this.#refusal();
    if (refusal !== null) throw refusal;
    return this.#gate.read(() => this.#log!.read(after, maxBytes));
  }

  async writeSnapshot(
    zxid: bigint,
    epochs: EpochTable,
    content: AsyncIterable<Uint8Array>,
    checkContent?: ContentCheck,
  ): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== null) throw refusal;
    await this.#inTurn(async () => {
      const { lastZxid, firstPrevZxid } = this.#log!;
      if (zxid > lastZxid || zxid < this.#snapshots.newestZxid) {
        throw misuse(
          `a snapshot at ${hex(zxid)} fits neither the log, which ends at ${hex(lastZxid)}, nor the snapshots, which end at ${hex(this.#snapshots.newestZxid)}`,
        );
      }
      const header = { zxid, epochs, standsAlone: zxid === firstPrevZxid };
      const staged = await this.#snapshots.stage(this.#generation, header, content, checkContent);
      await this.#snapshots.publish(staged);
      await this.#purge();
    });
  }

  installSnapshot(
    zxid: bigint,
    epochs: EpochTable,
    content: AsyncIterable<Uint8Array>,
    checkContent?: ContentCheck,
  ): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== null) return Promise.reject(refusal);
    const install = (): Promise<void> => this.#install({ zxid, epochs, content, checkContent });
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

  async #recover(checkContent: ContentCheck | undefined): Promise<RecoveredState> {
    const content = await openDirectory(reportingUnreadableBlocks(this.#directory), this.#options);
    const history = await recoverHistory(this.#directory, content, { logger: this.#logger, checkContent });
    return this.#begin(content, history);
  }

  async #repair(error: CorruptionError, checkContent: ContentCheck | undefined): Promise<void> {
    const id = Buffer.from(this.#options.random.bytes(4)).toString('hex');
    await repairForRejoining(reportingUnreadableBlocks(this.#directory), error, {
      folder: `damaged-${id}`,
      checkContent,
      logger: this.#logger,
    });
  }

  #begin(content: DirectoryContent, history: RecoveredHistory): RecoveredState {
    const { identity, isNew } = content;
    const { snapshot, epochs, promises } = history;
    this.#promises = promises;
    this.#generation = content.generation;
    this.#snapshots = new SnapshotStore(this.#directory, identity.id, history.snapshots);
    this.#logOptions = {
      directory: this.#directory,
      directoryId: identity.id,
      salt: saltOf(identity),
      logEnd: new LogEndWriter(this.#directory, identity.id),
      segmentBytes: this.#options.segmentBytes,
    };
    this.#log = new TransactionLog(this.#logOptions, history.log);
    return {
      acceptedEpoch: promises.acceptedEpoch,
      rejoining: promises.rejoining ?? null,
      mayHold: promises.mayHold ?? null,
      isNew,
      epochs,
      snapshot: snapshot && {
        zxid: snapshot.header.zxid,
        epochs: snapshot.header.epochs,
        read: () => this.#recovering(readSnapshotContent(this.#directory, snapshot.file.name)),
      },
      entries: history.entries,
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

  /** Only the first batch of a group has more than entries. */
  async #commit(batches: readonly PersistBatch[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    const first = batches[0]!;
    const { truncateAfter } = first;
    try {
      await this.#promise(first);
      if (truncateAfter !== undefined) await this.#truncate(truncateAfter);
      const lists = batches.map((batch) => batch.entries ?? []);
      this.#requireSuccession(lists);
      await this.#log!.append(lists);
    } catch (error) {
      throw this.#fail(await this.#causeOf(error), 'writing');
    }
  }

  async #promise({
    acceptedEpoch = this.#promises.acceptedEpoch,
    rejoining = this.#promises.rejoining,
  }: PersistBatch): Promise<void> {
    const before = this.#promises;
    if (acceptedEpoch === before.acceptedEpoch && rejoining === before.rejoining) return;
    if (
      !Number.isInteger(acceptedEpoch) ||
      acceptedEpoch < before.acceptedEpoch ||
      acceptedEpoch > 0x7fffffff
    ) {
      throw misuse(`epoch ${acceptedEpoch} cannot be promised after epoch ${before.acceptedEpoch}`);
    }
    const { mayHold } = before;
    const isMissing = mayHold !== undefined && this.#log!.lastZxid < mayHold;
    const promises = { acceptedEpoch, rejoining, ...(isMissing ? { mayHold } : {}) };
    await writePromises(this.#directory, promises);
    this.#promises = promises;
  }

  async #truncate(zxid: bigint): Promise<void> {
    if (zxid < this.#snapshots.newestZxid || zxid < this.#log!.firstPrevZxid) {
      throw misuse(
        `the log cannot be cut back to ${hex(zxid)}: the snapshot at ${hex(this.#snapshots.newestZxid)} holds what would go`,
      );
    }
    await this.#gate.alone(() => this.#log!.truncateAfter(zxid));
  }

  /** A gap, a repetition or an epoch beyond the promise would be data loss later on: it stops here. */
  #requireSuccession(lists: readonly (readonly LogEntry[])[]): void {
    let last = this.#log!.lastZxid;
    for (const list of lists) {
      for (const { zxid } of list) {
        if (zxid !== last + 1n && !opensLaterEpoch(zxid, last)) {
          throw misuse(`the entry ${hex(zxid)} does not follow ${hex(last)}, the last one of the log`);
        }
        last = zxid;
      }
    }
    if (epochOf(last) > this.#promises.acceptedEpoch) {
      throw misuse(
        `an entry of epoch ${epochOf(last)} was appended while only ${this.#promises.acceptedEpoch} is promised`,
      );
    }
  }

  /** What `end-of-log` says is the switch: files of another generation than that one do not count. */
  async #install({ zxid, epochs, content, checkContent }: ReceivedSnapshot): Promise<void> {
    if (epochOf(zxid) > this.#promises.acceptedEpoch) {
      throw misuse(
        `a snapshot at ${hex(zxid)} cannot be installed while only ${this.#promises.acceptedEpoch} is promised`,
      );
    }
    const generation = this.#generation + 1;
    const header = { zxid, epochs, standsAlone: true };
    const staged = await this.#snapshots.stage(generation, header, content, checkContent);
    await this.#gate.alone(async () => {
      await this.#snapshots.publish(staged);
      const old = this.#log!;
      const proven: LogEnd = { generation, zxid, newest: null };
      await this.#logOptions.logEnd.write(proven);
      this.#generation = generation;
      const state = { generation, floor: zxid, segments: [], allocatedBytes: 0, proven };
      this.#log = new TransactionLog(this.#logOptions, state);
      await this.#snapshots.removeOlderThan(generation);
      await old.remove();
      await this.#directory.syncDirectory();
    });
    this.#logger.info('Installed a snapshot received from the leader', { zxid: hex(zxid) });
  }

  async #purge(): Promise<void> {
    const oldestKept = await this.#snapshots.purge(this.#options.snapshotsKept);
    if (oldestKept === null) return;
    const removed = await this.#log!.purge(oldestKept);
    if (removed.length > 0) this.#logger.info('Removed log files that no snapshot needs', { files: removed });
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
      await this.#gate.alone(async () => {
        if (this.#failure === null) await this.#log?.close();
        else await this.#log?.abandon();
      });
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
    return this.#log === null ? misuse('recover has to come first') : null;
  }
}

interface ReceivedSnapshot {
  readonly zxid: bigint;
  readonly epochs: EpochTable;
  readonly content: AsyncIterable<Uint8Array>;
  readonly checkContent: ContentCheck | undefined;
}

function opensLaterEpoch(zxid: bigint, last: bigint): boolean {
  return (zxid & 0xffffffffn) === 0n && zxid > last;
}

function requireInteger(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  throw misuse(`${name} is ${value}; it must be a whole number from ${least} to ${most}`);
}

function misuse(message: string): StorageError {
  return new StorageError(message, { code: 'STORAGE_MISUSED' });
}

function isMisuse(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'STORAGE_MISUSED';
}

function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`;
}
