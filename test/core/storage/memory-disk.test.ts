import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../core/runtime/index.js';
import { MemoryDisk, type Directory, type DiskFile } from '../../../core/storage/index.js';
import { VirtualClock } from '../../../core/testing/index.js';
import { rejection } from './history.js';

const bytes = (text: string): Buffer => Buffer.from(text);
const text = (disk: MemoryDisk, name: string): string => Buffer.from(disk.contentOf(name)).toString();

/** A disk with a synced file `log` that says `durable`. */
async function prepared(seed = 1): Promise<{ disk: MemoryDisk; directory: Directory; file: DiskFile }> {
  const disk = new MemoryDisk(new SeededRandom(seed));
  const directory = await disk.lock();
  const file = await directory.open('log', 'create');
  await file.write(0, bytes('durable'));
  await file.sync();
  await directory.syncDirectory();
  return { disk, directory, file };
}

test('a power failure takes what was not synced, the death of a process does not', async () => {
  const { disk, file } = await prepared();
  await file.write(7, bytes(' and not'));

  disk.crash('keep');
  assert.is(text(disk, 'log'), 'durable and not');
  disk.crash('lose');
  assert.is(text(disk, 'log'), 'durable');
});

test('what is written through is synced by itself, and fails as a sync does', async () => {
  const { disk, file } = await prepared();
  await file.writeThrough(0, bytes('D'));
  disk.fail({ operation: 'sync' });
  await rejection(file.writeThrough(1, bytes('U')));

  assert.is(text(disk, 'log'), 'DUrable');
  disk.crash('lose');
  assert.is(text(disk, 'log'), 'Durable');
});

test('an unsynced write or truncation within synced bytes is taken back too', async () => {
  const { disk, file } = await prepared();
  await file.write(0, bytes('D'));
  await file.truncate(3);

  disk.crash('lose');

  assert.is(text(disk, 'log'), 'durable');
});

test('a created, renamed or removed file needs the directory to be synced', async () => {
  const { disk, directory } = await prepared();
  const created = await directory.open('new', 'create');
  await created.write(0, bytes('x'));
  await created.sync();
  await directory.rename('log', 'renamed');
  const copy = disk.copy();

  disk.crash('lose');

  assert.equal(disk.names(), ['log']);
  assert.equal(copy.names(), ['new', 'renamed']);
});

test('a renamed file replaces another one, and the other one comes back if that was not synced', async () => {
  const { disk, directory } = await prepared();
  const draft = await directory.open('draft', 'create');
  await draft.write(0, bytes('newer'));
  await draft.sync();
  await directory.syncDirectory();

  await directory.rename('draft', 'log');
  assert.is(text(disk, 'log'), 'newer');
  disk.crash('lose');

  assert.is(text(disk, 'log'), 'durable');
  assert.is(text(disk, 'draft'), 'newer');
});

test('a random power failure leaves torn, partial and reordered writes, and never touches what was synced', async () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const { disk, file } = await prepared(seed);
    await file.write(7, bytes('a'.repeat(600)));
    await file.write(607, bytes('b'.repeat(600)));

    disk.crash('random');

    const found = text(disk, 'log');
    assert.is(found.slice(0, 7), 'durable');
    outcomes.add(found);
  }
  const has = (pattern: RegExp): boolean => [...outcomes].some((found) => pattern.test(found));
  assert.ok(has(/^durable$/), 'all lost');
  assert.ok(has(/^durablea{600}b{600}$/), 'all kept');
  assert.ok(has(/^durablea{1,599}$/), 'torn');
  assert.ok(has(/^durable\0+b+$/), 'a later write without an earlier one');
});

test('a block that was never synced may hold what a removed file had there, and no synced block does', async () => {
  const block = 4096;
  let stale = 0;
  for (let seed = 0; seed < 100; seed++) {
    const disk = new MemoryDisk(new SeededRandom(seed));
    const directory = await disk.lock();
    const old = await directory.open('old', 'create');
    await old.write(0, bytes('o'.repeat(3 * block)));
    await old.sync();
    const file = await directory.open('log', 'create');
    await file.write(0, bytes('s'.repeat(block)));
    await file.sync();
    await directory.syncDirectory();
    await directory.remove('old');
    await directory.syncDirectory();
    await file.write(block, bytes('n'.repeat(2 * block)));

    disk.crash('random');

    const found = text(disk, 'log');
    assert.is(found.slice(0, block), 's'.repeat(block));
    assert.match(found.slice(block), /^[no\0]*$/);
    if (found.includes('o')) stale += 1;
  }
  assert.ok(stale > 5, `${stale} of 100`);
});

test('the calls of a process that died never settle and change nothing', async () => {
  const { disk, directory, file } = await prepared();
  disk.crash('keep');
  let settled = 0;
  for (const call of [
    file.write(0, bytes('ghost')),
    file.sync(),
    directory.list(),
    directory.remove('log'),
  ]) {
    void call.finally(() => settled++);
  }
  await new Promise((resolve) => setImmediate(resolve));

  assert.is(settled, 0);
  assert.is(text(disk, 'log'), 'durable');
  await directory.release();
  const lock = await disk.lock();
  assert.is((await rejection(disk.lock())).code, 'DATA_DIRECTORY_LOCKED');
  await lock.release();
});

test('a planned crash comes in the midst of the operation that it names', async () => {
  const { disk, file } = await prepared();
  const crashed = disk.crashAfter(2, 'keep');

  await file.write(7, bytes('!'));
  void file.write(8, bytes('!'));
  await crashed;

  assert.is(text(disk, 'log'), 'durable!!');
});

test('planned failures come after so many successes, so often, and only for the files they name', async () => {
  const { disk, directory, file } = await prepared();
  const other = await directory.open('other', 'create');
  disk.fail({ operation: 'write', file: 'log', code: 'EIO', after: 1, times: 2 });

  await other.write(0, bytes('x'));
  await file.write(0, bytes('1'));
  const first = await rejection(file.write(0, bytes('2')));
  const second = await rejection(file.write(0, bytes('2')));
  await file.write(0, bytes('3'));

  assert.is(first.code, 'EIO');
  assert.is(second.code, 'EIO');
  assert.is(text(disk, 'log'), '3urable');
});

test('what a failed sync let go stays visible and is lost, whatever is synced later', async () => {
  const { disk, file } = await prepared();
  await file.write(0, bytes('D'));
  disk.fail({ operation: 'sync' });
  await rejection(file.sync());
  assert.is(text(disk, 'log'), 'Durable');

  await file.sync();
  disk.crash('lose');

  assert.is(text(disk, 'log'), 'durable');
});

test('a full disk takes the part of a write that fits', async () => {
  const { disk, file } = await prepared();
  disk.capacityBytes = 10;

  const error = await rejection(file.write(7, bytes('12345')));

  assert.is(error.code, 'ENOSPC');
  assert.is(text(disk, 'log'), 'durable123');
  await file.write(0, bytes('D'));
});

test('slow syncs take their time on the clock', async () => {
  const { disk, file } = await prepared();
  const clock = new VirtualClock();
  disk.slowSyncs(clock, 3000);

  const syncing = file.sync();
  await clock.waitFor(syncing, 10_000);

  assert.is(clock.now(), 3000);
});

test('a flipped bit is there for readers and survives a crash', async () => {
  const { disk } = await prepared();

  disk.flipBit('log', 0, 5);
  disk.crash('lose');

  assert.is(text(disk, 'log'), 'Durable');
  assert.throws(() => disk.flipBit('log', 7), RangeError);
});

test.run();
