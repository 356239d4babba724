import type { Logger } from '../runtime/index.js';
import { saltOf, type DirectoryContent } from './data-directory.js';
import type { Directory } from './disk.js';
import { writePromises, type Promises } from './epoch-file.js';
import { epochOf } from './epoch-table.js';
import { LogEndWriter, type LogEnd } from './log-end.js';
import { ReadGate } from './read-gate.js';
import type { RecoveredHistory } from './recovery.js';
import { SnapshotStore } from './snapshot-store.js';
import { misuse } from './storage-error.js';
import type { ContentCheck, EpochTable, LogEntry, PersistBatch } from './storage.js';
import { TransactionLog, type LogOptions } from './transaction-log.js';

/** A snapshot, and who verifies what was written of it. */
export interface GivenSnapshot {
  readonly zxid: bigint;
  readonly epochs: EpochTable;
  readonly content: AsyncIterable<Uint8Array>;
  readonly checkContent: ContentCheck | undefined;
}

/**
 * What a recovered directory holds, and every change of it: promises, log and snapshots of one generation after the other. Changes of
 * promises and log are made one at a time, and so are those of snapshots; `read` may run beside all of them. A failed change leaves the
 * directory to recovery: nothing is to be changed after it.
 */
export class DurableHistory {
  readonly #directory: Directory;
  readonly #logger: Logger;
  readonly #snapshotsKept: number;
  readonly #gate = new ReadGate();
  readonly #logOptions: LogOptions;
  readonly #snapshots: SnapshotStore;
  #promises: Promises;
  #generation: number;
  #log: TransactionLog;

  constructor(
    parts: {
      readonly directory: Directory;
      readonly logger: Logger;
      readonly segmentBytes: number;
      readonly snapshotsKept: number;
    },
    { identity, generation }: DirectoryContent,
    recovered: RecoveredHistory,
  ) {
    const { directory, segmentBytes } = parts;
    this.#directory = directory;
    this.#logger = parts.logger;
    this.#snapshotsKept = parts.snapshotsKept;
    this.#promises = recovered.promises;
    this.#generation = generation;
    this.#snapshots = new SnapshotStore(directory, identity.id, recovered.snapshots);
    this.#logOptions = {
      directory,
      directoryId: identity.id,
      salt: saltOf(identity),
      logEnd: new LogEndWriter(directory, identity.id),
      segmentBytes,
    };
    this.#log = new TransactionLog(this.#logOptions, recovered.log);
  }

  /** Something is durable that `end-of-log` does not say yet. */
  get isUnproven(): boolean {
    return this.#log.isUnproven;
  }

  /** Writes into `end-of-log` what is durable. */
  proveEnd(): Promise<void> {
    return this.#log.proveEnd();
  }

  /** Durable entries behind `after`, at least one if there is any; null if the log begins later. */
  read(after: bigint, maxBytes: number): Promise<readonly LogEntry[] | null> {
    return this.#gate.read(() => this.#log.read(after, maxBytes));
  }

  /** Makes the batches durable with one sync of the log. Only the first batch of a group has more than entries. */
  async commit(batches: readonly PersistBatch[]): Promise<void> {
    const first = batches[0]!;
    const { truncateAfter } = first;
    await this.#promise(first);
    if (truncateAfter !== undefined) await this.#truncate(truncateAfter);
    const lists = batches.map((batch) => batch.entries ?? []);
    this.#requireSuccession(lists);
    await this.#log.append(lists);
  }

  /** Writes a snapshot of the own state, and removes what no snapshot needs any more. */
  async writeSnapshot({ zxid, epochs, content, checkContent }: GivenSnapshot): Promise<void> {
    const { lastZxid, firstPrevZxid } = this.#log;
    if (zxid > lastZxid || zxid < this.#snapshots.newestZxid) {
      throw misuse(
        `a snapshot at ${hex(zxid)} fits neither the log, which ends at ${hex(lastZxid)}, nor the snapshots, which end at ${hex(this.#snapshots.newestZxid)}`,
      );
    }
    const header = { zxid, epochs, standsAlone: zxid === firstPrevZxid };
    const staged = await this.#snapshots.stage(this.#generation, header, content, checkContent);
    await this.#snapshots.publish(staged);
    await this.#purge();
  }

  /**
   * Puts a snapshot received from the leader in the place of the whole history. What `end-of-log` says is the switch: files of another
   * generation than that one do not count. It says before that the switch is under way, so that an old copy of it cannot be taken for an
   * interrupted switch; and it says afterwards twice that it is done, so that neither slot falls back to the files that are removed then.
   */
  async installSnapshot({ zxid, epochs, content, checkContent }: GivenSnapshot): Promise<void> {
    if (epochOf(zxid) > this.#promises.acceptedEpoch) {
      throw misuse(
        `a snapshot at ${hex(zxid)} cannot be installed while only ${this.#promises.acceptedEpoch} is promised`,
      );
    }
    const generation = this.#generation + 1;
    const header = { zxid, epochs, standsAlone: true };
    const staged = await this.#snapshots.stage(generation, header, content, checkContent);
    await this.#gate.alone(async () => {
      const old = this.#log;
      await old.announceSwitch();
      await this.#snapshots.publish(staged);
      const proven: LogEnd = { generation, zxid, newest: null };
      for (let slot = 0; slot < 2; slot++) await this.#logOptions.logEnd.write(proven);
      this.#generation = generation;
      const state = { generation, floor: zxid, segments: [], allocatedBytes: 0, proven };
      this.#log = new TransactionLog(this.#logOptions, state);
      await this.#snapshots.removeOlderThan(generation);
      await old.remove();
      await this.#directory.syncDirectory();
    });
    this.#logger.info('Installed a snapshot received from the leader', { zxid: hex(zxid) });
  }

  /** Records where the log ends, and closes its file. */
  close(): Promise<void> {
    return this.#gate.alone(() => this.#log.close());
  }

  /** Closes the file of the log as it is. */
  abandon(): Promise<void> {
    return this.#gate.alone(() => this.#log.abandon());
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
    const isMissing = mayHold !== undefined && this.#log.lastZxid < mayHold;
    const promises = { acceptedEpoch, rejoining, ...(isMissing ? { mayHold } : {}) };
    await writePromises(this.#directory, promises);
    this.#promises = promises;
  }

  async #truncate(zxid: bigint): Promise<void> {
    if (zxid < this.#snapshots.newestZxid || zxid < this.#log.firstPrevZxid) {
      throw misuse(
        `the log cannot be cut back to ${hex(zxid)}: the snapshot at ${hex(this.#snapshots.newestZxid)} holds what would go`,
      );
    }
    await this.#gate.alone(() => this.#log.truncateAfter(zxid));
  }

  /** A gap, a repetition or an epoch beyond the promise would be data loss later on: it stops here. */
  #requireSuccession(lists: readonly (readonly LogEntry[])[]): void {
    let last = this.#log.lastZxid;
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

  async #purge(): Promise<void> {
    const oldestKept = await this.#snapshots.purge(this.#snapshotsKept);
    if (oldestKept === null) return;
    const removed = await this.#log.purge(oldestKept);
    if (removed.length > 0) this.#logger.info('Removed log files that no snapshot needs', { files: removed });
  }
}

function opensLaterEpoch(zxid: bigint, last: bigint): boolean {
  return (zxid & 0xffffffffn) === 0n && zxid > last;
}

function hex(zxid: bigint): string {
  return `0x${zxid.toString(16)}`;
}
