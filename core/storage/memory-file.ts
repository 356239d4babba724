/** How much of a write survives a crash as one piece. */
const SECTOR_BYTES = 512;

/** One change since the last sync: enough to take it back and to make it again. */
interface Change {
  readonly at: number;
  readonly sizeBefore: number;
  readonly sizeAfter: number;
  /** Bytes that the change overwrote or cut off, from `at` on. */
  readonly before: Uint8Array;
  /** Bytes that it wrote at `at`; null for a truncation. */
  readonly after: Uint8Array | null;
  /** A failed sync let go of it: no later sync makes it durable. */
  isDropped: boolean;
}

/** Asked once for each unsynced change, oldest first: how many bytes of each of its sectors survive. */
export type Survival = () => (sector: number) => number;

/**
 * The content of one file in memory: what a reader sees, and, by way of the changes since the last sync,
 * what the disk would hold after a crash.
 */
export class MemoryFile {
  #bytes: Uint8Array;
  #size: number;
  #unsynced: Change[] = [];

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#bytes = content;
    this.#size = content.length;
  }

  get size(): number {
    return this.#size;
  }

  /** What a reader sees; shared, not to be written to. */
  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  read(position: number, into: Uint8Array): number {
    const found = this.#bytes.subarray(position, Math.min(this.#size, position + into.length));
    into.set(found);
    return found.length;
  }

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    const sizeAfter = Math.max(this.#size, end);
    this.#remember(position, end, sizeAfter, bytes.slice());
    this.#resize(sizeAfter);
    this.#bytes.set(bytes, position);
  }

  truncate(size: number): void {
    this.#remember(Math.min(size, this.#size), this.#size, size, null);
    this.#resize(size);
  }

  sync(): void {
    this.#unsynced = this.#unsynced.filter((change) => change.isDropped);
  }

  /** A sync failed: the changes stay visible to readers and are lost in the next crash, whatever is synced later. */
  dropUnsynced(): void {
    for (const change of this.#unsynced) change.isDropped = true;
  }

  flipBit(offset: number, bit: number): void {
    if (offset >= this.#size) throw new RangeError(`no byte ${offset} in a file of ${this.#size} bytes`);
    this.#bytes[offset]! ^= 1 << bit;
  }

  /** Goes back to what was synced, then makes the unsynced changes again as far as they survive. */
  crash(survival: Survival): void {
    const changes = this.#unsynced;
    this.#unsynced = [];
    for (const change of [...changes].reverse()) this.#undo(change);
    for (const change of changes) if (!change.isDropped) this.#redo(change, survival);
    this.#unsynced = [];
  }

  /** A file with the same content, all of it synced. */
  copy(): MemoryFile {
    return new MemoryFile(this.content.slice());
  }

  #remember(at: number, end: number, sizeAfter: number, after: Uint8Array | null): void {
    const before = this.#bytes.slice(at, Math.min(end, this.#size));
    this.#unsynced.push({ at, sizeBefore: this.#size, sizeAfter, before, after, isDropped: false });
  }

  #undo(change: Change): void {
    this.#resize(change.sizeBefore);
    this.#bytes.set(change.before, change.at);
  }

  #redo(change: Change, survival: Survival): void {
    const survivingBytes = survival();
    if (change.after === null) {
      if (survivingBytes(0) >= SECTOR_BYTES) this.#resize(change.sizeAfter);
      return;
    }
    for (let from = 0; from < change.after.length; from += SECTOR_BYTES) {
      const survivors = Math.min(SECTOR_BYTES, survivingBytes(from / SECTOR_BYTES));
      const bytes = change.after.subarray(from, from + survivors);
      if (bytes.length === 0) continue;
      this.#resize(Math.max(this.#size, change.at + from + bytes.length));
      this.#bytes.set(bytes, change.at + from);
    }
  }

  #resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      grown.set(this.content);
      this.#bytes = grown;
    } else if (size < this.#size) {
      this.#bytes.fill(0, size, this.#size);
    }
    this.#size = size;
  }
}
