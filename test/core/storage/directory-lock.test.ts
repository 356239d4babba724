import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fsPromises, { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NodeDisk } from '../../../core/storage/index.js';
import { takeLockFile } from '../../../core/storage/lock-files.js';
import { describeSelf } from '../../../core/storage/lock-owner.js';
import { rejection } from './history.js';

const LOCK_PROCESS = fileURLToPath(new URL('./lock-process.js', import.meta.url));
const PROCESSES = 4;
const ROUNDS = 6;
const LOCKED = 'DATA_DIRECTORY_LOCKED';
/** What a process of an earlier boot left. */
const STALE = JSON.stringify({ pid: 4_194_001, startedAt: '1', boot: 'earlier', namespace: '' });
const hasFlock = spawnSync('flock', ['--version']).status === 0 && process.platform !== 'win32';

const test = suite<{ directory: string }>('the lock of a directory');
const started = new Set<ChildProcess>();
test.before.each(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'quorate-lock-'));
});
test.after.each(async ({ directory }) => {
  await Promise.all([...started].map(kill));
  await rm(directory, { recursive: true, force: true });
});

async function kill(child: ChildProcess): Promise<void> {
  started.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** A process that locks when told to. Without `flock` in its search path it has to use lock files. */
class Locker {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async start(directory: string, kind: 'flock' | 'files'): Promise<Locker> {
    const env = kind === 'flock' ? process.env : { ...process.env, PATH: directory };
    const child = spawn(process.execPath, [LOCK_PROCESS, directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env,
    });
    started.add(child);
    const locker = new Locker(child);
    assert.is(await locker.#line(), 'ready');
    return locker;
  }

  tell(command: 'lock' | 'release' | 'child'): Promise<string> {
    this.child.stdin!.write(`${command}\n`);
    return this.#line();
  }

  /** '' when the process has ended. */
  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    return done === true ? '' : value;
  }
}

/** All of them lock at the same time; returns those that hold the lock then. */
async function race(lockers: readonly Locker[]): Promise<readonly Locker[]> {
  const answers = await Promise.all(lockers.map((locker) => locker.tell('lock')));
  for (const answer of answers) assert.ok(['held', LOCKED].includes(answer), answer);
  return lockers.filter((_, index) => answers[index] === 'held');
}

/**
 * Races round after round. Between them the holder releases, or is killed, or several are killed while they
 * lock, and now and then somebody leaves a stale record. `kinds` are dealt to the processes in turn.
 */
async function contend(directory: string, kinds: readonly ('flock' | 'files')[]): Promise<void> {
  const start = (index: number): Promise<Locker> => Locker.start(directory, kinds[index % kinds.length]!);
  const lockers = await Promise.all(Array.from({ length: PROCESSES }, (_, index) => start(index)));
  const replace = async (index: number): Promise<void> => {
    await kill(lockers[index]!.child);
    lockers[index] = await start(index);
  };
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 3 === 0) await writeFile(join(directory, 'lock'), STALE);
    const holders = await race(lockers);
    assert.ok(holders.length <= 1, `${holders.length} processes hold the lock in round ${round}`);
    // One that was killed while it locked may have left a flock behind that is about to end; two kinds may
    // both withdraw.
    if (round % 3 !== 0 && kinds.length === 1) assert.is(holders.length, 1, `nobody in round ${round}`);
    const [holder] = holders;
    if (holder === undefined) continue;
    if (round % 3 === 1) await replace(lockers.indexOf(holder));
    else assert.is(await holder.tell('release'), 'released');
    if (round % 3 !== 2) continue;
    for (const { child } of lockers.slice(0, 2)) child.stdin!.write('lock\n');
    await Promise.all([replace(0), replace(1)]);
  }
}

test('of many processes that start at once on stale locks, and are killed at any time, one holds the lock', async ({
  directory,
}) => {
  if (hasFlock) await contend(directory, ['flock']);
});

test('the same without the program flock, where hard links are refused', ({ directory }) =>
  contend(directory, ['files']));

test('processes with flock and processes without it exclude each other', async ({ directory }) => {
  if (hasFlock) await contend(directory, ['flock', 'files']);
});

for (const kind of hasFlock ? (['flock', 'files'] as const) : (['files'] as const)) {
  const how = kind === 'flock' ? 'with flock' : 'with lock files';

  test(`${how} the lock of a killed process is free while a child of it lives`, async ({ directory }) => {
    const holder = await Locker.start(directory, kind);
    assert.is(await holder.tell('lock'), 'held');
    const child = Number(await holder.tell('child'));
    try {
      await kill(holder.child);
      const next = await Locker.start(directory, kind);
      assert.is(await next.tell('lock'), 'held');
      process.kill(child, 0);
    } finally {
      process.kill(child, 'SIGKILL');
    }
  });

  test(`${how} the refusal names process, machine and time of the holder`, async ({ directory }) => {
    const holder = await Locker.start(directory, kind);
    assert.is(await holder.tell('lock'), 'held');
    const error = await rejection((await NodeDisk.open(directory)).lock());
    const record = JSON.parse(await readFile(join(directory, 'lock'), 'utf8')) as Record<string, string>;
    assert.is(error.code, LOCKED);
    assert.match(
      error.message,
      `in use by process ${holder.child.pid} on ${record['host']}, since ${record['since']}`,
    );
    assert.equal(error.fields!['pid'], holder.child.pid);
  });

  test(`${how} a living process of 0.1.0 that holds the directory is respected`, async ({ directory }) => {
    const { pid, startedAt, boot, namespace } = await describeSelf(false);
    await writeFile(join(directory, 'lock'), JSON.stringify({ pid, startedAt, boot, namespace }));
    const late = await Locker.start(directory, kind);
    assert.is(await late.tell('lock'), LOCKED);
    await rm(join(directory, 'lock'));
    assert.is(await late.tell('lock'), 'held');
  });

  test(`${how} a directory that moved from another container is taken over`, async ({ directory }) => {
    const self = await describeSelf(false);
    const other = { ...self, pid: 1, namespace: 'pid:[1]', host: 'elsewhere' };
    await writeFile(join(directory, 'lock'), JSON.stringify(other));
    await mkdir(join(directory, 'lock.7'));
    await writeFile(join(directory, 'lock.7', 'owner'), JSON.stringify(other));
    const locker = await Locker.start(directory, kind);
    assert.is(await locker.tell('lock'), 'held');
    assert.equal(JSON.parse(await readFile(join(directory, 'lock.previous'), 'utf8')), other);
  });
}

test('with flock no process is left behind, and a removed record frees nothing', async ({ directory }) => {
  if (!hasFlock) return;
  const holder = await Locker.start(directory, 'flock');
  assert.is(await holder.tell('lock'), 'held');
  const { pid } = holder.child;
  assert.is((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim(), '');
  await rm(join(directory, 'lock'));
  const late = await Locker.start(directory, 'flock');
  assert.is(await late.tell('lock'), LOCKED);
});

test('a slow process that makes a number which was used and removed withdraws', async ({ directory }) => {
  const self = await describeSelf(false);
  await mkdir(join(directory, 'lock.5'));
  await writeFile(join(directory, 'lock.5', 'owner'), STALE);
  const { mkdir: makeFolder } = fsPromises;
  let between: unknown;
  fsPromises.mkdir = async (path) => {
    fsPromises.mkdir = makeFolder;
    syncBuiltinESMExports();
    // While the slow one is about to make number 6, another makes it and releases it, and a third one holds 7
    // and removes 6.
    const first = await takeLockFile(directory, self);
    assert.ok(first !== null && 'release' in first);
    await first.release();
    between = await takeLockFile(directory, self);
    assert.equal(await numbers(directory), ['lock.7']);
    await makeFolder(path);
    return undefined;
  };
  syncBuiltinESMExports();
  try {
    const slow = await takeLockFile(directory, self);
    assert.ok(between !== null && 'release' in (between as object));
    assert.equal(slow, self, 'it sees the living owner of number 7');
    assert.equal(await numbers(directory), ['lock.7']);
  } finally {
    fsPromises.mkdir = makeFolder;
    syncBuiltinESMExports();
  }
});

async function numbers(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => /^lock\.\d+$/.test(name)).sort();
}

test.run();
