import { silentLogger, type Logger } from '../runtime/index.js';
import { saltOf, type DirectoryContent } from './data-directory.js';
import { readExactly, withFile, type Directory, type DiskFile } from './disk.js';
import { epochOf, EpochTableBuilder } from './epoch-table.js';
import { damagedName, EPOCH_FILE, type HistoryFile } from './file-name.js';
import { noteProgress, readHeader, segmentOf, type Segment, type SegmentHeader } from './log-segment.js';
import { SegmentScan } from './segment-scan.js';
import { verifySnapshot, type SnapshotHeader } from './snapshot-file.js';
import { CorruptionError } from './storage-error.js';
import { reportingUnreadableBlocks } from './unreadable-blocks.js';
import type { ContentCheck, EpochTable, LogEntry } from './storage.js';
import type { LogState } from './transaction-log.js';

/** A history that has been read, verified, repaired and synced. */
export interface RecoveredHistory {
  readonly log: LogState;
  readonly snapshot: { readonly file: HistoryFile; readonly header: SnapshotHeader } | null;
  /** Of the newest generation that may serve as a fallback, oldest first. */
  readonly snapshots: readonly HistoryFile[];
  readonly epochs: EpochTable;
  /** Behind the snapshot, in order. Kept from the one time that the log is read, for whoever recovers needs all of them in memory. */
  readonly entries: readonly LogEntry[];
}

/**
 * Reads the history of a directory. What a crash can leave behind is repaired: a torn tail of the last segment
 * is cut, a segment that was never used goes, a half-written file goes. What a crash cannot explain is damage:
 * `CorruptionError`, and nothing on the disk has been changed.
 */
export async function recoverHistory(
  directory: Directory,
  content: DirectoryContent,
  options: { readonly logger: Logger; readonly checkContent?: ContentCheck | undefined },
): Promise<RecoveredHistory> {
  return new Recovery(directory, content, options).run();
}

/** Reads and verifies it in the same way, and changes nothing: says what recovery would cut off. Rejects with `CorruptionError`. */
export async function checkHistory(
  directory: Directory,
  content: DirectoryContent,
  checkContent?: ContentCheck,
): Promise<TornTail | null> {
  return new Recovery(directory, content, { logger: silentLogger, checkContent }).check();
}

/** What a crash left behind the last whole record. */
export interface TornTail {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

/** How the last segment ends. */
interface Tail {
  readonly segment: Segment;
  /** Up to there its own records prove that it was synced. */
  readonly syncedTo: number;
  /** What has to be cut off, once everything else has proved sound. */
  readonly torn: { readonly bytes: number; readonly reason: string } | null;
}

class Recovery {
  readonly #directory: Directory;
  readonly #content: DirectoryContent;
  readonly #logger: Logger;
  readonly #checkContent: ContentCheck | undefined;
  readonly #removals: string[];
  readonly #damagedSnapshots: { readonly file: HistoryFile; readonly error: CorruptionError }[] = [];
  readonly #entries: LogEntry[] = [];
  #tail: Tail | null = null;

  constructor(
    directory: Directory,
    content: DirectoryContent,
    options: { readonly logger: Logger; readonly checkContent?: ContentCheck | undefined },
  ) {
    this.#directory = reportingUnreadableBlocks(directory);
    this.#content = content;
    this.#logger = options.logger;
    this.#checkContent = options.checkContent;
    this.#removals = [...content.leftovers];
  }

  async run(): Promise<RecoveredHistory> {
    const { history, used } = await this.#examine();
    await this.#repair(used);
    return history;
  }

  async check(): Promise<TornTail | null> {
    await this.#examine();
    const tail = this.#tail;
    return tail?.torn ? { file: tail.segment.name, offset: tail.segment.end.offset, ...tail.torn } : null;
  }

  async #examine(): Promise<{ readonly history: RecoveredHistory; readonly used: readonly Segment[] }> {
    const segments = await this.#readSegments();
    const snapshot = await this.#chooseSnapshot();
    const base = snapshot?.header.zxid ?? 0n;
    this.#requireReach(segments, snapshot);
    const epochs = new EpochTableBuilder(snapshot?.header.epochs);
    for (const segment of segments) {
      const isLast = segment === segments.at(-1);
      if (isLast || segment.end.zxid > base) await this.#scan(segment, isLast, epochs, base);
    }
    const used = this.#dropUnusedSegment(segments);
    const lastZxid = used.at(-1)?.end.zxid ?? base;
    this.#requireNothingLost(lastZxid);
    const floor = used[0]?.start.zxid ?? base;
    const history = {
      log: { generation: this.#content.generation, floor, segments: used },
      snapshot,
      snapshots: this.#content.snapshots.filter(
        (file) => !this.#damagedSnapshots.some((damaged) => damaged.file === file),
      ),
      epochs: epochs.table(),
      entries: this.#entries,
    };
    return { history, used };
  }

  /** In order. Each but the last ends where the header of the next one says. */
  async #readSegments(): Promise<Segment[]> {
    const segments: Segment[] = [];
    const { logs, identity } = this.#content;
    for (const found of logs) {
      const reading = await readHeader(this.#directory, found, identity.id);
      if (reading.type === 'header') {
        this.#link(segments.at(-1), found, reading.header);
        segments.push(segmentOf(found.name, reading.header));
      } else if (reading.isEmpty && found === logs.at(-1)) {
        this.#removals.push(found.name);
      } else {
        throw this.#damage(found.name, 0, reading.reason);
      }
    }
    return segments;
  }

  #link(previous: Segment | undefined, found: HistoryFile, header: SegmentHeader): void {
    if (previous === undefined) return;
    if (header.prevZxid < previous.firstZxid || header.prevEnd <= previous.start.offset) {
      throw this.#damage(found.name, 0, `it does not continue ${previous.name}`);
    }
    previous.end = { offset: header.prevEnd, zxid: header.prevZxid, chain: header.chain };
  }

  /** The newest that verifies; damaged ones are remembered. */
  async #chooseSnapshot(): Promise<RecoveredHistory['snapshot']> {
    for (const file of [...this.#content.snapshots].reverse()) {
      try {
        const { id } = this.#content.identity;
        return { file, header: await verifySnapshot(this.#directory, file, id, this.#checkContent) };
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        const { reason, offset } = error.fields;
        this.#logger.warn('Snapshot is damaged; an older one is tried', { file: file.name, offset, reason });
        this.#damagedSnapshots.push({ file, error });
      }
    }
    return null;
  }

  /** The log must continue the snapshot, or the beginning of history, without a gap. */
  #requireReach(segments: readonly Segment[], snapshot: RecoveredHistory['snapshot']): void {
    const base = snapshot?.header.zxid ?? 0n;
    const first = segments[0];
    if (first !== undefined && first.start.zxid > base) {
      const reach = `the log begins behind 0x${first.start.zxid.toString(16)}, and no snapshot that verifies reaches up to there`;
      throw this.#snapshotDamage(reach) ?? this.#damage(first.name, 0, reach);
    }
    const newest = this.#content.snapshots.at(-1);
    if (first !== undefined || newest === undefined) return;
    const needsNoLog = snapshot?.file === newest && snapshot.header.standsAlone;
    if (needsNoLog) return;
    if (snapshot?.file === newest)
      throw this.#damage(newest.name, 0, 'the log that belongs to it is missing');
    throw this.#snapshotDamage('no log leads from an older snapshot to where it was')!;
  }

  /** What is wrong with the newest damaged snapshot, and why that matters; null if none is damaged. */
  #snapshotDamage(consequence: string): CorruptionError | null {
    const newest = this.#damagedSnapshots[0];
    if (newest === undefined) return null;
    const { offset, reason } = newest.error.fields as { offset?: number; reason: string };
    return this.#damage(newest.file.name, offset, `${reason}; ${consequence}`);
  }

  async #scan(segment: Segment, isLast: boolean, epochs: EpochTableBuilder, base: bigint): Promise<void> {
    const expectedEnd = segment.end;
    segment.end = segment.start;
    await withFile(this.#directory, segment.name, 'read', async (file) => {
      const limit = isLast ? await file.size() : expectedEnd.offset;
      const scan = new SegmentScan(file, {
        from: segment.start,
        limit,
        salt: saltOf(this.#content.identity),
      });
      for (let entries = await scan.next(); entries !== null; entries = await scan.next()) {
        for (const entry of entries) {
          const { zxid } = entry;
          noteProgress(segment, entry.next);
          if (zxid <= base) continue;
          epochs.add(zxid);
          this.#entries.push({ zxid, payload: entry.payload });
        }
      }
      if (isLast) await this.#judgeTail(segment, scan);
      else this.#requireEnd(segment, scan, expectedEnd.chain);
    });
  }

  #requireEnd(segment: Segment, scan: SegmentScan, chain: number): void {
    const { position, fault } = scan;
    if (fault === null && position.chain === chain) return;
    throw this.#damage(segment.name, position.offset, fault ?? 'the next segment does not continue it');
  }

  async #judgeTail(segment: Segment, scan: SegmentScan): Promise<void> {
    const rest = await scan.inspectRest();
    if (rest.wasSynced) {
      const reason = scan.fault ?? 'a record is missing';
      throw this.#damage(
        segment.name,
        scan.position.offset,
        `${reason}, and records behind it prove that it was there`,
      );
    }
    const torn = rest.isClean ? null : { bytes: rest.bytes, reason: scan.fault ?? 'bytes behind the end' };
    this.#tail = { segment, syncedTo: scan.syncedTo, torn };
  }

  /** A segment is started just before its first record is written: one without records holds nothing. */
  #dropUnusedSegment(segments: readonly Segment[]): readonly Segment[] {
    const last = segments.at(-1);
    if (last === undefined || last.end !== last.start) return segments;
    this.#removals.push(last.name);
    this.#tail = null;
    return segments.slice(0, -1);
  }

  /** What snapshots and promises prove to have been there is there. */
  #requireNothingLost(lastZxid: bigint): void {
    const newest = this.#content.snapshots.at(-1);
    if (newest !== undefined && newest.zxid > lastZxid) {
      throw this.#damage(
        newest.name,
        0,
        `the log ends at 0x${lastZxid.toString(16)}, before the snapshot, and so has lost its end`,
      );
    }
    const { acceptedEpoch } = this.#content.promises;
    if (epochOf(lastZxid) > acceptedEpoch) {
      throw this.#damage(
        EPOCH_FILE,
        0,
        `it promises epoch ${acceptedEpoch} while the history reaches epoch ${epochOf(lastZxid)}: it is an old copy`,
      );
    }
  }

  /** Nothing that was found may be promised before it is durable: it may have been read from a cache that a dead process left behind. */
  async #repair(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) {
      await withFile(this.#directory, segment.name, 'write', async (file) => {
        if (this.#tail?.segment === segment) await this.#repairTail(file, this.#tail);
        await file.sync();
      });
    }
    await this.#directory.syncDirectory();
    for (const name of this.#removals) await this.#directory.remove(name);
    for (const { file } of this.#damagedSnapshots) {
      await this.#directory.rename(file.name, damagedName(file.name));
    }
    if (this.#removals.length + this.#damagedSnapshots.length > 0) await this.#directory.syncDirectory();
  }

  /**
   * Cuts what is torn, and writes once more what does not prove to have been synced: if the sync of these records
   * failed and that ended the process, the system may hold them in memory as if they had been written, and
   * report success for every later sync. Written again, they make the next sync a true one.
   */
  async #repairTail(file: DiskFile, { segment, syncedTo, torn }: Tail): Promise<void> {
    const { offset } = segment.end;
    if (torn !== null) {
      await file.truncate(offset);
      const fields = { file: segment.name, offset, ...torn };
      this.#logger.warn('Cut a torn tail off the log; nothing in it was ever acknowledged', fields);
    }
    const from = Math.max(segment.start.offset, syncedTo);
    const unproven = from < offset ? await readExactly(file, from, offset - from) : null;
    if (unproven !== null) await file.write(from, unproven);
  }

  #damage(file: string, offset: number | undefined, reason: string): CorruptionError {
    const place = offset === undefined ? {} : { offset };
    return new CorruptionError({ location: this.#directory.location, file, reason, ...place });
  }
}
