import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keepOwner } from './file-owner.js';
import { PRIVATE_FILE } from './private-file.js';
import { isAlive, parseOwner, readIfThere, type LockOwner } from './lock-owner.js';

/** A process that is overtaken so often by others gives up. */
const ATTEMPTS = 100;
const NUMBERED = /^lock\.(\d+)$/;
const DRAFT = /^lock\.\d+\.\d+\.draft$/;
const OWNER_FILE = 'owner';
const RELEASED_FILE = 'released';

/** Numbers the drafts of this process, so that no two attempts share one. */
let drafts = 0;

export interface HeldLockFile {
  release(): Promise<void>;
}

/**
 * Takes a lock that needs nothing of the file system but an atomic `rename`, for systems without the
 * kernel's lock: a numbered folder `lock.N` that names its owner. Resolves to the owner if another living
 * process holds it, to null if others were faster too often.
 *
 * The folder with the highest number counts. A process that finds its owner dead, or the folder released,
 * makes the next number: it prepares a folder with its own description and renames it to that number, which
 * fails if a folder with content has the name already. So one process makes each number, and the
 * description is complete as soon as the name exists. Numbers are never used again: only a folder below
 * one's own is removed, and a release leaves the folder with a mark. A process that has listed an old
 * highest number may still make a number that was removed since; so everybody lists again after making one,
 * and withdraws if there is a higher one.
 */
export async function takeLockFile(
  directory: string,
  self: LockOwner,
): Promise<HeldLockFile | LockOwner | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const highest = await highestNumber(directory);
    const holder = await holderOf(directory, highest);
    if (holder === 'gone') continue;
    if (holder !== null) return holder;
    const mine = join(directory, `lock.${highest + 1}`);
    if (!(await make(directory, mine, self))) continue;
    if ((await highestNumber(directory)) > highest + 1) {
      await removeFolder(mine);
      continue;
    }
    await removeOlder(directory, highest + 1);
    return { release: () => markReleased(directory, mine) };
  }
  return null;
}

async function markReleased(directory: string, folder: string): Promise<void> {
  await writeFile(join(folder, RELEASED_FILE), '', { mode: PRIVATE_FILE });
  await keepOwner(directory, join(folder, RELEASED_FILE));
}

/** The living owner of the folder that counts; null if there is none. */
export async function lockFileHolder(directory: string): Promise<LockOwner | null> {
  for (;;) {
    const holder = await holderOf(directory, await highestNumber(directory));
    if (holder !== 'gone') return holder;
  }
}

/** Null if the lock is free, `gone` if the folder was removed meanwhile: then there is a higher one. */
async function holderOf(directory: string, number: number): Promise<LockOwner | 'gone' | null> {
  if (number === 0) return null;
  const folder = join(directory, `lock.${number}`);
  const text = await readIfThere(join(folder, OWNER_FILE));
  if ((await readIfThere(join(folder, RELEASED_FILE))) !== null) return null;
  if (text === null) return (await highestNumber(directory)) === number ? null : 'gone';
  const owner = parseOwner(text);
  return owner !== null && (await isAlive(owner)) ? owner : null;
}

/** False if another process has made it, or has removed the draft. */
async function make(directory: string, folder: string, self: LockOwner): Promise<boolean> {
  const draft = join(directory, `lock.${process.pid}.${drafts++}.draft`);
  try {
    await mkdir(draft);
    await writeFile(join(draft, OWNER_FILE), JSON.stringify(self), { mode: PRIVATE_FILE });
    await keepOwner(directory, draft, join(draft, OWNER_FILE));
    await rename(draft, folder);
    return true;
  } catch (error) {
    await removeFolder(draft);
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['EEXIST', 'ENOTEMPTY', 'ENOENT'].includes(code)) return false;
    // Windows refuses to replace any folder this way.
    if (code === 'EPERM' && (await readIfThere(join(folder, OWNER_FILE))) !== null) return false;
    throw error;
  }
}

/**
 * Folders that do not count any more, and drafts. A living process whose draft is removed makes another
 * one.
 */
async function removeOlder(directory: string, number: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const other = numberOf(name);
    if (DRAFT.test(name) || (other !== 0 && other < number)) await removeFolder(join(directory, name));
  }
}

async function highestNumber(directory: string): Promise<number> {
  return Math.max(0, ...(await readdir(directory)).map(numberOf));
}

function numberOf(name: string): number {
  return Number(NUMBERED.exec(name)?.[1] ?? 0);
}

/** What cannot be removed, because another process is changing it, does no harm. */
function removeFolder(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true }).catch(() => undefined);
}
