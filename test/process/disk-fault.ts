import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Stands between the process and its C library. While the file that QUORATE_TEST_FAULT names exists, and begins with F, syncs fail
 * with EIO, and so do writes that sync, once they have written; if it begins with W, writes to files fail with ENOSPC. Pipes and sockets are left alone.
 */
const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_struck(int fd, char kind) {
  const char *path = getenv("QUORATE_TEST_FAULT");
  struct stat about;
  char found = 0;
  if (path == NULL || fstat(fd, &about) != 0) return 0;
  if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) return 0;
  int trigger = open(path, O_RDONLY | O_CLOEXEC);
  if (trigger < 0) return 0;
  ssize_t (*plain_read)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
  if (plain_read(trigger, &found, 1) != 1) found = 0;
  close(trigger);
  return found == kind;
}

#define STRIKE(kind, error) if (is_struck(fd, kind)) { errno = error; return -1; }
#define WRAP(type, name, parameters, arguments, kind, error) \\
  type name parameters { \\
    static type (*real) parameters; \\
    if (real == NULL) real = dlsym(RTLD_NEXT, #name); \\
    STRIKE(kind, error) \\
    return real arguments; \\
  }

#define WRAP_WRITE(name, parameters, arguments) \\
  ssize_t name parameters { \\
    static ssize_t (*real) parameters; \\
    if (real == NULL) real = dlsym(RTLD_NEXT, #name); \\
    STRIKE('W', ENOSPC) \\
    ssize_t written = real arguments; \\
    if (written >= 0 && (fcntl(fd, F_GETFL) & O_DSYNC)) STRIKE('F', EIO) \\
    return written; \\
  }

WRAP(int, fsync, (int fd), (fd), 'F', EIO)
WRAP(int, fdatasync, (int fd), (fd), 'F', EIO)
WRAP_WRITE(write, (int fd, const void *from, size_t size), (fd, from, size))
WRAP_WRITE(writev, (int fd, const struct iovec *from, int count), (fd, from, count))
WRAP_WRITE(pwrite, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))
WRAP_WRITE(pwrite64, (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at))
WRAP_WRITE(pwritev, (int fd, const struct iovec *from, int count, off_t at), (fd, from, count, at))
WRAP_WRITE(pwritev64, (int fd, const struct iovec *from, int count, off64_t at), (fd, from, count, at))
`;

/** Whether this machine can make the disk of a process fail: it takes Linux and a C compiler. */
export function canFault(): boolean {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return process.platform === 'linux';
  } catch {
    return false;
  }
}

/** Makes the disks of single processes fail, by a library that is loaded before all others. */
export class DiskFaults implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'quorate-fault-'));
  readonly #library: string;

  constructor() {
    const source = join(this.#directory, 'fault.c');
    this.#library = join(this.#directory, 'fault.so');
    writeFileSync(source, SOURCE);
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', this.#library, source, '-ldl'], { stdio: 'pipe' });
    mkdirSync(join(this.#directory, 'faults'));
  }

  /** For the process of member `id`. */
  environment(id: number): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#library, QUORATE_TEST_FAULT: this.#trigger(id) };
  }

  /** From now on every sync of the member fails with EIO, until `mend`. */
  failSyncs(id: number): void {
    writeFileSync(this.#trigger(id), 'F');
  }

  /** From now on there is no room for anything that the member writes, until `mend`. */
  refuseWrites(id: number): void {
    writeFileSync(this.#trigger(id), 'W');
  }

  mend(id: number): void {
    rmSync(this.#trigger(id), { force: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #trigger(id: number): string {
    return join(this.#directory, 'faults', `${id}`);
  }
}
