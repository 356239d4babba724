import { saltOf, type DirectoryContent } from './data-directory.js';
import { withFile, type Directory } from './disk.js';
import { judgeEnd, type EndVerdict } from './end-verdict.js';
import type { EpochTableBuilder } from './epoch-table.js';
import { fileName, type HistoryFile } from './file-name.js';
import {
  noteProgress,
  readHeader,
  segmentOf,
  type HeaderReading,
  type Segment,
  type SegmentHeader,
} from './log-segment.js';
import { SegmentScan } from './segment-scan.js';
import { CorruptionError } from './storage-error.js';
import type { LogEntry } from './storage.js';

/** How the newest segment ends. */
export interface Tail {
  readonly segment: Segment;
  readonly fileBytes: number;
  /** Up to there it is known to have been synced. */
  readonly syncedTo: number;
  /** So large the file is known to be durably. */
  readonly provenBytes: number;
  /** Bytes behind the last whole record that are not zero, up to the last of them. */
  readonly bytes: number;
  readonly verdict: Exclude<EndVerdict, { type: 'damaged' }>;
}

/** Finds and verifies the segments of a log. Changes nothing; rejects with `CorruptionError` if records are lost. */
export class LogRecovery {
  readonly #directory: Directory;
  readonly #content: DirectoryContent;
  /** Segments that nothing needs, for a snapshot covers them, and that are damaged or lead nowhere. */
  readonly superseded: string[] = [];
  /** Segments of version 0.1.0 that were never used. */
  readonly unused: string[] = [];
  /** Entries behind the snapshot, in order. */
  readonly entries: LogEntry[] = [];
  tail: Tail | null = null;

  constructor(directory: Directory, content: DirectoryContent) {
    this.#directory = directory;
    this.#content = content;
  }

  /**
   * The segments in order. Each but the last ends where the header of the next one says. What a snapshot at `base` covers may be
   * damaged: the segments from the next sound one on are enough then.
   */
  async readSegments(base: bigint): Promise<Segment[]> {
    let segments: Segment[] = [];
    let fault: CorruptionError | null = null;
    for (const found of this.#content.logs) {
      const reading = await this.#headerOf(found);
      if (reading.type === 'damaged') {
        if (this.#isUnused(reading, found)) this.unused.push(found.name);
        else {
          fault ??= this.#damage(found.name, 0, reading.reason);
          this.superseded.push(...segments.map(({ name }) => name), found.name);
          segments = [];
        }
        continue;
      }
      fault ??= this.#linkFault(segments.at(-1), found, reading.header);
      if (fault !== null && reading.header.prevZxid > base) throw fault;
      if (fault !== null) this.superseded.push(...segments.splice(0).map(({ name }) => name));
      fault = null;
      segments.push(segmentOf(found.name, reading.header));
    }
    if (fault !== null) throw fault;
    this.#requireNewest(segments);
    return segments;
  }

  /** Reads the records of a segment; keeps the entries behind `base`. */
  async scan(
    segment: Segment,
    options: { readonly isLast: boolean; readonly base: bigint; readonly epochs: EpochTableBuilder },
  ): Promise<void> {
    const { isLast, base, epochs } = options;
    const expectedEnd = segment.end;
    segment.end = segment.start;
    await withFile(this.#directory, segment.name, 'read', async (file) => {
      const fileBytes = await file.size();
      const limit = isLast ? fileBytes : expectedEnd.offset;
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
          this.entries.push({ zxid, payload: entry.payload });
        }
      }
      if (isLast) this.tail = await this.#judgeTail(segment, scan, fileBytes);
      else this.#requireEnd(segment, scan, expectedEnd.chain);
    });
  }

  /** A header whose block cannot be read is damaged like any other. */
  async #headerOf(found: HistoryFile): Promise<HeaderReading> {
    try {
      return await readHeader(this.#directory, found, this.#content.identity.id);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      return { type: 'damaged', isEmpty: false, reason: String(error.fields.reason) };
    }
  }

  /** Version 0.1.0 made a segment under its own name, so that a crash could leave one without a header. */
  #isUnused(reading: HeaderReading & { type: 'damaged' }, found: HistoryFile): boolean {
    return this.#content.end === null && reading.isEmpty && found === this.#content.logs.at(-1);
  }

  /** Links a segment to the one before; returns why that is impossible, or null. */
  #linkFault(
    previous: Segment | undefined,
    found: HistoryFile,
    header: SegmentHeader,
  ): CorruptionError | null {
    if (previous === undefined) return null;
    if (header.prevZxid < previous.firstZxid || header.prevEnd <= previous.start.offset) {
      return this.#damage(found.name, 0, `it does not continue ${previous.name}`);
    }
    previous.end = { offset: header.prevEnd, zxid: header.prevZxid, chain: header.chain };
    return null;
  }

  /** The segment that `end-of-log` names is there. */
  #requireNewest(segments: readonly Segment[]): void {
    const { end, generation } = this.#content;
    if (end === null || end.newest === null) return;
    const { firstZxid } = end.newest;
    const name = fileName('log', generation, firstZxid);
    if (segments.some((segment) => segment.name === name) || this.superseded.includes(name)) return;
    throw this.#damage(name, undefined, 'it is missing, and it was the newest file of the log');
  }

  #requireEnd(segment: Segment, scan: SegmentScan, chain: number): void {
    const { position, fault } = scan;
    if (fault === null && position.chain === chain) return;
    throw this.#damage(segment.name, position.offset, fault ?? 'the next segment does not continue it');
  }

  async #judgeTail(segment: Segment, scan: SegmentScan, fileBytes: number): Promise<Tail> {
    const { end, promises } = this.#content;
    const { position, fault } = scan;
    const rest = await scan.inspectRest();
    const proven = end?.newest?.firstZxid === segment.firstZxid ? end.newest : null;
    const verdict = judgeEnd({
      position,
      fault,
      isClean: fault === null && rest.isClean,
      syncedTo: rest.syncedTo,
      missingGroupEnd: rest.missingGroupEnd,
      fileBytes,
      proven,
      oldFormat:
        end !== null
          ? null
          : {
              isClosed: scan.isClosed,
              highestPromised: (BigInt(promises.acceptedEpoch) << 32n) | 0xffffffffn,
            },
    });
    if (verdict.type === 'damaged') throw this.#damage(segment.name, position.offset, verdict.reason);
    const syncedTo = Math.max(scan.syncedTo, proven?.position.offset ?? 0);
    const provenBytes = proven?.allocatedBytes ?? 0;
    return { segment, fileBytes, syncedTo, provenBytes, bytes: rest.isClean ? 0 : rest.bytes, verdict };
  }

  #damage(file: string, offset: number | undefined, reason: string): CorruptionError {
    const place = offset === undefined ? {} : { offset };
    return new CorruptionError({ location: this.#directory.location, file, reason, ...place });
  }
}
