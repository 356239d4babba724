/**
 * Where a data directory is, as a port: the little of a file system that the storage stands on. Two
 * implementations: the operating system's, and one in memory that can crash, tear, lose and fail.
 */
export interface Disk {
  /** For people. */
  readonly location: string;
  /** Makes this process the only user of the directory; rejects with `DataDirectoryLockedError` if another one is. */
  lock(): Promise<Directory>;
}

/**
 * The files of one directory, in the hands of the process that locked it. Every call rejects with an `Error`
 * whose `code` is the system's name for what went wrong (`ENOSPC`, `EIO`, …).
 */
export interface Directory {
  readonly location: string;
  /** Names of all files, sorted. */
  list(): Promise<readonly string[]>;
  open(name: string, mode: OpenMode): Promise<DiskFile>;
  /** Replaces whatever is called `to`, in one step. Durable after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  /** Durable after `syncDirectory`. */
  remove(name: string): Promise<void>;
  /** Moves a file into a folder below this directory, made if it is not there, where nothing here looks any more. Durable when it resolves. */
  setAside(name: string, folder: string): Promise<void>;
  /** Makes every create, rename and remove so far survive a crash. Rejects as `verifyPlace` does. */
  syncDirectory(): Promise<void>;
  /** Rejects with `DataDirectoryReplacedError` if the directory that was locked is not at its place any more. */
  verifyPlace(): Promise<void>;
  /** Gives up the lock. Idempotent. */
  release(): Promise<void>;
}

/** `create` makes an empty file, or empties the one that is there; `write` and `read` need the file to exist. */
export type OpenMode = 'create' | 'write' | 'read';

/** An open file. Writes take effect in order; none of them survives a crash for sure before a sync. */
export interface DiskFile {
  readonly name: string;
  size(): Promise<number>;
  /** Fills `into` from `position` on; returns how many bytes there were, fewer only at the end of the file. */
  read(position: number, into: Uint8Array): Promise<number>;
  /** Writes all of `bytes`. They must not change before it resolves. */
  write(position: number, bytes: Uint8Array): Promise<void>;
  /**
   * Writes all of `bytes`, and resolves when they survive a crash: `write` and `syncData` in one trip to the disk. Whether earlier
   * writes survive with them is left open. For places that the file has already: growing it this way costs more.
   */
  writeThrough(position: number, bytes: Uint8Array): Promise<void>;
  truncate(size: number): Promise<void>;
  /** Makes the content survive a crash, and of its metadata what is needed to read it. */
  syncData(): Promise<void>;
  /** Makes content and metadata survive a crash. */
  sync(): Promise<void>;
  /** Idempotent. Does not sync. */
  close(): Promise<void>;
}

/** Reads exactly `length` bytes, or null if the file ends before. */
export async function readExactly(file: DiskFile, position: number, length: number): Promise<Buffer | null> {
  const bytes = Buffer.allocUnsafe(length);
  return (await file.read(position, bytes)) === length ? bytes : null;
}

/** Opens, uses and closes a file, whatever happens in between. */
export async function withFile<T>(
  directory: Directory,
  name: string,
  mode: OpenMode,
  use: (file: DiskFile) => Promise<T>,
): Promise<T> {
  const file = await directory.open(name, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
