import { resized, written, type DiskEvent, type NameChange } from './recording-disk.js';

/** A file system writes back whole blocks, in any order; a block that is being written may be torn at a sector. */
const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
/** Up to so many unsynced changes of names every combination is played; beyond it prefixes and single losses. */
const MOST_COMBINED = 4;

/** The files of a directory after a crash, by name. */
export type CrashState = ReadonlyMap<string, Uint8Array>;

/** What may become of one unsynced block of a write. */
type Fate = 'lost' | 'whole' | 'torn' | 'garbage' | 'zeros';

/** Of a write a block, or a truncation. */
type Piece =
  | { readonly type: 'block'; readonly event: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly event: number; readonly size: number };

interface FileModel {
  durable: Uint8Array;
  pending: Piece[];
}

/**
 * What the disk holds for sure after the first events, and what may or may not have arrived. `states` enumerates what a power
 * failure at this moment may leave: changes of names in any combination that keeps the order of changes of one
 * name; blocks of unsynced writes lost, whole, torn, or holding bytes from elsewhere, one file at a time in every shape, the
 * others with nothing or everything.
 */
export class DiskModel {
  readonly #files: FileModel[] = [];
  #durableNames = new Map<string, number>();
  #pendingNames: NameChange[] = [];
  #events = 0;

  /** `state`: what was durable before the first event, in the order in which a `RecordingDisk` numbers it. */
  constructor(state: CrashState = new Map()) {
    for (const [name, durable] of state) {
      this.#durableNames.set(name, this.#files.length);
      this.#files.push({ durable, pending: [] });
    }
  }

  apply(event: DiskEvent<unknown>): void {
    const number = this.#events++;
    switch (event.type) {
      case 'names':
        for (const { inode } of event.changes)
          if (inode !== null) this.#files[inode] ??= { durable: new Uint8Array(0), pending: [] };
        this.#pendingNames.push(event.changes);
        return;
      case 'write':
        return void this.#files[event.inode]!.pending.push(...blocksOf(number, event.at, event.bytes));
      case 'truncate':
        return void this.#files[event.inode]!.pending.push({
          type: 'truncate',
          event: number,
          size: event.size,
        });
      case 'sync':
        return this.#settle(event.inode, () => true);
      case 'syncWrite':
        return this.#settle(event.inode, (piece) => piece.event === event.event);
      case 'syncNames':
        this.#durableNames = withNames(this.#durableNames, this.#pendingNames);
        this.#pendingNames = [];
        return;
      case 'mark':
    }
  }

  *states(): Generator<CrashState> {
    for (const survivors of survivingNames(this.#pendingNames)) {
      const names = withNames(this.#durableNames, survivors);
      const inodes = [...new Set(names.values())].filter((inode) => this.#files[inode]!.pending.length > 0);
      yield this.#state(names, () => 'lost');
      if (inodes.length > 0) yield this.#state(names, () => 'whole');
      for (const inode of inodes) {
        for (const fates of fatesOf(this.#files[inode]!.pending)) {
          yield this.#state(names, (file, index) => (file === inode ? fates[index]! : 'lost'));
          if (inodes.length > 1)
            yield this.#state(names, (file, index) => (file === inode ? fates[index]! : 'whole'));
        }
      }
    }
  }

  #state(names: ReadonlyMap<string, number>, fateOf: (inode: number, index: number) => Fate): CrashState {
    const state = new Map<string, Uint8Array>();
    for (const [name, inode] of names) {
      const { durable, pending } = this.#files[inode]!;
      let content = durable;
      pending.forEach((piece, index) => (content = withPiece(content, piece, fateOf(inode, index))));
      state.set(name, content);
    }
    return state;
  }

  #settle(inode: number, isCovered: (piece: Piece) => boolean): void {
    const file = this.#files[inode]!;
    for (const piece of file.pending.filter(isCovered))
      file.durable = withPiece(file.durable, piece, 'whole');
    file.pending = file.pending.filter((piece) => !isCovered(piece));
  }
}

function* blocksOf(event: number, at: number, bytes: Uint8Array): Generator<Piece> {
  for (let from = 0; from < bytes.length;) {
    const end = Math.min(bytes.length, from + BLOCK_BYTES - ((at + from) % BLOCK_BYTES));
    yield { type: 'block', event, at: at + from, bytes: bytes.subarray(from, end) };
    from = end;
  }
}

function withPiece(content: Uint8Array, piece: Piece, fate: Fate): Uint8Array {
  if (fate === 'lost') return content;
  if (piece.type === 'truncate') return resized(content, piece.size);
  const { at, bytes } = piece;
  // Whatever arrives of bytes that are there already changes nothing.
  if (fate === 'whole' || isThere(content, at, bytes)) return written(content, at, bytes);
  if (fate === 'torn') return written(content, at, bytes.subarray(0, tornLength(at, bytes.length)));
  const foreign =
    fate === 'zeros' ? new Uint8Array(bytes.length) : bytes.map((byte, index) => byte ^ (index * 29 + 91));
  return written(content, at, foreign);
}

function isThere(content: Uint8Array, at: number, bytes: Uint8Array): boolean {
  return at + bytes.length <= content.length && bytes.every((byte, index) => content[at + index] === byte);
}

/** Up to the last border of a sector within the block, or half of it if there is none. */
function tornLength(at: number, length: number): number {
  const border = Math.floor((at + length - 1) / SECTOR_BYTES) * SECTOR_BYTES;
  return border > at ? border - at : length >> 1;
}

/** Every shape in which the pieces of one file may have arrived, but for all and none of them. */
function* fatesOf(pending: readonly Piece[]): Generator<readonly Fate[]> {
  const fates = (fateOf: (index: number) => Fate): readonly Fate[] =>
    pending.map((_, index) => fateOf(index));
  for (let length = 1; length < pending.length; length++)
    yield fates((index) => (index < length ? 'whole' : 'lost'));
  for (const [chosen] of pending.entries()) {
    if (chosen > 0) yield fates((index) => (index === chosen ? 'whole' : 'lost'));
    if (chosen < pending.length - 1) yield fates((index) => (index === chosen ? 'lost' : 'whole'));
    for (const fate of ['torn', 'garbage', 'zeros'] as const) {
      yield fates((index) => (index === chosen ? fate : index < chosen ? 'whole' : 'lost'));
      if (chosen < pending.length - 1) yield fates((index) => (index === chosen ? fate : 'whole'));
    }
  }
}

function withNames(names: ReadonlyMap<string, number>, changes: readonly NameChange[]): Map<string, number> {
  const result = new Map(names);
  for (const change of changes)
    for (const { name, inode } of change)
      if (inode === null) result.delete(name);
      else result.set(name, inode);
  return result;
}

/** Combinations of changes of which none survives that touches a name of an earlier one that is lost. */
function* survivingNames(pending: readonly NameChange[]): Generator<readonly NameChange[]> {
  const seen = new Set<string>();
  for (const chosen of selections(pending.length)) {
    const lost = new Set<string>();
    const survivors = pending.filter((change, index) => {
      const survives = chosen[index] === true && !change.some(({ name }) => lost.has(name));
      if (!survives) for (const { name } of change) lost.add(name);
      return survives;
    });
    const key = survivors.map((change) => pending.indexOf(change)).join();
    if (seen.has(key)) continue;
    seen.add(key);
    yield survivors;
  }
}

function* selections(length: number): Generator<readonly boolean[]> {
  const indices = Array.from({ length }, (_, index) => index);
  if (length <= MOST_COMBINED) {
    for (let bits = 0; bits < 1 << length; bits++) yield indices.map((index) => ((bits >> index) & 1) === 1);
    return;
  }
  for (let count = 0; count <= length; count++) yield indices.map((index) => index < count);
  for (const lost of indices) yield indices.map((index) => index !== lost);
}
