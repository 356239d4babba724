import type { Directory, DiskFile } from './disk.js';
import { CorruptionError, errnoOf } from './storage-error.js';

/** Errors by which systems and file systems report that a block cannot be read, or fails a checksum of their own. */
const UNREADABLE_ERRNOS: ReadonlySet<string> = new Set(['EIO', 'EREMOTEIO', 'EUCLEAN', 'EBADMSG', 'ENODATA']);
const BLOCK_BYTES = 4096;

/**
 * The same directory, whose files reject a read of unreadable blocks with `CorruptionError`: it names the file and the offset
 * of the first such block. A file that cannot be opened for that reason rejects every read. To be used where the content is examined; a running member treats the error as it comes.
 */
export function reportingUnreadableBlocks(directory: Directory): Directory {
  return {
    location: directory.location,
    list: () => directory.list(),
    open: async (name, mode) => {
      try {
        return reporting(directory.location, await directory.open(name, mode));
      } catch (error) {
        // What describes a file on the disk lies in a block as well.
        if (mode === 'create' || !isUnreadable(error)) throw error;
        return closedForReading(directory.location, name, error);
      }
    },
    rename: (from, to) => directory.rename(from, to),
    remove: (name) => directory.remove(name),
    setAside: (name, folder) => directory.setAside(name, folder),
    syncDirectory: () => directory.syncDirectory(),
    verifyPlace: () => directory.verifyPlace(),
    release: () => directory.release(),
  };
}

function reporting(location: string, file: DiskFile): DiskFile {
  return {
    name: file.name,
    size: () => file.size(),
    async read(position, into) {
      try {
        return await file.read(position, into);
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        return readBlocks(location, file, position, into);
      }
    },
    write: (position, bytes) => file.write(position, bytes),
    writeThrough: (position, bytes) => file.writeThrough(position, bytes),
    truncate: (size) => file.truncate(size),
    syncData: () => file.syncData(),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** Reads block by block, so that the error names the first one that cannot be read. */
async function readBlocks(
  location: string,
  file: DiskFile,
  position: number,
  into: Uint8Array,
): Promise<number> {
  for (let filled = 0; filled < into.length;) {
    const at = position + filled;
    const end = Math.min(into.length, filled + BLOCK_BYTES - (at % BLOCK_BYTES));
    try {
      const read = await file.read(at, into.subarray(filled, end));
      filled += read;
      if (filled < end) return filled;
    } catch (error) {
      throw isUnreadable(error) ? unreadable(location, file.name, error, at) : error;
    }
  }
  return into.length;
}

/** Stands for a file that cannot even be opened: it has a size, and nothing in it can be read. */
function closedForReading(location: string, name: string, cause: unknown): DiskFile {
  const reject = (): Promise<never> => Promise.reject(unreadable(location, name, cause, 0));
  return {
    name,
    size: () => Promise.resolve(BLOCK_BYTES),
    read: reject,
    write: reject,
    writeThrough: reject,
    truncate: reject,
    syncData: reject,
    sync: reject,
    close: () => Promise.resolve(),
  };
}

function unreadable(location: string, file: string, cause: unknown, offset: number): CorruptionError {
  const reason = `the disk cannot read it (${errnoOf(cause)})`;
  return new CorruptionError({ location, file, offset, reason, cause });
}

function isUnreadable(error: unknown): boolean {
  return UNREADABLE_ERRNOS.has(errnoOf(error) ?? '');
}
