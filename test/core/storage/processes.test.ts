import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileStorage, NodeDisk } from '../../../core/storage/index.js';
import { entry, plain, rejection, start } from './history.js';

const WRITER = fileURLToPath(new URL('./writer-process.js', import.meta.url));
const KILLS = 12;

const test = suite<{ directory: string }>('a data directory and its processes');
test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'quorate-storage-'));
});
test.after.each(({ directory }) => rm(directory, { recursive: true, force: true }));

/** Runs a writer until it has said `lines` lines, kills it, and returns all that it said. */
async function writeAndKill(
  directory: string,
  lines: number,
): Promise<{ said: string[]; child: ChildProcess }> {
  const child = spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  return { said, child };
}

function number(line: string | undefined): number {
  return Number(line?.split(' ')[1]);
}

test('kill -9 at any moment loses nothing acknowledged, leaves no lock, and the next process goes on', async ({
  directory,
}) => {
  let acknowledged = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const { said } = await writeAndKill(directory, 2 + kill * 3);

    const found = number(said[0]);
    assert.ok(found >= acknowledged, `${found} entries found, ${acknowledged} were acknowledged`);
    acknowledged = number(said.at(-1));
  }
  const { storage, found } = await start(await NodeDisk.open(directory));
  await storage.close();
  // The last kill may have come right behind a snapshot, which tells how many entries it stands for.
  const inSnapshot = Number(found.snapshot?.content ?? 0);
  found.entries.forEach((kept, index) =>
    assert.equal(kept, plain(entry(inSnapshot + index, { bytes: 100 }))),
  );
  assert.ok(inSnapshot + found.entries.length >= acknowledged);
});

test('a directory that another process uses is refused, naming the process', async ({ directory }) => {
  const child = spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));

  const error = await rejection(FileStorage.open({ disk: await NodeDisk.open(directory) }));

  assert.is(error.code, 'DATA_DIRECTORY_LOCKED');
  assert.match(error.message, `process ${child.pid}`);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  const storage = await FileStorage.open({ disk: await NodeDisk.open(directory) });
  await storage.close();
});

test('a lock whose process number was taken over by another process is stale', async ({ directory }) => {
  const disk = await NodeDisk.open(directory);
  const lock = await disk.lock();
  const text = await readFile(join(directory, 'lock'), 'utf8');
  await lock.release();
  const owner = JSON.parse(text) as { pid: number; startedAt: string; boot: string };

  for (const stale of [
    { ...owner, startedAt: 'earlier' },
    { ...owner, boot: 'before the last boot' },
  ]) {
    if (owner.startedAt === '') break;
    await writeFile(join(directory, 'lock'), JSON.stringify(stale));
    const storage = await FileStorage.open({ disk });
    await storage.close();
  }
});

test('a lock file that says nothing locks nothing', async ({ directory }) => {
  const disk = await NodeDisk.open(directory);
  for (const text of ['', '{', 'null', '{"pid":"x"}']) {
    await writeFile(join(directory, 'lock'), text);
    const lock = await disk.lock();
    await lock.release();
  }
});

test('of several that start at the same time one gets the directory', async ({ directory }) => {
  const disk = await NodeDisk.open(directory);
  await writeFile(join(directory, 'lock'), 'stale');

  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => disk.lock()));

  const won = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  assert.is(won.length, 1);
  await won[0]!.value.release();
  // Without `flock` the number of the lock stays, and the next process counts on from it.
  assert.equal(
    (await readdir(directory)).filter((name) => !/^lock\.\d+$/.test(name)),
    ['lock.previous'],
  );
});

test('a data directory that is a file is refused in words', async ({ directory }) => {
  await writeFile(join(directory, 'file'), '');

  const error = await rejection(NodeDisk.open(join(directory, 'file')));

  assert.is(error.code, 'STORAGE_FAILED');
  assert.match(error.message, 'it, or a folder above it, is a file');
  assert.not.match(error.message, 'what the disk holds');
});

test('without a descriptor a snapshot waits, with a single one it is taken, and the storage goes on', async ({
  directory,
}) => {
  if (process.platform === 'win32') return;
  const script = fileURLToPath(new URL('./descriptor-process.js', import.meta.url));
  const child = spawn('bash', ['-c', 'ulimit -n 200; exec "$0" "$@"', process.execPath, script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) said.push(line);

  assert.equal(said, ['SNAPSHOT_POSTPONED taken']);
  const { storage, found } = await start(await NodeDisk.open(directory));
  await storage.close();
  assert.equal([found.snapshot?.content, found.entries.at(-1)?.zxid], ['tree', entry(124).zxid]);
});

test.run();
