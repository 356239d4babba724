import type { DiskFile } from './disk.js';
import { decodeRecord, type LogPosition } from './log-record.js';
import { TailSearch, type TailFindings } from './tail-search.js';
import type { LogEntry } from './storage.js';

/** Read at once; more only for a record that is larger. */
const WINDOW_BYTES = 1024 * 1024;

/** An entry and where it ends. Its payload is a view of a buffer that nobody writes to again. */
export interface ScannedEntry extends LogEntry {
  readonly next: LogPosition;
}

/** Reads a segment's records in order, verifying each, a window at a time. */
export class SegmentScan {
  readonly #file: DiskFile;
  readonly #salt: number;
  /** Reading stops there even if more follows. */
  readonly #limit: number;
  #position: LogPosition;
  #windowBytes = WINDOW_BYTES;
  #fault: string | null = null;
  #syncedTo = 0;
  #hasEnded = false;
  #isClosed = false;

  constructor(
    file: DiskFile,
    options: { readonly from: LogPosition; readonly limit: number; readonly salt: number },
  ) {
    this.#file = file;
    this.#position = options.from;
    this.#limit = options.limit;
    this.#salt = options.salt;
  }

  /** Behind the last record that verified. */
  get position(): LogPosition {
    return this.#position;
  }

  /** What is wrong with the record at `position`; null when the log simply ends there. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Offset up to which the records read so far, or a closing mark behind them, prove that the file was synced. */
  get syncedTo(): number {
    return this.#syncedTo;
  }

  /** A closing mark of version 0.1.0 stands at `position`. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The next entries, at least one; null at the end or at the first fault. */
  async next(): Promise<readonly ScannedEntry[] | null> {
    while (!this.#hasEnded) {
      const entries = await this.#readWindow();
      if (entries.length > 0) return entries;
    }
    return null;
  }

  /** Searches what stands behind `position`, up to the limit. */
  inspectRest(): Promise<TailFindings> {
    return new TailSearch(this.#file, this.#position, this.#salt).run(this.#limit);
  }

  async #readWindow(): Promise<ScannedEntry[]> {
    const { offset } = this.#position;
    const window = Buffer.allocUnsafe(Math.min(this.#windowBytes, Math.max(0, this.#limit - offset)));
    const read = await this.#file.read(offset, window);
    const isLast = read < window.length || offset + read >= this.#limit;
    return this.#decode(window.subarray(0, read), isLast);
  }

  #decode(window: Buffer, isLast: boolean): ScannedEntry[] {
    const entries: ScannedEntry[] = [];
    const { offset } = this.#position;
    for (;;) {
      const at = this.#position.offset - offset;
      const decoded = decodeRecord(window, at, this.#position, this.#salt);
      if (decoded.type === 'record') {
        entries.push(decoded);
        this.#position = decoded.next;
        this.#syncedTo = decoded.syncedTo;
        continue;
      }
      if (decoded.type === 'partial' && !isLast) {
        this.#windowBytes = Math.max(WINDOW_BYTES, decoded.bytes);
        return entries;
      }
      this.#hasEnded = true;
      if (decoded.type === 'end' && decoded.isClosed) {
        this.#syncedTo = this.#position.offset;
        this.#isClosed = true;
      }
      if (decoded.type === 'damaged') this.#fault = decoded.reason;
      if (decoded.type === 'partial' && at < window.length) this.#fault = 'the file ends within a record';
      return entries;
    }
  }
}
