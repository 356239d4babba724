import { spawn } from 'node:child_process';
import * as fs from 'node:fs';

/** Time that `flock` may take before it counts as missing, milliseconds. It never waits for a lock. */
const FLOCK_TIMEOUT_MS = 10_000;
/** Number of the descriptor in the process of `flock`. */
const INHERITED = 3;

/**
 * Descriptor that holds the lock, `taken` if another one holds it, `unavailable` if this system cannot lock
 * this way.
 */
export type KernelLock = { readonly descriptor: number } | 'taken' | 'unavailable';

/**
 * Takes the kernel's exclusive lock (flock) of a directory. Node has no call for it, so the program `flock`
 * of util-linux or busybox takes it on a descriptor that it inherits: the lock belongs to the open file
 * description, not to the process, and stays when `flock` has ended. The kernel releases it when this
 * process closes the descriptor or ends, by SIGKILL too. Processes that are started later do not inherit
 * the descriptor: Node opens files close-on-exec.
 */
export async function takeKernelLock(directory: string): Promise<KernelLock> {
  const descriptor = await openDirectory(directory);
  if (descriptor === null) return 'unavailable';
  const outcome = await runFlock(descriptor);
  if (outcome === 'held') return { descriptor };
  await closeDescriptor(descriptor);
  return outcome;
}

/** Releases the lock. */
export function closeDescriptor(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) =>
    fs.close(descriptor, (error) => (error == null ? resolve() : reject(error))),
  );
}

/** Null where directories cannot be opened (Windows). */
function openDirectory(directory: string): Promise<number | null> {
  if (process.platform === 'win32') return Promise.resolve(null);
  return new Promise((resolve, reject) =>
    fs.open(directory, 'r', (error, descriptor) => (error === null ? resolve(descriptor) : reject(error))),
  );
}

/**
 * Both programs end with 1 and say nothing when somebody else holds the lock; what they say otherwise is a
 * failure.
 */
function runFlock(descriptor: number): Promise<'held' | 'taken' | 'unavailable'> {
  return new Promise((resolve) => {
    const child = spawn('flock', ['-xn', `${INHERITED}`], {
      stdio: ['ignore', 'ignore', 'pipe', descriptor],
      timeout: FLOCK_TIMEOUT_MS,
    });
    let complaint = '';
    child.stderr!.on('data', (bytes: Buffer) => (complaint += bytes.toString('utf8')));
    child.on('error', () => resolve('unavailable'));
    child.on('close', (status) => {
      if (status === 0) resolve('held');
      else resolve(status === 1 && complaint === '' ? 'taken' : 'unavailable');
    });
  });
}
