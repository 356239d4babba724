import * as fs from 'node:fs';
import { chown, lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { lockDirectory, type DirectoryLock } from './directory-lock.js';
import type { Directory, Disk, DiskFile, OpenMode } from './disk.js';
import { isDataFile } from './file-name.js';
import { ownerToKeep, type FileOwner } from './file-owner.js';
import { NO_FOLLOW, PRIVATE_DIRECTORY, PRIVATE_FILE } from './private-file.js';
import { DataDirectoryReplacedError, StorageError, toOpeningError } from './storage-error.js';

const { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC } = fs.constants;
const FLAGS: Record<OpenMode, number> = {
  create: O_RDWR | O_CREAT | O_TRUNC,
  write: O_RDWR,
  read: O_RDONLY,
};

/**
 * On Linux a write to such a descriptor returns when data, and what of the metadata is needed to read them, are on the disk, as
 * after `fdatasync`. Null where that is not so: macOS leaves them in the disk's own cache, Windows has no such flag.
 */
const WRITE_THROUGH_FLAGS =
  process.platform === 'linux' ? fs.constants.O_WRONLY | fs.constants.O_DSYNC : null;

/** A directory of the operating system. */
export class NodeDisk implements Disk {
  readonly location: string;

  private constructor(location: string) {
    this.location = location;
  }

  /**
   * Makes the directory, and those above it, if they do not exist, and syncs every level, so that a power
   * failure removes none of them. It gets the mode 0700; one that exists keeps its mode. Rejects with `StorageError` if that is impossible.
   */
  static async open(directory: string): Promise<NodeDisk> {
    const location = resolve(directory);
    try {
      const firstMade = await makeLevels(location);
      // A process may have made an empty directory and died before it could sync the levels above.
      if ((await readdir(location)).length === 0) await syncLevelsAbove(location, firstMade);
      return new NodeDisk(location);
    } catch (error) {
      throw toOpeningError(error, { location, doing: 'opening it' });
    }
  }

  async lock(): Promise<Directory> {
    const lock = await lockDirectory(this.location);
    try {
      const [place, owner] = [await placeOf(this.location), await ownerToKeep(this.location)];
      return new NodeDirectory(this.location, {
        lock,
        place,
        owner,
        descriptor: await openForSync(this.location),
      });
    } catch (error) {
      await lock.release();
      throw error;
    }
  }
}

class NodeDirectory implements Directory {
  readonly location: string;
  readonly #lock: DirectoryLock;
  readonly #place: Place;
  readonly #owner: FileOwner | null;
  #descriptor: number | null;

  constructor(
    location: string,
    parts: {
      readonly lock: DirectoryLock;
      readonly place: Place;
      /** Whose the files are that are made here; null for this process's own user. */
      readonly owner: FileOwner | null;
      /** Of the directory, kept open so that a sync of it needs no new one; null where directories cannot be synced. */
      readonly descriptor: number | null;
    },
  ) {
    this.location = location;
    this.#lock = parts.lock;
    this.#place = parts.place;
    this.#owner = parts.owner;
    this.#descriptor = parts.descriptor;
  }

  async list(): Promise<readonly string[]> {
    const entries = await readdir(this.location, { withFileTypes: true });
    const odd = entries.find((entry) => !entry.isFile() && isDataFile(entry.name));
    if (odd?.isSymbolicLink() === true) throw linkError(this.location, odd.name);
    if (odd !== undefined) throw notAFileError(this.location, odd.name, odd.isDirectory());
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  }

  async open(name: string, mode: OpenMode): Promise<DiskFile> {
    const path = join(this.location, name);
    const descriptor = await this.#inPlace(() => openFile(path, FLAGS[mode])).catch((error: unknown) => {
      throw (error as NodeJS.ErrnoException).code === 'ELOOP' ? linkError(this.location, name) : error;
    });
    const file = new NodeFile(name, path, descriptor);
    try {
      if (mode === 'create' && this.#owner !== null) await changeOwner(descriptor, this.#owner);
    } catch (error) {
      await file.close();
      throw error;
    }
    return file;
  }

  rename(from: string, to: string): Promise<void> {
    return this.#inPlace(() => rename(join(this.location, from), join(this.location, to)));
  }

  async setAside(name: string, folder: string): Promise<void> {
    const path = join(this.location, folder);
    await mkdir(path, { mode: PRIVATE_DIRECTORY }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (!(await lstat(path)).isDirectory()) throw linkError(this.location, folder);
    if (this.#owner !== null) await chown(path, this.#owner.uid, this.#owner.gid);
    await rename(join(this.location, name), join(path, name));
    await syncDirectory(path);
    await this.syncDirectory();
  }

  remove(name: string): Promise<void> {
    return rm(join(this.location, name));
  }

  async syncDirectory(): Promise<void> {
    const descriptor = this.#descriptor;
    if (descriptor !== null) await this.#inPlace(() => syncDescriptor(descriptor));
    await this.verifyPlace();
  }

  /** What fails because the directory is not there any more says so. */
  async #inPlace<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      await this.verifyPlace();
      throw error;
    }
  }

  async verifyPlace(): Promise<void> {
    const { location } = this;
    const found = await placeOf(location).catch((error: unknown) => {
      const code = (error as { code?: unknown }).code;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw error;
    });
    if (found?.device === this.#place.device && found.inode === this.#place.inode) return;
    throw new DataDirectoryReplacedError({ location, isGone: found === null });
  }

  async release(): Promise<void> {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor !== null) await call<void>((done) => fs.close(descriptor, done));
    await this.#lock.release();
  }
}

/** What tells a directory from any other that is given its name. */
interface Place {
  readonly device: bigint;
  readonly inode: bigint;
}

async function placeOf(path: string): Promise<Place> {
  const { dev: device, ino: inode } = await stat(path, { bigint: true });
  return { device, inode };
}

function changeOwner(descriptor: number, { uid, gid }: FileOwner): Promise<void> {
  return call<void>((done) => fs.fchown(descriptor, uid, gid, done));
}

/** Plain descriptors and callbacks: one trip to the thread pool for each call and nothing else on the way. */
class NodeFile implements DiskFile {
  readonly name: string;
  readonly #path: string;
  readonly #descriptor: number;
  /** Of the same file, for `writeThrough`; null before the first. */
  #syncingDescriptor: number | null = null;
  #isClosed = false;

  constructor(name: string, path: string, descriptor: number) {
    this.name = name;
    this.#path = path;
    this.#descriptor = descriptor;
  }

  async size(): Promise<number> {
    const stats = await call<fs.Stats>((done) => fs.fstat(this.#descriptor, done));
    return stats.size;
  }

  async read(position: number, into: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const read = await call<number>((done) =>
        fs.read(this.#descriptor, into, filled, into.length - filled, position + filled, done),
      );
      if (read === 0) break;
      filled += read;
    }
    return filled;
  }

  write(position: number, bytes: Uint8Array): Promise<void> {
    return writeAll(this.#descriptor, position, bytes);
  }

  async writeThrough(position: number, bytes: Uint8Array): Promise<void> {
    if (WRITE_THROUGH_FLAGS !== null) {
      this.#syncingDescriptor ??= await openFile(this.#path, WRITE_THROUGH_FLAGS);
      return writeAll(this.#syncingDescriptor, position, bytes);
    }
    await this.write(position, bytes);
    await this.syncData();
  }

  truncate(size: number): Promise<void> {
    return call<void>((done) => fs.ftruncate(this.#descriptor, size, done));
  }

  syncData(): Promise<void> {
    return call<void>((done) => fs.fdatasync(this.#descriptor, done));
  }

  sync(): Promise<void> {
    return call<void>((done) => fs.fsync(this.#descriptor, done));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const syncing = this.#syncingDescriptor;
    try {
      if (syncing !== null) await call<void>((done) => fs.close(syncing, done));
    } finally {
      await call<void>((done) => fs.close(this.#descriptor, done));
    }
  }
}

function linkError(location: string, file: string): StorageError {
  return new StorageError(
    `${location}: ${file} is a symbolic link. Links to files of a data directory are not followed, for their targets are not synced ` +
      `with it. Move the file itself to its place; a link to the directory as a whole is allowed`,
    { code: 'LINK_REFUSED', fields: { location, file } },
  );
}

/** To take it for a missing file would be damage for which it has to make room. */
function notAFileError(location: string, file: string, isDirectory: boolean): StorageError {
  const kind = isDirectory ? 'a directory' : 'a device, a pipe or a socket';
  return new StorageError(
    `${location}: ${file} is ${kind}, where a regular file belongs. Nothing was changed. Find out who made it, and move it to another ` +
      `folder; if the file was lost, what is left tells what that means`,
    { fields: { location, file } },
  );
}

/** Only the owner can read what is made, and a link is not followed. */
function openFile(path: string, flags: number): Promise<number> {
  return call<number>((done) => fs.open(path, flags | NO_FOLLOW, PRIVATE_FILE, done));
}

async function writeAll(descriptor: number, position: number, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += await call<number>((done) =>
      fs.write(descriptor, bytes, written, bytes.length - written, position + written, done),
    );
  }
}

/**
 * Makes the directory and what is missing above it, and returns the first level that it made. `mkdir` of Node hides
 * the reason with `recursive`: it reports a read-only file system as ENOENT, and does not return for `/proc/x`.
 */
async function makeLevels(location: string): Promise<string | undefined> {
  const missing: string[] = [];
  for (let level = location; !(await exists(level)); level = dirname(level)) missing.unshift(level);
  for (const level of missing) {
    // Those above belong to others too; this one to the member alone.
    const mode = level === location ? PRIVATE_DIRECTORY : 0o777;
    await mkdir(level, { mode }).catch((error: NodeJS.ErrnoException) => {
      // Another process has made it meanwhile; or it is a broken link, which the next step finds.
      if (error.code !== 'EEXIST') throw error;
    });
  }
  return missing[0];
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Syncs the folders above `location`, which hold the entries of the levels below them. Those above the first
 * one that was made just now belong to others and may be closed to this process; then they are left as they are.
 */
async function syncLevelsAbove(location: string, firstMade: string | undefined): Promise<void> {
  const required = firstMade === undefined ? location : dirname(firstMade);
  for (let level = dirname(location); ; level = dirname(level)) {
    const isRequired = level.length >= required.length;
    await syncDirectory(level).catch((error: unknown) => {
      if (isRequired) throw error;
    });
    if (level === dirname(level)) return;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const descriptor = await openForSync(path);
  if (descriptor === null) return;
  try {
    await syncDescriptor(descriptor);
  } finally {
    await call<void>((done) => fs.close(descriptor, done));
  }
}

/** Null where directories cannot be opened for syncing (Windows): there renames are durable by the file system's own means. */
async function openForSync(path: string): Promise<number | null> {
  if (process.platform === 'win32') return null;
  return call<number>((done) => fs.open(path, 'r', done));
}

function syncDescriptor(descriptor: number): Promise<void> {
  return call<void>((done) => fs.fsync(descriptor, done));
}

function call<T>(start: (done: (error: Error | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    start((error, result) => (error === null || error === undefined ? resolve(result as T) : reject(error))),
  );
}
