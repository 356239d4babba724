import { link, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataDirectoryLockedError, toStorageError } from './storage-error.js';

const LOCK_FILE = 'lock';

/** How often the taking of a stale lock may be overtaken by others before it is given up. */
const ATTEMPTS = 5;

/** Numbers the files that this process makes beside the lock, so that no two attempts share one. */
let attempts = 0;

/** Who holds the lock. Process numbers are reused: the moment of birth, the boot and the pid namespace belong to the name. */
interface Owner {
  readonly pid: number;
  readonly startedAt: string;
  readonly boot: string;
  readonly namespace: string;
}

export interface DirectoryLock {
  /** Idempotent. */
  release(): Promise<void>;
}

/**
 * Locks a directory for this process, with a file that names it. A lock whose owner is dead, by kill -9 or by a
 * power failure, is taken over. This keeps two processes of one machine (of one container) apart; whether an
 * owner on another machine or in another container lives cannot be seen, and such a lock is taken over.
 */
export async function lockDirectory(location: string): Promise<DirectoryLock> {
  const path = join(location, LOCK_FILE);
  try {
    const self = JSON.stringify(await describeSelf());
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await create(path, self)) return { release: () => release(path, self) };
      await removeStale(path, location);
    }
  } catch (error) {
    throw toStorageError(error, { location, doing: 'locking with', file: LOCK_FILE });
  }
  throw new DataDirectoryLockedError({
    location,
    owner: 'one of several processes that start at the same time',
  });
}

/** The file appears complete under its name, or not at all. */
async function create(path: string, self: string): Promise<boolean> {
  const draft = `${path}.${process.pid}.${attempts++}.draft`;
  await writeFile(draft, self, { mode: 0o640 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Takes a dead process's lock away. The rename gives the file to one of those that try; should it have been
 * replaced by a living lock between reading and renaming, it is put back.
 */
async function removeStale(path: string, location: string): Promise<void> {
  const found = await readIfThere(path);
  if (found === null) return;
  const owner = parseOwner(found);
  if (owner !== null && (await isAlive(owner))) {
    throw new DataDirectoryLockedError({ location, owner: `process ${owner.pid}` });
  }
  const taken = `${path}.${process.pid}.${attempts++}.stale`;
  try {
    await rename(path, taken);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((await readFile(taken, 'utf8')) !== found) await link(taken, path).catch(() => undefined);
  await rm(taken, { force: true });
}

async function release(path: string, self: string): Promise<void> {
  if ((await readIfThere(path)) === self) await rm(path, { force: true });
}

async function describeSelf(): Promise<Owner> {
  return {
    pid: process.pid,
    startedAt: (await readProcess(process.pid))?.startedAt ?? '',
    boot: await bootId(),
    namespace: await pidNamespace(),
  };
}

async function isAlive(owner: Owner): Promise<boolean> {
  if (owner.boot !== (await bootId()) || owner.namespace !== (await pidNamespace())) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
  }
  const found = await readProcess(owner.pid);
  return found === null || (!found.isZombie && found.startedAt === owner.startedAt);
}

/** From Linux's `/proc/<pid>/stat`: the third field is the state, the 22nd the start in clock ticks since boot; null elsewhere. */
async function readProcess(
  pid: number,
): Promise<{ readonly startedAt: string; readonly isZombie: boolean } | null> {
  const line = await readIfThere(`/proc/${pid}/stat`);
  if (line === null) return null;
  const [state, ...rest] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { startedAt: rest[18] ?? '', isZombie: state === 'Z' || state === 'X' };
}

async function bootId(): Promise<string> {
  return (await readIfThere('/proc/sys/kernel/random/boot_id'))?.trim() ?? '';
}

function pidNamespace(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => '');
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return null;
    throw error;
  }
}

/** Null for bytes that no lock ever held; such a file has no owner. */
function parseOwner(text: string): Owner | null {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null;
    return Number.isInteger(owner?.pid) ? (owner as Owner) : null;
  } catch {
    return null;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
