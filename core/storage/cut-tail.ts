import { withFile, type Directory } from './disk.js';
import { cutName, cutNumber } from './file-name.js';
import { DiskFullError, toStorageError } from './storage-error.js';

/** Cut tails that stay beside the log; an older one goes when a new one comes. */
const KEPT = 8;
const COPY_BYTES = 1024 * 1024;

/**
 * Copies what is about to be cut off a file, durably, for whoever wants to look at it. Returns the name of the copy; null if there is
 * no room for it.
 */
export async function keepTail(
  directory: Directory,
  file: string,
  { offset, bytes }: { readonly offset: number; readonly bytes: number },
): Promise<string | null> {
  const numbers = await numbersOf(directory);
  for (const { name } of numbers.slice(0, Math.max(0, numbers.length - KEPT + 1)))
    await directory.remove(name);
  const name = cutName((numbers.at(-1)?.number ?? 0) + 1, file, offset);
  try {
    await copy(directory, file, { name, offset, bytes });
  } catch (error) {
    const failure = toStorageError(error, { location: directory.location, doing: 'writing', file: name });
    if (!(failure instanceof DiskFullError)) throw failure;
    await directory.remove(name).catch(() => undefined);
    return null;
  }
  await directory.syncDirectory();
  return name;
}

async function copy(
  directory: Directory,
  file: string,
  { name, offset, bytes }: { readonly name: string; readonly offset: number; readonly bytes: number },
): Promise<void> {
  await withFile(directory, file, 'read', async (source) => {
    await withFile(directory, name, 'create', async (target) => {
      for (let at = 0; at < bytes; at += COPY_BYTES) {
        const piece = Buffer.alloc(Math.min(COPY_BYTES, bytes - at));
        const read = await source.read(offset + at, piece);
        await target.write(at, piece.subarray(0, read));
      }
      await target.sync();
    });
  });
}

async function numbersOf(
  directory: Directory,
): Promise<{ readonly name: string; readonly number: number }[]> {
  const found = [];
  for (const name of await directory.list()) {
    const number = cutNumber(name);
    if (number !== null) found.push({ name, number });
  }
  return found.sort((a, b) => a.number - b.number);
}
