import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StateMachine } from '../../../../../core/data/index.js';
import { silentLogger, type Clock, type Timer } from '../../../../../core/runtime/index.js';
import { verifyBackup } from '../../../../../core/server/index.js';
import type { Member } from '../../../../../core/server/member/index.js';
import { startingHealth } from '../../../../../core/server/member/index.js';
import { ScheduledBackups } from '../../../../../core/server/process/backups/scheduled-backups.js';

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 10, 30);

/** Time that moves when a test says so; what is due is begun then. */
class ManualClock implements Clock {
  #now = 0;
  #timers: { readonly at: number; readonly task: () => void }[] = [];

  now = (): number => this.#now;
  wall = (): number => BEGIN + this.#now;
  soon = (task: () => void): void => void setImmediate(task);

  setTimer(delayMs: number, task: () => void): Timer {
    const timer = { at: this.#now + delayMs, task };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((each) => each !== timer)) };
  }

  /** Delays of the timers that are set. */
  get delays(): readonly number[] {
    return this.#timers.map(({ at }) => at - this.#now);
  }

  pass(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { task } of due) task();
  }
}

let directory = '';
test.before.each(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quorate-'));
});
test.after.each(() => rm(directory, { recursive: true, force: true }));

function memberThat(isServing: boolean): Member {
  const machine = new StateMachine();
  const health = { ...startingHealth(1), isServing };
  return { health: () => health, snapshot: () => machine.snapshot() } as unknown as Member;
}

function schedule(
  clock: Clock,
  options: { readonly backupKeep?: number } = {},
  isServing = true,
): ScheduledBackups {
  const member = memberThat(isServing);
  return ScheduledBackups.of({
    id: 1,
    options: { backupDir: join(directory, 'backups'), backupEvery: HOUR, ...options },
    member: () => member,
    clock,
    logger: silentLogger,
  })!;
}

const files = async (): Promise<readonly string[]> => (await readdir(join(directory, 'backups'))).sort();

/** The timer that is due begins a backup; resolves when the next one is scheduled. */
async function taken(clock: ManualClock, ms: number): Promise<void> {
  clock.pass(ms);
  while (clock.delays.length === 0) await new Promise((resolve) => setImmediate(resolve));
}

test('a member takes a backup every so often, keeps the newest, and tells their age', async () => {
  const clock = new ManualClock();
  const backups = schedule(clock, { backupKeep: 2 });
  await backups.start();
  assert.equal(backups.status, { ageMs: null, failure: null });
  for (const ms of [0, HOUR, HOUR]) await taken(clock, ms);

  assert.equal(await files(), [
    'member-1-2026-11-30T01-00-00.000Z.backup',
    'member-1-2026-11-30T02-00-00.000Z.backup',
  ]);
  const newest = join(directory, 'backups', (await files())[1]!);
  assert.is((await stat(newest)).mode & 0o777, 0o600);
  assert.is((await verifyBackup(createReadStream(newest), newest)).znodes, 4);
  clock.pass(5);
  assert.equal(backups.status, { ageMs: 5, failure: null });
  await backups.close();
  assert.equal(clock.delays, []);
});

test('files of other members and of others stay, however many there are', async () => {
  const clock = new ManualClock();
  const backups = schedule(clock, { backupKeep: 1 });
  await backups.start();
  const others = ['member-2-2026-11-29T00-00-00.000Z.backup', 'member-1-notes.backup', 'a'];
  for (const name of others) await writeFile(join(directory, 'backups', name), '');
  for (const ms of [0, HOUR]) await taken(clock, ms);
  assert.equal(await files(), [...others, 'member-1-2026-11-30T01-00-00.000Z.backup'].sort());
  await backups.close();
});

test('a member that does not serve takes no backup, and tries again in a minute', async () => {
  const clock = new ManualClock();
  const backups = schedule(clock, {}, false);
  await backups.start();
  await taken(clock, 0);
  assert.equal(await files(), []);
  assert.equal(clock.delays, [60_000]);
  await backups.close();
});

test('a backup that fails is named, tried again in a minute, and deletes no older one', async () => {
  const clock = new ManualClock();
  const backups = schedule(clock, { backupKeep: 1 });
  await backups.start();
  await taken(clock, 0);
  const [before] = await files();
  await rm(join(directory, 'backups'), { recursive: true });
  await writeFile(join(directory, 'backups'), 'no directory');
  await taken(clock, HOUR);
  assert.match(backups.status.failure!, /Cannot write/);
  assert.is(backups.status.ageMs, HOUR);
  assert.equal(clock.delays, [60_000]);
  assert.ok(before !== undefined);
  await backups.close();
});

test('a restart neither repeats nor delays a backup', async () => {
  const clock = new ManualClock();
  const first = schedule(clock);
  await first.start();
  await taken(clock, 0);
  await first.close();
  const [name] = await files();
  const { utimes } = await import('node:fs/promises');
  const at = new Date(BEGIN);
  await utimes(join(directory, 'backups', name!), at, at);
  clock.pass(HOUR / 4);

  const second = schedule(clock);
  await second.start();
  assert.equal(clock.delays, [(3 * HOUR) / 4]);
  await second.close();
});

test('a schedule without a directory, or out of range, is refused by name', () => {
  const of = (options: object) => () =>
    ScheduledBackups.of({
      id: 1,
      options,
      member: () => null,
      clock: new ManualClock(),
      logger: silentLogger,
    });
  assert.is(of({})(), null);
  assert.throws(of({ backupEvery: HOUR }), /backupEvery.*there is no backupDir/s);
  assert.throws(of({ backupDir: 'x', backupEvery: 5 }), /backupEvery/);
  assert.throws(of({ backupDir: 'x', backupKeep: 0 }), /backupKeep/);
});

test.run();
