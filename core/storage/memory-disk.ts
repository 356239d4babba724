import { SeededRandom, type Clock, type Random } from '../runtime/index.js';
import { planLoss, type CrashLoss, type LossPlan } from './crash-loss.js';
import type { Disk, DiskFile, DiskLock, OpenMode } from './disk.js';
import { MemoryFile } from './memory-file.js';
import { DataDirectoryLockedError } from './storage-error.js';

/** What a disk can be asked to do, and so where it can fail or crash. */
export type DiskOperation =
  'list' | 'open' | 'read' | 'write' | 'truncate' | 'sync' | 'rename' | 'remove' | 'syncDirectory';

/** A failure to come. */
export interface DiskFault {
  readonly operation: DiskOperation;
  /** Only for files whose name begins so. */
  readonly file?: string;
  /** The system's name of the error. Default `EIO`. */
  readonly code?: string;
  /** How often; default once. */
  readonly times?: number;
}

interface DirectoryChange {
  readonly name: string;
  readonly before: MemoryFile | undefined;
  readonly after: MemoryFile | undefined;
}

/**
 * A directory in memory. It knows for every file what was synced and what was not, so that it can crash as a
 * real one does: unsynced writes and renames survive or not, by a seeded choice. After a crash the operations
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
  #operations = 0;
  #crashAt = Infinity;
  #lossToCome: CrashLoss = 'random';
  #crashed: () => void = () => undefined;
  #faults: { readonly fault: DiskFault; remaining: number }[] = [];
  #syncDelay: { readonly clock: Clock; readonly ms: number } | null = null;

  constructor(random: Random = new SeededRandom(1)) {
    this.#random = random;
  }

  lock(): Promise<DiskLock> {
    if (this.#isLocked) {
      const owner = 'another storage of this process';
      return Promise.reject(new DataDirectoryLockedError({ location: this.location, owner }));
    }
    this.#isLocked = true;
    const incarnation = this.#incarnation;
    const release = async (): Promise<void> => {
      if (incarnation === this.#incarnation) this.#isLocked = false;
    };
    return Promise.resolve({ release });
  }

  async list(): Promise<readonly string[]> {
    await this.#perform('list', '', this.#incarnation);
    return this.names();
  }

  async open(name: string, mode: OpenMode): Promise<DiskFile> {
    const incarnation = this.#incarnation;
    await this.#perform('open', name, incarnation, () => {
      if (mode === 'create') this.#change([{ name, before: this.#files.get(name), after: new MemoryFile() }]);
    });
    const file = this.#find(name);
    return {
      name,
      size: async () => file.size,
      read: async (position, into) => {
        await this.#perform('read', name, incarnation);
        return file.read(position, into);
      },
      write: (position, bytes) =>
        this.#perform('write', name, incarnation, () => this.#write(file, position, bytes)),
      truncate: (size) => this.#perform('truncate', name, incarnation, () => file.truncate(size)),
      syncData: () => this.#sync(file, name, incarnation),
      sync: () => this.#sync(file, name, incarnation),
      close: async () => undefined,
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.#perform('rename', from, this.#incarnation, () => {
      const file = this.#find(from);
      this.#change([
        { name: from, before: file, after: undefined },
        { name: to, before: this.#files.get(to), after: file },
      ]);
    });
  }

  remove(name: string): Promise<void> {
    return this.#perform('remove', name, this.#incarnation, () =>
      this.#change([{ name, before: this.#find(name), after: undefined }]),
    );
  }

  async syncDirectory(): Promise<void> {
    const incarnation = this.#incarnation;
    await this.#perform('syncDirectory', '', incarnation);
    this.#unsynced = [];
  }

  /** Operations so far, of all processes. */
  get operations(): number {
    return this.#operations;
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

  flipBit(name: string, offset: number, bit = 0): void {
    this.#find(name).flipBit(offset, bit);
  }

  fail(fault: DiskFault): void {
    this.#faults.push({ fault, remaining: fault.times ?? 1 });
  }

  /** Every sync takes this long from now on. */
  slowSyncs(clock: Clock, ms: number): void {
    this.#syncDelay = { clock, ms };
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
    this.#crashAt = Infinity;
    if (loss !== 'keep') this.#losePower(planLoss(loss, this.#random));
    this.#crashed();
  }

  /** A second disk with the same files, all synced. */
  copy(random: Random = this.#random): MemoryDisk {
    const copy = new MemoryDisk(random);
    for (const [name, file] of this.#files) copy.#files.set(name, new MemoryFile(file.content));
    return copy;
  }

  /** Counts the operation, carries it out, and lets it fail, crash or hang as planned. */
  async #perform(
    operation: DiskOperation,
    name: string,
    incarnation: number,
    effect?: () => void,
  ): Promise<void> {
    if (incarnation !== this.#incarnation) return neverSettles();
    this.#operations++;
    this.#throwPlannedFault(operation, name);
    effect?.();
    if (this.#operations >= this.#crashAt) this.crash(this.#lossToCome);
    return incarnation === this.#incarnation ? undefined : neverSettles();
  }

  async #sync(file: MemoryFile, name: string, incarnation: number): Promise<void> {
    if (this.#syncDelay !== null) await this.#syncWait(this.#syncDelay);
    const wasDurableBeforeCrash = this.#operations + 1 >= this.#crashAt && this.#random.next() < 0.5;
    if (wasDurableBeforeCrash) file.sync();
    try {
      await this.#perform('sync', name, incarnation);
    } catch (error) {
      file.dropUnsynced();
      throw error;
    }
    file.sync();
  }

  #syncWait({ clock, ms }: { readonly clock: Clock; readonly ms: number }): Promise<void> {
    return new Promise((resolve) => {
      clock.setTimer(ms, resolve);
    });
  }

  #write(file: MemoryFile, position: number, bytes: Uint8Array): void {
    const growth = Math.max(0, position + bytes.length - file.size);
    const room = this.capacityBytes - this.#usedBytes();
    if (growth <= room) {
      file.write(position, bytes);
      return;
    }
    const fitting = Math.max(0, bytes.length - (growth - Math.max(0, room)));
    if (fitting > 0) file.write(position, bytes.subarray(0, fitting));
    throw diskError('ENOSPC', 'no space left on device');
  }

  #usedBytes(): number {
    let used = 0;
    for (const file of this.#files.values()) used += file.size;
    return used;
  }

  #throwPlannedFault(operation: DiskOperation, name: string): void {
    const planned = this.#faults.find(
      ({ fault }) => fault.operation === operation && name.startsWith(fault.file ?? ''),
    );
    if (planned === undefined) return;
    if (--planned.remaining <= 0) this.#faults = this.#faults.filter((other) => other !== planned);
    throw diskError(planned.fault.code ?? 'EIO', `planned failure of ${operation}`);
  }

  #find(name: string): MemoryFile {
    const file = this.#files.get(name);
    if (file === undefined) throw diskError('ENOENT', `no such file: ${name}`);
    return file;
  }

  #change(changes: readonly DirectoryChange[]): void {
    this.#unsynced.push(changes);
    for (const { name, after } of changes) this.#put(name, after);
  }

  /** Goes back to what was synced, then makes the changes again that survive. */
  #losePower(plan: LossPlan): void {
    for (const file of this.#allFiles()) file.crash(plan.survival());
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

function diskError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

function neverSettles(): Promise<never> {
  return new Promise(() => undefined);
}
