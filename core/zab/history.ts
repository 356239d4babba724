import type { EpochEnd, EpochTable } from './epoch-table.js';
import type { Entry, RestoredHistory } from './peer-config.js';
import { invariant } from './zab-error.js';
import { epochOf, isEpochMarker, isSuccessor, minZxid } from './zxid.js';

/** How many applied entries stay in memory. */
export interface HistoryWindow {
  readonly windowEntries: number;
  readonly windowBytes: number;
}

/** What takes the place of a trimmed entry until the array is cut. */
const TRIMMED: Entry = { zxid: 0n, payload: new Uint8Array(0) };

/**
 * This member's history as it is in memory: the newest entries themselves, and for everything before them the
 * table of epochs. The entries are contiguous by construction (ZOOKEEPER-4925: a window with a gap lost
 * transactions on every learner fed from it), so a range of them can be sent without looking again.
 */
export class History {
  readonly #window: HistoryWindow;
  #entries: Entry[];
  /** Where the live part of `#entries` begins; what lies before was trimmed and is cut off in larger steps. */
  #head = 0;
  /** The zxid before the first entry held. */
  #base: bigint;
  #bytes = 0;
  /** Each an object of this history's own: the last one's `lastZxid` moves on. */
  #epochs: { readonly epoch: number; lastZxid: bigint }[];
  #snapshotZxid: bigint;

  constructor(restored: RestoredHistory, window: HistoryWindow) {
    this.#window = window;
    this.#base = restored.snapshotZxid;
    this.#snapshotZxid = restored.snapshotZxid;
    this.#epochs = copyOf(restored.epochs);
    this.#entries = [];
    for (const entry of restored.entries) this.append(entry);
  }

  /** The last entry, durable or not. */
  get last(): bigint {
    return this.#epochs.at(-1)?.lastZxid ?? 0n;
  }

  /** Entries behind this one are in memory. */
  get base(): bigint {
    return this.#base;
  }

  get snapshotZxid(): bigint {
    return this.#snapshotZxid;
  }

  /** There is no transaction in it; markers do not count. */
  get isBlank(): boolean {
    return this.#epochs.every(({ lastZxid }) => isEpochMarker(lastZxid));
  }

  /** Payloads of the markers behind `after`, which must not lie below what is held in memory. */
  markersBehind(after: bigint): readonly Uint8Array[] {
    return this.#entries
      .slice(this.#indexAfter(after))
      .filter(({ zxid }) => isEpochMarker(zxid))
      .map(({ payload }) => payload);
  }

  /** As it is now, and not as it will be: to be looked at at once. */
  get epochs(): EpochTable {
    return this.#epochs;
  }

  append(entry: Entry): void {
    const { zxid } = entry;
    const newest = this.#epochs.at(-1);
    const last = newest?.lastZxid ?? 0n;
    if (!isSuccessor(zxid, last)) invariant(false, 'an entry must follow the one before it', { zxid, last });
    if (newest === undefined || isEpochMarker(zxid))
      this.#epochs.push({ epoch: epochOf(zxid), lastZxid: zxid });
    else newest.lastZxid = zxid;
    this.#entries.push(entry);
    this.#bytes += entry.payload.length;
  }

  /** Removes everything behind `zxid`, which must be an entry of this history and not lie below what is held in memory. */
  truncateAfter(zxid: bigint): void {
    invariant(this.contains(zxid), 'a history is cut at one of its own entries', { zxid, last: this.last });
    invariant(zxid >= this.#snapshotZxid, 'a snapshot cannot be cut', {
      zxid,
      snapshotZxid: this.#snapshotZxid,
    });
    invariant(zxid >= this.#base, 'what was applied cannot be cut', { zxid, base: this.#base });
    const end = this.#indexAfter(zxid);
    for (let index = end; index < this.#entries.length; index++)
      this.#bytes -= this.#entries[index]!.payload.length;
    this.#entries.length = end;
    this.#epochs = epochsUpTo(this.#epochs, zxid);
  }

  /** Puts a received snapshot in the place of everything. */
  replaceBySnapshot(zxid: bigint, epochs: EpochTable): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#base = zxid;
    this.#snapshotZxid = zxid;
    this.#epochs = copyOf(epochs);
  }

  /** The caller's own snapshot at `zxid` is durable; the log may lose what is before it. */
  noteSnapshot(zxid: bigint): void {
    invariant(this.contains(zxid), 'a snapshot must be of this history', { zxid, last: this.last });
    if (zxid > this.#snapshotZxid) this.#snapshotZxid = zxid;
  }

  contains(zxid: bigint): boolean {
    if (zxid === 0n) return true;
    const epoch = epochOf(zxid);
    const end = this.#epochs.find((candidate) => candidate.epoch === epoch);
    return end !== undefined && zxid <= end.lastZxid;
  }

  /** Whether `zxid` stands directly behind `previous` in this very history. */
  follows(zxid: bigint, previous: bigint): boolean {
    if (!this.contains(zxid) || !isSuccessor(zxid, previous)) return false;
    if (zxid === previous + 1n) return true;
    const index = this.#epochs.findIndex((end) => end.epoch === epochOf(zxid));
    return (this.#epochs[index - 1]?.lastZxid ?? 0n) === previous;
  }

  /** The table of this history's epochs as it was when `zxid` was its last entry. */
  epochsUpTo(zxid: bigint): EpochTable {
    invariant(this.contains(zxid), 'a table of epochs ends at an entry', { zxid, last: this.last });
    return epochsUpTo(this.#epochs, zxid);
  }

  /**
   * Entries behind `after` and up to `upTo`, oldest first, `maxEntries` at most, and as many as fit in `maxBytes` (one at least); null if
   * they do not all lie in memory any more.
   */
  read(
    after: bigint,
    upTo: bigint,
    { maxBytes, maxEntries = Infinity }: { readonly maxBytes: number; readonly maxEntries?: number },
  ): readonly Entry[] | null {
    if (after < this.#base) return null;
    const start = this.#indexAfter(after);
    const last = Math.min(this.#entries.length, start + maxEntries);
    let end = start;
    for (let bytes = 0; end < last; end++) {
      const entry = this.#entries[end]!;
      bytes += entry.payload.length;
      if (entry.zxid > upTo || (bytes > maxBytes && end > start)) break;
    }
    return this.#entries.slice(start, end);
  }

  /** Forgets the oldest entries up to `applied` that exceed the window. */
  trim(applied: bigint): void {
    const { windowEntries, windowBytes } = this.#window;
    while (this.#head < this.#entries.length) {
      const oldest = this.#entries[this.#head]!;
      const isWithin = this.#entries.length - this.#head <= windowEntries && this.#bytes <= windowBytes;
      if (isWithin || oldest.zxid > applied) break;
      this.#base = oldest.zxid;
      this.#bytes -= oldest.payload.length;
      // Its bytes are let go of at once: until the array is cut, a thousand large entries would stay.
      this.#entries[this.#head] = TRIMMED;
      this.#head += 1;
    }
    if (this.#head < 1024 || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  /** Index of the first held entry behind `zxid`. */
  #indexAfter(zxid: bigint): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.zxid <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function copyOf(epochs: EpochTable): EpochEnd[] {
  return epochs.map(({ epoch, lastZxid }) => ({ epoch, lastZxid }));
}

function epochsUpTo(epochs: EpochTable, zxid: bigint): EpochEnd[] {
  return epochs
    .filter((end) => end.epoch <= epochOf(zxid))
    .map((end) => ({ epoch: end.epoch, lastZxid: minZxid(end.lastZxid, zxid) }));
}
