import { constants } from 'node:fs';
import { lstat, mkdir, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QuorateError } from '../runtime/index.js';

/** Modes of what only its owner may use. */
export const PRIVATE_FILE = 0o600;
export const PRIVATE_DIRECTORY = 0o700;

/** For `open`: fail at a symbolic link instead of following it. Windows has no such flag. */
export const NO_FOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;

/** A symbolic link stands where a file is to be made or read; it was not followed. Code `LINK_REFUSED`. */
export class LinkRefusedError extends QuorateError {
  constructor(path: string, cause?: unknown) {
    super(
      'LINK_REFUSED',
      `Cannot use ${path}: it is a symbolic link, and links are not followed there. Find out who made it, and remove it.`,
      { fields: { path }, cause },
    );
  }
}

/** Makes a directory with mode 0700, and those above it as the umask says. One that exists is left as it is. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await mkdir(path, { mode: PRIVATE_DIRECTORY }).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  });
}

/**
 * Makes a file of mode 0600 and opens it for writing. What an earlier process left under the name is removed first. Rejects with
 * `LinkRefusedError` if a symbolic link has the name.
 */
export async function createPrivateFile(path: string): Promise<FileHandle> {
  const found = await lstat(path).catch(() => null);
  if (found?.isSymbolicLink() === true) throw new LinkRefusedError(path);
  if (found !== null) await rm(path, { force: true });
  // Exclusive: whatever has the name since, also a link, is neither followed nor emptied.
  return open(path, 'wx', PRIVATE_FILE);
}

/** Opens a file for reading. Rejects with `LinkRefusedError` if it is a symbolic link. */
export async function openWithoutLinks(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | NO_FOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') throw new LinkRefusedError(path, error);
    throw error;
  }
}

/**
 * What is wrong with the mode of a file or directory that is to be private: other users can read or change it, or its group can change
 * it. A group that can read is no problem: that is how secrets are handed to services. Null if it is private, or is not there, and on
 * Windows, where modes say nothing.
 */
export async function looseMode(path: string): Promise<string | null> {
  if (process.platform === 'win32') return null;
  const found = await stat(path).catch(() => null);
  const bits = (found?.mode ?? 0) & 0o777;
  const text = `mode 0${bits.toString(8).padStart(3, '0')}`;
  if ((bits & 0o007) !== 0) return `other users of this machine have access to it (${text})`;
  return (bits & 0o020) === 0 ? null : `its group can change it (${text})`;
}
