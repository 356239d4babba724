/** How much of a write survives a crash as one piece. */
const SECTOR_BYTES = 512;
/** How much of a file becomes unreadable, and is given to another file, as one piece. */
export const BLOCK_BYTES = 4096;

/** Asked once for each unsynced change, oldest first: how many bytes of each of its sectors survive. */
export type Survival = () => (sector: number) => number;

/** Bytes written at `at`, or, without bytes, a truncation to `at`. */
interface Change {
  readonly at: number;
  readonly bytes: Uint8Array | null;
}

/** One file in memory, twice: what a reader sees, and what the disk would hold after a crash. */
export class MemoryFile {
  readonly #visible: Image;
  readonly #durable: Image;
  #unsynced: Change[] = [];
  /** Changes that are not among the unsynced any more. */
  #settled = 0;
  /** Blocks that the disk cannot read, by their first byte. */
  readonly #unreadable = new Set<number>();

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#visible = new Image(content);
    this.#durable = new Image(content);
  }

  get size(): number {
    return this.#visible.content.length;
  }

  /** What a reader sees; shared, not to be written to. */
  get content(): Uint8Array {
    return this.#visible.content;
  }

  /** The disk cannot read the block that holds the byte at `offset`, until it is written anew. */
  spoil(offset: number): void {
    this.#unreadable.add(offset - (offset % BLOCK_BYTES));
  }

  /** True if some of these bytes lie in a block that cannot be read. */
  isUnreadable(position: number, length: number): boolean {
    return [...this.#unreadable].some((block) => block < position + length && block + BLOCK_BYTES > position);
  }

  /** A second file with the same content, all of it synced, and the same unreadable blocks. */
  copy(): MemoryFile {
    const copy = new MemoryFile(this.content);
    for (const block of this.#unreadable) copy.#unreadable.add(block);
    return copy;
  }

  read(position: number, into: Uint8Array): number {
    const found = this.content.subarray(position, position + into.length);
    into.set(found);
    return found.length;
  }

  write(position: number, bytes: Uint8Array): void {
    for (const block of this.#unreadable) {
      if (position <= block && position + bytes.length >= block + BLOCK_BYTES) this.#unreadable.delete(block);
    }
    this.#visible.write(position, bytes);
    this.#unsynced.push({ at: position, bytes: new Uint8Array(bytes) });
  }

  truncate(size: number): void {
    this.#visible.resize(size);
    this.#unsynced.push({ at: size, bytes: null });
  }

  /** Writes and truncations so far. */
  get changes(): number {
    return this.#settled + this.#unsynced.length;
  }

  /** Makes durable what was changed when there had been so many changes. */
  sync(changes: number): void {
    const synced = this.#unsynced.splice(0, Math.max(0, changes - this.#settled));
    this.#settled += synced.length;
    for (const { at, bytes } of synced) {
      if (bytes === null) this.#durable.resize(at);
      else this.#durable.write(at, bytes);
    }
  }

  /**
   * A sync failed: what was written stays visible to readers, and no later sync makes it durable. Sizes are still to be
   * synced: a system that fails to write its own metadata lets nobody write any more.
   */
  dropUnsynced(): void {
    const sizes = this.#unsynced.filter(({ bytes }) => bytes === null);
    this.#settled += this.#unsynced.length - sizes.length;
    this.#unsynced = sizes;
  }

  flipBit(offset: number, bit: number): void {
    if (offset >= this.size) throw new RangeError(`no byte ${offset} in a file of ${this.size} bytes`);
    this.#visible.flipBit(offset, bit);
    this.#durable.flipBit(offset, bit);
  }

  /** These bytes, which lie within the file, change on the disk. */
  overwrite(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.size)
      throw new RangeError(`no bytes up to ${offset + bytes.length} in a file of ${this.size} bytes`);
    this.#visible.write(offset, bytes);
    this.#durable.overwrite(offset, bytes);
  }

  /**
   * What was synced is left, and of the rest what survives. With `stale` the size survives that the file had grown to, and says what
   * each new block held before; null for zeros.
   */
  crash(survival: Survival, stale?: () => Uint8Array | null): void {
    this.#settled += this.#unsynced.length;
    if (stale !== undefined) this.#growStale(stale);
    for (const change of this.#unsynced.splice(0)) this.#redo(change, survival());
    this.#visible.become(this.#durable);
  }

  /** Only blocks that lie wholly behind the synced size: the rest of the last one is zeros. */
  #growStale(stale: () => Uint8Array | null): void {
    const synced = this.#durable.content.length;
    const isShortened = this.#unsynced.some(({ bytes }) => bytes === null);
    if (isShortened || this.size <= synced) return;
    this.#durable.resize(this.size);
    for (let at = Math.ceil(synced / BLOCK_BYTES) * BLOCK_BYTES; at < this.size; at += BLOCK_BYTES) {
      const block = stale();
      if (block !== null) this.#durable.overwrite(at, block);
    }
  }

  #redo({ at, bytes }: Change, survivingBytes: (sector: number) => number): void {
    if (bytes === null) {
      if (survivingBytes(0) >= SECTOR_BYTES) this.#durable.resize(at);
      return;
    }
    for (let from = 0, sector = 0; from < bytes.length; from = endOf(at, from), sector += 1) {
      const survivors = Math.min(endOf(at, from) - from, survivingBytes(sector));
      if (survivors > 0) this.#durable.write(at + from, bytes.subarray(from, from + survivors));
    }
  }
}

/** Where the sector of the file ends that holds the byte `from` of a write at `at`. */
function endOf(at: number, from: number): number {
  return from + SECTOR_BYTES - ((at + from) % SECTOR_BYTES);
}

/** Bytes that grow as they are written; a hole reads as zeros. */
class Image {
  #bytes: Uint8Array;
  #size: number;

  constructor(content: Uint8Array) {
    this.#bytes = new Uint8Array(content);
    this.#size = content.length;
  }

  get content(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  write(position: number, bytes: Uint8Array): void {
    this.resize(Math.max(this.#size, position + bytes.length));
    this.#bytes.set(bytes, position);
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      grown.set(this.content);
      this.#bytes = grown;
    } else if (size < this.#size) {
      this.#bytes.fill(0, size, this.#size);
    }
    this.#size = size;
  }

  /** Only what lies within it. */
  overwrite(position: number, bytes: Uint8Array): void {
    if (position < this.#size) this.#bytes.set(bytes.subarray(0, this.#size - position), position);
  }

  flipBit(offset: number, bit: number): void {
    if (offset < this.#size) this.#bytes[offset]! ^= 1 << bit;
  }

  become(other: Image): void {
    this.#bytes = new Uint8Array(other.content);
    this.#size = other.#size;
  }
}
