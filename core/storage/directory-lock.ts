import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closeDescriptor, takeKernelLock } from './kernel-lock.js';
import { keepOwner } from './file-owner.js';
import { lockFileHolder, takeLockFile, type HeldLockFile } from './lock-files.js';
import { describeSelf, isAlive, ownerText, parseOwner, readIfThere, type LockOwner } from './lock-owner.js';
import { PRIVATE_FILE } from './private-file.js';
import { DataDirectoryLockedError, toOpeningError } from './storage-error.js';

/**
 * Names the process that holds the lock, for people, for version 0.1.0, and for processes that lock the
 * other way.
 */
const RECORD = 'lock';
/** The record of the last process that ended without a release, for people who look for the reason. */
const PREVIOUS_RECORD = 'lock.previous';

export interface DirectoryLock {
  /** Idempotent. */
  release(): Promise<void>;
}

/**
 * Locks a directory for this process: with the kernel's lock, or with lock files where the program `flock`
 * is missing or fails. At most one process of one kernel holds it, however many start at the same time,
 * with whatever was left of processes that died; a process that ends, by SIGKILL too, releases it.
 *
 * What cannot be excluded: a process on another machine that shares the file system over the network, and
 * without `flock` one in another container; their locks are taken over.
 *
 * A process with the kernel's lock and one with a lock file exclude each other too: each writes its own
 * before it looks for the other's, so at least one of them sees the other and withdraws. Rejects with
 * `DataDirectoryLockedError`.
 */
export async function lockDirectory(location: string): Promise<DirectoryLock> {
  try {
    const lock = await takeKernelLock(location);
    if (lock === 'taken') throw await lockedError(location, await recordOf(location));
    if (lock === 'unavailable') return once(await lockWithFile(location));
    return once(await lockWithKernel(location, lock.descriptor));
  } catch (error) {
    throw toOpeningError(error, { location, doing: 'locking it' });
  }
}

async function lockWithKernel(location: string, descriptor: number): Promise<() => Promise<void>> {
  try {
    const found = await recordOf(location);
    // The kernel has just said that nobody holds its lock.
    if (found !== null && found.hasKernelLock !== true && (await isAlive(found))) {
      throw await lockedError(location, found);
    }
    const self = await describeSelf(true);
    await writeRecord(location, self);
    const other = await lockFileHolder(location);
    if (other !== null) {
      await removeRecord(location, self);
      throw await lockedError(location, other);
    }
    return async () => {
      await removeRecord(location, self);
      await closeDescriptor(descriptor);
    };
  } catch (error) {
    await closeDescriptor(descriptor);
    throw error;
  }
}

async function lockWithFile(location: string): Promise<() => Promise<void>> {
  const self = await describeSelf(false);
  const held = await takeLockFile(location, self);
  if (held === null) throw await lockedError(location, null);
  if (!isHeld(held)) throw await lockedError(location, held);
  try {
    const found = await recordOf(location);
    if (found !== null && (await isAlive(found))) throw await lockedError(location, found);
    await writeRecord(location, self);
  } catch (error) {
    await held.release();
    throw error;
  }
  return async () => {
    await removeRecord(location, self);
    await held.release();
  };
}

function isHeld(lock: HeldLockFile | LockOwner): lock is HeldLockFile {
  return 'release' in lock;
}

function once(release: () => Promise<void>): DirectoryLock {
  let released: Promise<void> | undefined;
  return { release: () => (released ??= release()) };
}

async function recordOf(location: string): Promise<LockOwner | null> {
  return parseOwner((await readIfThere(join(location, RECORD))) ?? '');
}

/**
 * The record appears complete under its name, and the one of a process that died is kept beside it. Only
 * the holder of a lock writes one, so each kind of lock needs one draft.
 */
async function writeRecord(location: string, self: LockOwner): Promise<void> {
  const draft = join(location, `${RECORD}.${self.hasKernelLock === true ? 'kernel' : 'file'}.new`);
  await rm(draft, { force: true });
  await writeFile(draft, JSON.stringify(self), { mode: PRIVATE_FILE, flag: 'wx' });
  await keepOwner(location, draft);
  await keepPrevious(location);
  await rename(draft, join(location, RECORD));
}

async function keepPrevious(location: string): Promise<void> {
  try {
    await rename(join(location, RECORD), join(location, PREVIOUS_RECORD));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function removeRecord(location: string, self: LockOwner): Promise<void> {
  const path = join(location, RECORD);
  if ((await readIfThere(path)) === JSON.stringify(self)) await rm(path, { force: true });
}

/**
 * `found`: what is known of the holder. A record of a dead process says nothing about the holder of the
 * kernel's lock.
 */
async function lockedError(location: string, found: LockOwner | null): Promise<DataDirectoryLockedError> {
  if (found === null) return new DataDirectoryLockedError({ location, owner: 'another process' });
  const { pid, host, since } = found;
  const owner = ownerText(found);
  if (await isAlive(found)) return new DataDirectoryLockedError({ location, owner, pid, host, since });
  return new DataDirectoryLockedError({
    location,
    owner: `a process of another container, or one that has just started; the last known one was ${owner}`,
  });
}
