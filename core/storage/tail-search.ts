import type { DiskFile } from './disk.js';
import { GROUP_MARK_BYTES, headerCheck, MARK_LENGTH, readGroupMark } from './group-mark.js';
import type { LogPosition } from './log-record.js';

const WINDOW_BYTES = 1024 * 1024;
/** Headers of records and marks stand at multiples of it. */
const ALIGNMENT = 8;
const ZEROS = Buffer.alloc(4096);

/** What stands behind the last record that verifies. */
export interface TailFindings {
  /** Highest offset that a header or a mark there shows to have been synced; 0 if none does. */
  readonly syncedTo: number;
  /** Where the last group ends whose mark is there, if that is behind the last record that verifies. */
  readonly missingGroupEnd: LogPosition | null;
  /** Nothing but zeros, a closing mark, and marks of groups that are there. */
  readonly isClean: boolean;
  /** Bytes up to the last one that is not zero. */
  readonly bytes: number;
}

/**
 * Searches the part of a segment behind the last record that verifies, a window at a time: files are preallocated, and may have
 * many megabytes of zeros there. Any header that verifies says how far the file had been synced when it was written.
 */
export class TailSearch {
  readonly #file: DiskFile;
  readonly #from: LogPosition;
  readonly #salt: number;
  #syncedTo = 0;
  #missingGroupEnd: LogPosition | null = null;
  #isClean = true;
  #bytes = 0;

  constructor(file: DiskFile, from: LogPosition, salt: number) {
    this.#file = file;
    this.#from = from;
    this.#salt = salt;
  }

  async run(limit: number): Promise<TailFindings> {
    const buffer = Buffer.alloc(WINDOW_BYTES + GROUP_MARK_BYTES);
    for (let at = this.#from.offset; at < limit;) {
      // Windows begin at blocks, so that no mark of a group lies in two. A record header may: it is read with the first of them.
      const next = (Math.floor(at / WINDOW_BYTES) + 1) * WINDOW_BYTES;
      const wanted = buffer.subarray(0, Math.min(next - at + GROUP_MARK_BYTES, limit - at));
      const read = await this.#file.read(at, wanted);
      this.#inspect(wanted.subarray(0, read), at, next - at);
      if (read < wanted.length) break;
      at = next;
    }
    return {
      syncedTo: this.#syncedTo,
      missingGroupEnd: this.#missingGroupEnd,
      isClean: this.#isClean,
      bytes: this.#bytes,
    };
  }

  /** `length`: how much of the window is its own; what follows belongs to the next one. */
  #inspect(window: Buffer, offset: number, length: number): void {
    const used = Math.min(length, endOfBytes(window));
    if (used === 0) return;
    this.#bytes = Math.max(this.#bytes, offset + used - this.#from.offset);
    for (let at = 0; at < used && at + GROUP_MARK_BYTES <= window.length; at += ALIGNMENT) {
      if (this.#isHeader(window, at, offset)) this.#note(window, at, offset);
    }
    if (endOfBytes(window.subarray(0, used)) > 0) this.#isClean = false;
  }

  #isHeader(window: Buffer, at: number, offset: number): boolean {
    const syncedTo = window.readUInt32LE(at + 12);
    const isPlausible = syncedTo > 0 && syncedTo <= offset + at;
    return isPlausible && window.readUInt32LE(at + 4) === headerCheck(window, at, this.#salt);
  }

  /**
   * A record, or the mark of a group, that is older than the last record that verifies was written to another file, whose block this file
   * was given when it grew: after a power failure a block that was never synced holds what it held before. It shows nothing of this file.
   * A closing mark of version 0.1.0 has no zxid.
   */
  #isStale(window: Buffer, at: number): boolean {
    const isClosingMark =
      window.readUInt32LE(at + 8) === MARK_LENGTH && readGroupMark(window, at, this.#salt) === null;
    return !isClosingMark && window.readBigUInt64LE(at + 16) < this.#from.zxid;
  }

  /** A mark of what is there counts as zeros from then on: it says nothing new. */
  #note(window: Buffer, at: number, offset: number): void {
    const mark = readGroupMark(window, at, this.#salt);
    const isClosingMark =
      offset + at === this.#from.offset &&
      window.readUInt32LE(at + 8) === MARK_LENGTH &&
      window.readUInt32LE(at + 12) === this.#from.offset;
    const isOfThePast = mark !== null && mark.end.offset <= this.#from.offset;
    if (isOfThePast || isClosingMark) return void window.fill(0, at, at + GROUP_MARK_BYTES);
    if (this.#isStale(window, at)) return;
    this.#syncedTo = Math.max(this.#syncedTo, window.readUInt32LE(at + 12));
    if (mark !== null && mark.end.offset > (this.#missingGroupEnd?.offset ?? 0))
      this.#missingGroupEnd = mark.end;
  }
}

/** How many bytes there are up to the last one that is not zero. */
function endOfBytes(content: Buffer): number {
  let end = content.length;
  while (end > 0) {
    const length = Math.min(ZEROS.length, end);
    if (content.compare(ZEROS, 0, length, end - length, end) !== 0) break;
    end -= length;
  }
  while (end > 0 && content[end - 1] === 0) end--;
  return end;
}
