import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BLOCK = Buffer.alloc(64 * 1024, 1);

/** Whether this process may mount file systems; a container's root often may not. */
export function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-mount-'));
  try {
    if (!mount(directory, 1)) return false;
    unmount(directory);
    return true;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A file system of its own in memory, with so much room and no more. */
export class SmallDisk implements Disposable {
  readonly directory: string;
  readonly #unmountAtExit = (): void => unmount(this.directory);

  constructor(directory: string, mebibytes: number) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    if (!mount(directory, mebibytes)) throw new Error(`nothing can be mounted at ${directory}`);
    process.once('exit', this.#unmountAtExit);
  }

  /** Takes all room that is left. */
  fill(): void {
    const file = openSync(this.#filler, 'a');
    try {
      for (;;) if (writeSync(file, BLOCK) === 0) return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Gives the room back. */
  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  [Symbol.dispose](): void {
    process.removeListener('exit', this.#unmountAtExit);
    unmount(this.directory);
  }

  get #filler(): string {
    return join(this.directory, 'of-somebody-else');
  }
}

function mount(directory: string, mebibytes: number): boolean {
  const options = ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', directory];
  return spawnSync('mount', options, { stdio: 'ignore' }).status === 0;
}

/** At once for everybody, even if a process still has files open there. */
function unmount(directory: string): void {
  spawnSync('umount', ['-l', directory], { stdio: 'ignore' });
}
