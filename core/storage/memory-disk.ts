import { SeededRandom, type Clock, type Random } from '../runtime/index.js';
import { planLoss, type CrashLoss, type LossPlan } from './crash-loss.js';
import type { Directory, Disk, DiskFile, OpenMode } from './disk.js';
import { FreedBlocks } from './freed-blocks.js';
import { MemoryFile } from './memory-file.js';
import { diskError, PlannedFaults, type DiskFault, type DiskOperation } from './planned-faults.js';
import { DataDirectoryLockedError, DataDirectoryReplacedError } from './storage-error.js';

interface DirectoryChange {
  readonly name: string;
  readonly before: MemoryFile | undefined;
  readonly after: MemoryFile | undefined;
}

/**
 * A directory in memory. It knows for every file what was synced and what was not, so that it can crash as a
 * real one does: unsynced writes and renames survive or not, by a seeded choice, and blocks that a file was given and that were never
 * synced may hold what other files had there before. After a crash the operations
 * of the process that died never settle; whoever opens the disk anew finds what survived.
 */
export class MemoryDisk implements Disk {
  readonly location = 'memory';
  /** Bytes that all files together may hold; what exceeds it fails with `ENOSPC`. */
  capacityBytes = Infinity;
  readonly #random: Random;
  #files = new Map<string, MemoryFile>();
  /** Since the last sync of the directory, oldest first; a rename is one element of two changes. */
  #unsynced: (readonly DirectoryChange[])[] = [];
  /** Grows with each crash: tells the living from the dead. */
  #incarnation = 0;
  #isLocked = false;
  #openFiles = 0;
  #isReplaced = false;
  #operations = 0;
  #crashAt = Infinity;
  #lossToCome: CrashLoss = 'random';
  #crashed: () => void = () => undefined;
  readonly #faults = new PlannedFaults();
  readonly #freed = new FreedBlocks();
  #syncDelay: { readonly clock: Clock; readonly ms: () => number } | null = null;

  constructor(random: Random = new SeededRandom(1)) {
    this.#random = random;
  }

  lock(): Promise<Directory> {
    if (this.#isLocked) {
      const owner = 'another storage of this process';
      return Promise.reject(new DataDirectoryLockedError({ location: this.location, owner }));
    }
    this.#isLocked = true;
    this.#isReplaced = false;
    return Promise.resolve(this.#directoryOf(this.#incarnation));
  }

  /** Operations so far, of all processes. */
  get operations(): number {
    return this.#operations;
  }

  /** Files that the process has open. */
  get openFiles(): number {
    return this.#openFiles;
  }

  /** Of all files together. */
  get usedBytes(): number {
    let used = 0;
    for (const file of this.#files.values()) used += file.size;
    return used;
  }

  /** The names of all files, sorted. */
  names(): readonly string[] {
    return [...this.#files.keys()].sort();
  }

  /** What a reader of the file sees. */
  contentOf(name: string): Uint8Array {
    return new Uint8Array(this.#find(name).content);
  }

  /** Writes past every rule of durability, as if it had always been there. */
  replace(name: string, content: Uint8Array): void {
    this.#files.set(name, new MemoryFile(content));
  }

  /** Removes a file likewise. */
  forget(name: string): void {
    this.#find(name);
    this.#files.delete(name);
  }

  flipBit(name: string, offset: number, bit = 0): void {
    this.#find(name).flipBit(offset, bit);
  }

  /** Changes bytes of a file past every rule of durability, also for whoever has it open. */
  overwrite(name: string, offset: number, bytes: Uint8Array): void {
    this.#find(name).overwrite(offset, bytes);
  }

  /** The block of the file that holds the byte at `offset` cannot be read any more, wherever the file is moved. */
  spoil(name: string, offset: number): void {
    this.#find(name).spoil(offset);
  }

  /** Somebody puts another directory in the place of the one that is locked. */
  replaceDirectory(): void {
    this.#isReplaced = true;
  }

  fail(fault: DiskFault): void {
    this.#faults.add(fault);
  }

  /** Forgets the failures that were still to come. */
  repair(): void {
    this.#faults.clear();
  }

  /** Every sync takes this long from now on; a function is asked anew for each. What is written meanwhile waits for the next one. */
  slowSyncs(clock: Clock, ms: number | (() => number)): void {
    this.#syncDelay = { clock, ms: typeof ms === 'number' ? () => ms : ms };
  }

  /** Crashes at the operation that many from now on (1 is the next one), in the midst of it. Resolves when it has happened. */
  crashAfter(operations: number, loss: CrashLoss = 'random'): Promise<void> {
    this.#crashAt = this.#operations + operations;
    this.#lossToCome = loss;
    return new Promise((resolve) => (this.#crashed = resolve));
  }

  /** The process dies now, and with it, unless told otherwise, the power. */
  crash(loss: CrashLoss = 'random'): void {
    this.#incarnation++;
    this.#isLocked = false;
    this.#openFiles = 0;
    this.#crashAt = Infinity;
    if (loss !== 'keep') this.#losePower(planLoss(loss, this.#random));
    this.#crashed();
  }

  /** A second disk with the same files, all synced. */
  copy(random: Random = this.#random): MemoryDisk {
    const copy = new MemoryDisk(random);
    for (const [name, file] of this.#files) copy.#files.set(name, file.copy());
    return copy;
  }

  /** What a process has in its hands; when it dies, nothing that it does arrives any more. */
  #directoryOf(incarnation: number): Directory {
    const perform = <T>(operation: DiskOperation, name: string, effect: () => T): Promise<T> =>
      this.#perform({ operation, name, incarnation, effect });
    return {
      location: this.location,
      list: () => perform('list', '', () => this.names().filter((name) => !name.includes('/'))),
      open: (name, mode) => perform('open', name, () => this.#open(name, mode, incarnation)),
      rename: (from, to) => perform('rename', from, () => this.#rename(from, to)),
      setAside: async (name, folder) => {
        await perform('rename', name, () => this.#rename(name, `${folder}/${name}`));
        await perform('syncDirectory', '', () => this.#syncDirectory());
      },
      remove: (name) => perform('remove', name, () => this.#remove(name)),
      syncDirectory: () => perform('syncDirectory', '', () => this.#syncDirectory()),
      verifyPlace: async () => this.#verifyPlace(),
      release: async () => {
        if (incarnation === this.#incarnation) this.#isLocked = false;
      },
    };
  }

  #open(name: string, mode: OpenMode, incarnation: number): DiskFile {
    if (mode === 'create') this.#change([{ name, before: this.#files.get(name), after: new MemoryFile() }]);
    const file = this.#find(name);
    this.#openFiles += 1;
    let isOpen = true;
    const perform = <T>(operation: DiskOperation, effect: () => T): Promise<T> =>
      this.#perform({ operation, name, incarnation, effect });
    const write = (position: number, bytes: Uint8Array): Promise<void> =>
      perform('write', () => this.#write(file, position, bytes));
    const sync = async (): Promise<void> => {
      const covered = file.changes;
      if (this.#syncDelay !== null) await this.#syncWait(this.#syncDelay);
      await perform('sync', () => this.#sync(file, name, covered));
    };
    return {
      name,
      size: async () => file.size,
      read: (position, into) =>
        perform('read', () => {
          if (file.isUnreadable(position, into.length)) throw diskError('EIO', 'unreadable block');
          return file.read(position, into);
        }),
      write,
      writeThrough: async (position, bytes) => {
        await write(position, bytes);
        await sync();
      },
      truncate: (size) =>
        perform('truncate', () => {
          this.#freed.add(file.content, size);
          file.truncate(size);
        }),
      syncData: sync,
      sync,
      close: async () => {
        if (isOpen && incarnation === this.#incarnation) this.#openFiles -= 1;
        isOpen = false;
      },
    };
  }

  #rename(from: string, to: string): void {
    const file = this.#find(from);
    this.#change([
      { name: from, before: file, after: undefined },
      { name: to, before: this.#files.get(to), after: file },
    ]);
  }

  #remove(name: string): void {
    this.#change([{ name, before: this.#find(name), after: undefined }]);
  }

  #verifyPlace(): void {
    if (this.#isReplaced) throw new DataDirectoryReplacedError({ location: this.location, isGone: false });
  }

  #syncDirectory(): void {
    this.#verifyPlace();
    if (!this.#isCutShort()) this.#unsynced = [];
  }

  #sync(file: MemoryFile, name: string, covered: number): void {
    try {
      this.#faults.check('sync', name);
    } catch (error) {
      file.dropUnsynced();
      throw error;
    }
    if (!this.#isCutShort()) file.sync(covered);
  }

  /** A crash in the midst of a sync comes before or after its effect. */
  #isCutShort(): boolean {
    return this.#operations >= this.#crashAt && this.#random.next() < 0.5;
  }

  /** Counts the operation, carries it out, and lets it fail, crash or hang as planned. */
  async #perform<T>(act: {
    readonly operation: DiskOperation;
    readonly name: string;
    readonly incarnation: number;
    effect(): T;
  }): Promise<T> {
    if (act.incarnation !== this.#incarnation) return neverSettles();
    this.#operations++;
    if (act.operation !== 'sync') this.#faults.check(act.operation, act.name);
    const result = act.effect();
    if (this.#operations >= this.#crashAt) this.crash(this.#lossToCome);
    return act.incarnation === this.#incarnation ? result : neverSettles();
  }

  #syncWait({ clock, ms }: { readonly clock: Clock; readonly ms: () => number }): Promise<void> {
    return new Promise((resolve) => {
      clock.setTimer(ms(), resolve);
    });
  }

  #write(file: MemoryFile, position: number, bytes: Uint8Array): void {
    const growth = Math.max(0, position + bytes.length - file.size);
    const room = this.capacityBytes - this.usedBytes;
    if (growth <= room) {
      file.write(position, bytes);
      return;
    }
    const fitting = Math.max(0, bytes.length - (growth - Math.max(0, room)));
    if (fitting > 0) file.write(position, bytes.subarray(0, fitting));
    throw diskError('ENOSPC', 'no space left on device');
  }

  #find(name: string): MemoryFile {
    const file = this.#files.get(name);
    if (file === undefined) throw diskError('ENOENT', `no such file: ${name}`);
    return file;
  }

  #change(changes: readonly DirectoryChange[]): void {
    this.#unsynced.push(changes);
    for (const { before, after } of changes) {
      const isMoved = before === undefined || changes.some((other) => other.after === before);
      if (!isMoved && before !== after) this.#freed.add(before.content);
    }
    for (const { name, after } of changes) this.#put(name, after);
  }

  /** Goes back to what was synced, then makes the changes again that survive. */
  #losePower(plan: LossPlan): void {
    for (const file of this.#allFiles()) {
      file.crash(plan.survival(), plan.keepsSize() ? () => this.#freed.pick(this.#random) : undefined);
    }
    const unsynced = this.#unsynced;
    this.#unsynced = [];
    const survives = plan.directorySurvivors(unsynced.map((changes) => changes.map(({ name }) => name)));
    for (const { name, before } of unsynced.flat().reverse()) this.#put(name, before);
    unsynced.forEach((changes, index) => {
      if (survives[index] === true) for (const { name, after } of changes) this.#put(name, after);
    });
  }

  #put(name: string, file: MemoryFile | undefined): void {
    if (file === undefined) this.#files.delete(name);
    else this.#files.set(name, file);
  }

  /** Those in the directory and those that may come back into it. */
  #allFiles(): Set<MemoryFile> {
    const files = new Set(this.#files.values());
    for (const { before } of this.#unsynced.flat()) if (before !== undefined) files.add(before);
    return files;
  }
}

function neverSettles(): Promise<never> {
  return new Promise(() => undefined);
}
