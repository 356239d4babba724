import fs from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memberSecret } from '../../../core/server/configuration/member-secret.js';
import { NodeDisk } from '../../../core/storage/index.js';
import { SeededRandom } from '../../../core/testing/index.js';
import { entries, rejection, start } from './history.js';

const test = suite<{ directory: string }>('a data directory of the file system');
test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'quorate-disk-'));
});
test.after.each(async ({ directory }) => {
  await chmod(directory, 0o700);
  await rm(directory, { recursive: true, force: true });
});

/** Paths that were synced while `act` ran, except for those that `fails` names. */
async function syncedBy(act: () => Promise<unknown>, fails = ''): Promise<Set<string>> {
  const { open, fsync } = fs;
  const synced = new Set<string>();
  const paths = new Map<number, string>();
  const patched = fs as unknown as Record<string, unknown>;
  patched['open'] = (path: string, ...rest: unknown[]): void => {
    const done = rest.pop() as (error: Error | null, descriptor?: number) => void;
    if (path === fails) return done(Object.assign(new Error(`EACCES: ${path}`), { code: 'EACCES' }));
    const note = (error: Error | null, descriptor?: number): void => {
      if (error === null) paths.set(descriptor!, path);
      done(error, descriptor);
    };
    (open as (...all: unknown[]) => void)(path, ...rest, note);
  };
  patched['fsync'] = (descriptor: number, done: (error: Error | null) => void): void => {
    synced.add(paths.get(descriptor)!);
    fsync(descriptor, done);
  };
  syncBuiltinESMExports();
  try {
    await act();
  } finally {
    Object.assign(fs, { open, fsync });
    syncBuiltinESMExports();
  }
  return synced;
}

test('every level of a new data directory is synced', async ({ directory }) => {
  const location = join(directory, 'a', 'b', 'c');
  const synced = await syncedBy(() => NodeDisk.open(location));
  for (let level = dirname(location); level !== dirname(directory); level = dirname(level)) {
    assert.ok(synced.has(level), `${level} was not synced`);
  }
});

test('an empty directory whose maker may have died before it synced is synced again', async ({
  directory,
}) => {
  const location = join(directory, 'a', 'b');
  await mkdir(location, { recursive: true });
  assert.ok((await syncedBy(() => NodeDisk.open(location))).has(join(directory, 'a')));
  await writeFile(join(location, 'identity'), '');
  assert.equal([...(await syncedBy(() => NodeDisk.open(location)))], []);
});

test('a level that cannot be synced fails the start if it was made, and not if it belongs to others', async ({
  directory,
}) => {
  const location = join(directory, 'a', 'b');
  const open = (): Promise<unknown> => NodeDisk.open(location);
  const error = await rejection(syncedBy(open, join(directory, 'a')));
  assert.is(error.code, 'STORAGE_ACCESS_DENIED');
  await syncedBy(open, dirname(directory));
});

test('a log keeps no descriptor of the files that it has filled', async ({ directory }) => {
  if (process.platform !== 'linux') return;
  const { storage } = await start(await NodeDisk.open(join(directory, 'data')), { segmentBytes: 4096 });
  await storage.persist({ acceptedEpoch: 1 });
  const open: number[] = [];
  for (let first = 0; first < 400; first += 10) {
    await storage.persist({ entries: entries(first, 10, { bytes: 110 }) });
    open.push((await readdir('/proc/self/fd')).length);
  }
  await storage.close();
  // The newest file has one for reading and writing, and mostly a second one.
  const [early, late] = [open.slice(0, 20), open.slice(20)].map((counts) => Math.max(...counts));
  assert.ok(late! <= early!, `${early} descriptors, then ${late}`);
});

test('a start without access names directory, reason and remedy, and claims nothing about the disk', async ({
  directory,
}) => {
  const cases = [
    { code: 'EACCES', expected: 'STORAGE_ACCESS_DENIED', remedy: /Give the user of this process.* access/ },
    { code: 'EPERM', expected: 'STORAGE_ACCESS_DENIED', remedy: /Give the user of this process.* access/ },
    { code: 'EROFS', expected: 'STORAGE_ACCESS_DENIED', remedy: /mount it for writing/ },
    { code: 'ENOTDIR', expected: 'STORAGE_FAILED', remedy: /Remove that file, or give another path/ },
    { code: 'ENAMETOOLONG', expected: 'STORAGE_FAILED', remedy: /Check the path/ },
    { code: 'ENOSPC', expected: 'DISK_FULL', remedy: /Free some space/ },
  ];
  const { mkdir: makeDirectory } = fs.promises;
  try {
    for (const { code, expected, remedy } of cases) {
      fs.promises.mkdir = () =>
        Promise.reject<undefined>(Object.assign(new Error(`${code}: it failed`), { code }));
      syncBuiltinESMExports();
      const error = await rejection(NodeDisk.open(join(directory, 'new')));
      assert.is(error.code, expected);
      assert.match(error.message, directory);
      if (code !== 'ENOSPC') assert.match(error.message, code);
      assert.match(error.message, remedy);
      assert.not.match(error.message, 'what the disk holds');
    }
  } finally {
    fs.promises.mkdir = makeDirectory;
    syncBuiltinESMExports();
  }
});

test('a directory that cannot exist is refused at once', async ({ directory }) => {
  await writeFile(join(directory, 'file'), '');
  for (const location of [join(directory, 'file'), join(directory, 'file', 'a', 'b')]) {
    const error = await rejection(NodeDisk.open(location));
    assert.match(error.message, 'it, or a folder above it, is a file (ENOTDIR)');
  }
  await symlink(join(directory, 'nowhere'), join(directory, 'link'));
  const ofLink = await rejection(NodeDisk.open(join(directory, 'link')));
  assert.match(ofLink.message, /it is a link that leads nowhere/);
  if (process.platform !== 'linux') return;
  const error = await rejection(NodeDisk.open('/proc/quorate'));
  assert.match(
    error.message,
    /Cannot use \/proc\/quorate as a data directory: .* takes no directories, .* Give a path on a disk/,
  );
});

test('a session secret that cannot be read or made is refused by name of the file', async ({ directory }) => {
  await mkdir(join(directory, 'session-secret'));
  const unreadable = await rejection(memberSecret(directory, new SeededRandom(1)));
  assert.is(unreadable.code, 'STORAGE_FAILED');
  assert.match(unreadable.message, /session-secret/);
  const missing = await rejection(memberSecret(join(directory, 'gone'), new SeededRandom(1)));
  assert.is(missing.code, 'STORAGE_FAILED');
  assert.not.match(missing.message, 'what the disk holds');
});

test.run();
