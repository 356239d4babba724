import type { Directory, DiskFile } from './disk.js';
import { withFile } from './disk.js';
import { LOG_END_FILE } from './file-name.js';
import { GROUP_MARK_ROOM } from './group-mark.js';
import type { LogEnd, LogEndWriter } from './log-end.js';
import { recordBytes, RecordWriter, type LogPosition } from './log-record.js';
import {
  createSegment,
  endAt,
  isCurrentFormat,
  noteProgress,
  positionBefore,
  SEGMENT_HEADER_BYTES,
  writeZeros,
  type Segment,
} from './log-segment.js';
import { SegmentScan, type ScannedEntry } from './segment-scan.js';
import { CorruptionError, DiskFullError, toStorageError, type StorageError } from './storage-error.js';
import type { LogEntry } from './storage.js';

/** Kept between appends; a larger group gets a buffer of its own. */
const KEPT_BUFFER_BYTES = 1024 * 1024;
/** Files are extended by so much at a time, so that most syncs find nothing but data to write. */
const LARGEST_EXTENSION_BYTES = 4 * 1024 * 1024;
const EXTENSIONS_PER_SEGMENT = 16;

export interface LogOptions {
  readonly directory: Directory;
  readonly directoryId: Uint8Array;
  readonly salt: number;
  /** Of the same directory. */
  readonly logEnd: LogEndWriter;
  /** A segment that has grown so large is followed by a new one. */
  readonly segmentBytes: number;
}

/** What a log begins with: segments in order, each continuing the one before. */
export interface LogState {
  readonly generation: number;
  /** zxid before the first entry. */
  readonly floor: bigint;
  readonly segments: readonly Segment[];
  /** Size of the last segment's file; 0 without one. */
  readonly allocatedBytes: number;
  /** What the file `end-of-log` says. */
  readonly proven: LogEnd;
}

/**
 * The entries of one generation, in segment files. Appends, truncations, `proveEnd` and `close` are called one at a time;
 * `read` and `purge` may run beside appends. Positions in memory only ever describe what has been synced.
 */
export class TransactionLog {
  readonly #options: LogOptions;
  readonly #generation: number;
  readonly #floor: bigint;
  readonly #extensionBytes: number;
  #segments: Segment[];
  /** The last segment, open for writing; null until the first append. */
  #file: DiskFile | null = null;
  /** Size of the last segment's file. */
  #allocatedBytes: number;
  #proven: LogEnd;
  readonly #buffer = Buffer.allocUnsafeSlow(KEPT_BUFFER_BYTES);

  constructor(options: LogOptions, state: LogState) {
    this.#options = options;
    this.#generation = state.generation;
    this.#floor = state.floor;
    this.#segments = [...state.segments];
    this.#allocatedBytes = state.allocatedBytes;
    this.#proven = state.proven;
    this.#extensionBytes = Math.min(
      LARGEST_EXTENSION_BYTES,
      Math.ceil(options.segmentBytes / EXTENSIONS_PER_SEGMENT),
    );
  }

  /** zxid of the last durable entry; the floor if there is none. */
  get lastZxid(): bigint {
    return this.#segments.at(-1)?.end.zxid ?? this.#floor;
  }

  /** zxid before the first entry that is still there. */
  get firstPrevZxid(): bigint {
    return this.#segments[0]?.start.zxid ?? this.#floor;
  }

  /** Something has become durable that `end-of-log` does not say yet. */
  get isUnproven(): boolean {
    const position = this.#segments.at(-1)?.end;
    if (this.#proven.isSwitching === true) return true;
    return this.#proven.zxid !== this.lastZxid || this.#proven.newest?.position.offset !== position?.offset;
  }

  /** Appends all lists, in one write and one sync. Rejects with a `StorageError`, after which the log is not to be used. */
  async append(lists: readonly (readonly LogEntry[])[]): Promise<void> {
    const first = lists.find((list) => list.length > 0)?.[0];
    if (first === undefined) return;
    const { file, segment } = await this.#writable(first.zxid);
    const writer = this.#encode(lists, segment.end);
    const bytes = writer.finish();
    const before = this.#allocatedBytes;
    try {
      await this.#writeDurably(file, segment.end.offset, bytes);
    } catch (error) {
      const failure = this.#failure(error, 'appending to', segment.name);
      if (failure instanceof DiskFullError) await this.#undoAppend(file, segment, before, bytes.length);
      throw failure;
    }
    noteProgress(segment, writer.end);
    if (this.#allocatedBytes > before) await this.proveEnd();
  }

  /**
   * Writes into `end-of-log` what is durable. To be called when nothing is appended for a while: until then the next group proves it.
   * Rejects with a `StorageError`, after which the log is not to be used.
   */
  async proveEnd(): Promise<void> {
    await this.#claim(this.#segments.at(-1));
  }

  /** Writes into `end-of-log` that a snapshot of the next generation is about to be there. Rejects as `proveEnd` does. */
  async announceSwitch(): Promise<void> {
    await this.#write({ ...this.#proven, isSwitching: true });
  }

  /**
   * Durably removes every entry behind `zxid`: from the end, so that a crash leaves a log without a hole. What is about to be removed
   * is no longer claimed to be there from the beginning on.
   */
  async truncateAfter(zxid: bigint): Promise<void> {
    const { directory } = this.#options;
    const kept = this.#segments.findLast((segment) => segment.firstZxid <= zxid);
    const isWhole = kept === undefined || kept.end.zxid <= zxid;
    if (isWhole && kept === this.#segments.at(-1)) return;
    await this.#closeFile();
    const cut = kept === undefined || isWhole ? kept?.end : await this.#findEnd(kept, zxid);
    await this.#claim(kept, cut, cut?.offset);
    for (let last = this.#segments.at(-1); last !== kept; last = this.#segments.at(-1)) {
      await directory.remove(last!.name);
      await directory.syncDirectory();
      this.#segments.pop();
    }
    this.#allocatedBytes = kept === undefined ? 0 : await sizeOfFile(directory, kept.name);
    if (isWhole) return;
    await withFile(directory, kept.name, 'write', async (file) => {
      await file.truncate(cut!.offset);
      await file.sync();
    });
    endAt(kept, cut!);
    this.#allocatedBytes = cut!.offset;
  }

  /** Durable entries behind `after`, at least one if there is any; null if the log begins later. */
  async read(after: bigint, maxBytes: number): Promise<readonly LogEntry[] | null> {
    if (after < this.firstPrevZxid) return null;
    const found: LogEntry[] = [];
    let budget = maxBytes;
    for await (const entry of this.entries(after)) {
      budget -= recordBytes(entry.payload.length);
      if (budget < 0 && found.length > 0) break;
      found.push(entry);
    }
    return found;
  }

  /** All durable entries behind `after`, in order. Segments are not purged from under it. */
  async *entries(after: bigint): AsyncGenerator<LogEntry, void> {
    const segments = this.#segments.filter((segment) => segment.end.zxid > after);
    for (const segment of segments) segment.readers++;
    try {
      for (const segment of segments) {
        for await (const entry of this.#scan(segment, positionBefore(segment, after))) {
          if (entry.zxid > after) yield { zxid: entry.zxid, payload: entry.payload };
        }
      }
    } finally {
      for (const segment of segments) segment.readers--;
    }
  }

  /**
   * Removes segments that hold nothing from `zxid` on; never the last one, nor one that is being read. The entry
   * at `zxid` itself stays, so that even a log cut back to it is not empty: an empty one would look lost.
   */
  async purge(zxid: bigint): Promise<readonly string[]> {
    const { directory } = this.#options;
    const removed: string[] = [];
    for (;;) {
      const [oldest, next] = this.#segments;
      if (oldest === undefined || next === undefined) return removed;
      if (oldest.end.zxid >= zxid || oldest.readers > 0) return removed;
      this.#segments.shift();
      removed.push(oldest.name);
      await directory.remove(oldest.name);
      // One at a time: a crash must not keep an older one and lose a newer one.
      await directory.syncDirectory();
    }
  }

  /** Records where the log ends, so that later damage to its last records is known for what it is, and closes the file. */
  async close(): Promise<void> {
    await this.proveEnd();
    await this.#closeFile();
  }

  /** Removes every file: another generation has replaced it. */
  async remove(): Promise<void> {
    await this.#closeFile();
    for (const segment of this.#segments.splice(0)) await this.#options.directory.remove(segment.name);
  }

  /** Lets go of the file as it is. */
  async abandon(): Promise<void> {
    await this.#closeFile().catch(() => undefined);
  }

  async #writable(nextZxid: bigint): Promise<{ readonly file: DiskFile; readonly segment: Segment }> {
    const last = this.#segments.at(-1);
    if (last === undefined || last.end.offset >= this.#options.segmentBytes || !isCurrentFormat(last)) {
      return this.#roll(nextZxid, last);
    }
    try {
      this.#file ??= await this.#options.directory.open(last.name, 'write');
    } catch (error) {
      throw this.#failure(error, 'opening', last.name);
    }
    return { file: this.#file, segment: last };
  }

  async #roll(
    nextZxid: bigint,
    last: Segment | undefined,
  ): Promise<{ readonly file: DiskFile; readonly segment: Segment }> {
    const { directory, directoryId } = this.#options;
    const previous = last?.end ?? { offset: 0, zxid: this.#floor, chain: 0 };
    try {
      await this.#closeFile();
      const { file, segment } = await createSegment(directory, {
        generation: this.#generation,
        header: {
          firstZxid: nextZxid,
          prevZxid: previous.zxid,
          chain: previous.chain,
          prevEnd: previous.offset,
        },
        directoryId,
        allocateBytes: this.#extensionBytes,
      });
      this.#file = file;
      this.#allocatedBytes = Math.max(SEGMENT_HEADER_BYTES, this.#extensionBytes);
      this.#segments.push(segment);
      // Before anything is acknowledged in it: that it is missing would not show otherwise.
      await this.proveEnd();
      return { file, segment };
    } catch (error) {
      throw this.#failure(error, 'starting a new segment behind', last?.name ?? 'the beginning of the log');
    }
  }

  #encode(lists: readonly (readonly LogEntry[])[], start: LogPosition): RecordWriter {
    const writer = new RecordWriter(
      this.#bufferOf(sizeOf(lists) + GROUP_MARK_ROOM),
      start,
      this.#options.salt,
    );
    for (const list of lists) for (const { zxid, payload } of list) writer.add(zxid, payload);
    return writer;
  }

  #bufferOf(bytes: number): Buffer {
    return bytes <= this.#buffer.length ? this.#buffer : Buffer.allocUnsafeSlow(bytes);
  }

  /** One trip to the disk unless the file has to grow for it. */
  async #writeDurably(file: DiskFile, at: number, bytes: Uint8Array): Promise<void> {
    const end = at + bytes.length;
    if (end <= this.#allocatedBytes) return file.writeThrough(at, bytes);
    await file.write(at, bytes);
    await this.#extendBehind(file, end);
    await file.syncData();
  }

  async #extendBehind(file: DiskFile, end: number): Promise<void> {
    const extended = Math.max(end, Math.min(end + this.#extensionBytes, this.#options.segmentBytes));
    await writeZeros(file, end, extended);
    this.#allocatedBytes = extended;
  }

  /** Leaves nothing half-written if the disk allows it; if not, recovery cuts it. */
  async #undoAppend(file: DiskFile, segment: Segment, size: number, bytes: number): Promise<void> {
    const { offset } = segment.end;
    try {
      await file.truncate(size);
      await writeZeros(file, offset, Math.min(size, offset + bytes));
      await file.sync();
      this.#allocatedBytes = size;
      await this.proveEnd();
    } catch {
      // The first error is the one that counts.
    }
  }

  /** Writes into `end-of-log` that `newest` reaches `position` and is so large, unless it says so. */
  async #claim(
    newest: Segment | undefined,
    position = newest?.end,
    allocatedBytes = this.#allocatedBytes,
  ): Promise<void> {
    const zxid = position?.zxid ?? this.#floor;
    const claimed = { firstZxid: newest?.firstZxid ?? 0n, allocatedBytes, position: position! };
    const end = { generation: this.#generation, zxid, newest: newest === undefined ? null : claimed };
    if (!isSameEnd(end, this.#proven)) await this.#write(end);
  }

  async #write(end: LogEnd): Promise<void> {
    try {
      await this.#options.logEnd.write(end);
    } catch (error) {
      throw this.#failure(error, 'writing', LOG_END_FILE);
    }
    this.#proven = end;
  }

  async #findEnd(segment: Segment, zxid: bigint): Promise<LogPosition> {
    let end = positionBefore(segment, zxid);
    for await (const entry of this.#scan(segment, end)) {
      if (entry.zxid > zxid) break;
      end = entry.next;
    }
    return end;
  }

  /** The segment's durable records from `from` on; anything else than all of them is damage. */
  async *#scan(segment: Segment, from: LogPosition): AsyncGenerator<ScannedEntry, void> {
    const { directory, salt } = this.#options;
    const end = segment.end;
    const file = await directory.open(segment.name, 'read');
    try {
      const scan = new SegmentScan(file, { from, limit: end.offset, salt });
      for (let entries = await scan.next(); entries !== null; entries = await scan.next()) yield* entries;
      if (scan.position.offset !== end.offset) throw this.#damage(segment, scan);
    } finally {
      await file.close();
    }
  }

  #damage(segment: Segment, scan: SegmentScan): CorruptionError {
    return new CorruptionError({
      location: this.#options.directory.location,
      file: segment.name,
      offset: scan.position.offset,
      reason: scan.fault ?? 'the log ends before it should',
    });
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  #failure(error: unknown, doing: string, file: string): StorageError {
    return toStorageError(error, { location: this.#options.directory.location, doing, file });
  }
}

function isSameEnd(a: LogEnd, b: LogEnd): boolean {
  return (
    a.generation === b.generation &&
    a.isSwitching === b.isSwitching &&
    a.zxid === b.zxid &&
    a.newest?.firstZxid === b.newest?.firstZxid &&
    a.newest?.allocatedBytes === b.newest?.allocatedBytes &&
    a.newest?.position.offset === b.newest?.position.offset
  );
}

function sizeOfFile(directory: Directory, name: string): Promise<number> {
  return withFile(directory, name, 'read', (file) => file.size());
}

function sizeOf(lists: readonly (readonly LogEntry[])[]): number {
  let bytes = 0;
  for (const list of lists) for (const entry of list) bytes += recordBytes(entry.payload.length);
  return bytes;
}
