import { constants } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { SystemClock } from '../runtime/index.js';

const { O_RDONLY } = constants;
/** Windows has no such flag. */
const NO_WAIT = (constants.O_NONBLOCK as number | undefined) ?? 0;

/**
 * The process that holds the lock of a directory, as it describes itself. Process numbers are reused, so
 * the start of the process, the boot of the machine and the pid namespace belong to the description.
 */
export interface LockOwner {
  readonly pid: number;
  /** In clock ticks since boot; '' where the system does not tell it. */
  readonly startedAt: string;
  readonly boot: string;
  readonly namespace: string;
  /** Name of the machine or container. Version 0.1.0 did not write it. */
  readonly host?: string;
  /** When it took the lock, in ISO 8601. Version 0.1.0 did not write it. */
  readonly since?: string;
  /** It holds the kernel's lock too, so the kernel knows when the lock is free. */
  readonly hasKernelLock?: boolean;
}

/** This process, from now on. */
export async function describeSelf(hasKernelLock: boolean): Promise<LockOwner> {
  return {
    pid: process.pid,
    startedAt: (await readProcess(process.pid))?.startedAt ?? '',
    boot: await bootId(),
    namespace: await pidNamespace(),
    host: hostname(),
    since: new Date(new SystemClock().wall()).toISOString(),
    hasKernelLock,
  };
}

/**
 * Whether the process still runs. False for a process of another machine, of another pid namespace (another
 * container) and of an earlier boot: such processes cannot be seen from here.
 */
export async function isAlive(owner: LockOwner): Promise<boolean> {
  if (owner.boot !== (await bootId()) || owner.namespace !== (await pidNamespace())) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const found = await readProcess(owner.pid);
  return found === null || (!found.isZombie && found.startedAt === owner.startedAt);
}

/** Null for bytes that no lock ever held. */
export function parseOwner(text: string): LockOwner | null {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner> | null;
    return Number.isInteger(owner?.pid) && owner!.pid! > 0 ? (owner as LockOwner) : null;
  } catch {
    return null;
  }
}

/** For messages: `process 42 on db-1, since 2026-11-30T08:00:00.000Z`. */
export function ownerText({ pid, host, since }: LockOwner): string {
  const where = host === undefined ? '' : ` on ${host}`;
  return `process ${pid}${where}${since === undefined ? '' : `, since ${since}`}`;
}

/** The content of a file; null if there is none. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    // A pipe without a writer would not be opened before there is one.
    return await readFile(path, { encoding: 'utf8', flag: O_RDONLY | NO_WAIT });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'ESRCH'].includes(code)) return null;
    throw error;
  }
}

/**
 * From Linux's `/proc/<pid>/stat`: the third field is the state, the 22nd the start in clock ticks since
 * boot; null elsewhere.
 */
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
