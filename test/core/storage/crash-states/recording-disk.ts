import type { Directory, Disk, DiskFile, OpenMode } from '../../../../core/storage/index.js';

/** One change of a directory: names that point to another file afterwards, or to none. */
export type NameChange = readonly { readonly name: string; readonly inode: number | null }[];

/** What a process has done to a directory, in order. `inode` numbers files in the order of their making. */
export type DiskEvent<Mark> =
  | { readonly type: 'names'; readonly changes: NameChange }
  | { readonly type: 'write'; readonly inode: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly inode: number; readonly size: number }
  /** Every earlier change of the file survives from here on. */
  | { readonly type: 'sync'; readonly inode: number }
  /** The write `event` survives from here on, and no other. */
  | { readonly type: 'syncWrite'; readonly inode: number; readonly event: number }
  /** Every earlier change of names survives from here on. */
  | { readonly type: 'syncNames' }
  /** Something that the user of the disk has noted, such as what it has acknowledged. */
  | { readonly type: 'mark'; readonly mark: Mark };

/** A directory in memory that records every change, so that the states that a crash may leave can be enumerated. */
export class RecordingDisk<Mark> implements Disk {
  readonly location = 'memory';
  readonly events: DiskEvent<Mark>[] = [];
  readonly #names = new Map<string, number>();
  readonly #contents: Uint8Array[] = [];

  /** `state`: the files that are there and durable, by name. */
  constructor(state: ReadonlyMap<string, Uint8Array> = new Map()) {
    for (const [name, content] of state) {
      this.#names.set(name, this.#contents.length);
      this.#contents.push(content);
    }
  }

  note(mark: Mark): void {
    this.events.push({ type: 'mark', mark });
  }

  async lock(): Promise<Directory> {
    return {
      location: this.location,
      list: async () => [...this.#names.keys()].filter((name) => !name.includes('/')).sort(),
      open: async (name, mode) => this.#open(name, mode),
      rename: async (from, to) => this.#rename(from, to),
      remove: async (name) => this.#change([{ name: this.#existing(name), inode: null }]),
      setAside: async (name, folder) => {
        this.#rename(name, `${folder}/${name}`);
        this.events.push({ type: 'syncNames' });
      },
      syncDirectory: async () => void this.events.push({ type: 'syncNames' }),
      verifyPlace: async () => undefined,
      release: async () => undefined,
    };
  }

  #open(name: string, mode: OpenMode): DiskFile {
    if (mode === 'create') {
      this.#contents.push(new Uint8Array(0));
      this.#change([{ name, inode: this.#contents.length - 1 }]);
    }
    const inode = this.#names.get(this.#existing(name))!;
    const sync = async (): Promise<void> => void this.events.push({ type: 'sync', inode });
    return {
      name,
      size: async () => this.#contents[inode]!.length,
      read: async (position, into) => {
        const found = this.#contents[inode]!.subarray(position, position + into.length);
        into.set(found);
        return found.length;
      },
      write: async (at, bytes) => this.#write(inode, at, bytes),
      writeThrough: async (at, bytes) => {
        this.#write(inode, at, bytes);
        this.events.push({ type: 'syncWrite', inode, event: this.events.length - 1 });
      },
      truncate: async (size) => {
        this.#contents[inode] = resized(this.#contents[inode]!, size);
        this.events.push({ type: 'truncate', inode, size });
      },
      syncData: sync,
      sync,
      close: async () => undefined,
    };
  }

  #write(inode: number, at: number, bytes: Uint8Array): void {
    this.#contents[inode] = written(this.#contents[inode]!, at, bytes);
    this.events.push({ type: 'write', inode, at, bytes: Uint8Array.from(bytes) });
  }

  #rename(from: string, to: string): void {
    const inode = this.#names.get(this.#existing(from))!;
    this.#change([
      { name: from, inode: null },
      { name: to, inode },
    ]);
  }

  #change(changes: NameChange): void {
    for (const { name, inode } of changes)
      if (inode === null) this.#names.delete(name);
      else this.#names.set(name, inode);
    this.events.push({ type: 'names', changes });
  }

  #existing(name: string): string {
    if (!this.#names.has(name))
      throw Object.assign(new Error(`ENOENT: no such file: ${name}`), { code: 'ENOENT' });
    return name;
  }
}

/** A copy of `content` with `bytes` at `at`; a gap before them reads as zeros. */
export function written(content: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const result = resized(content, Math.max(content.length, at + bytes.length));
  result.set(bytes, at);
  return result;
}

/** A copy of `content`, cut or filled up with zeros. */
export function resized(content: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(size);
  result.set(content.subarray(0, size));
  return result;
}
