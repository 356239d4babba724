import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../core/runtime/index.js';
import { CorruptionError, MemoryDisk } from '../../../core/storage/index.js';
import {
  content,
  entries,
  find,
  plain,
  recordingLogger,
  rejection,
  start,
  zxid,
  type Found,
} from './history.js';
import { endOfRecords } from './log-layout.js';

const ACKNOWLEDGED = 70;
const LAST_GROUP = 4;

/**
 * A directory with three segments, a snapshot in the middle and a last group of four records; as a crash right
 * after the last acknowledgement leaves it, or as an orderly close does.
 */
async function madeDirectory(options: { close: boolean }): Promise<MemoryDisk> {
  const disk = new MemoryDisk(new SeededRandom(3));
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1 });
  for (let first = 0; first < ACKNOWLEDGED; first += 10) {
    await storage.persist({ entries: entries(first, 10, { bytes: 110 }) });
  }
  await storage.writeSnapshot(zxid(20), [{ epoch: 1, lastZxid: zxid(20) }], content('tree'));
  await storage.persist({ entries: entries(ACKNOWLEDGED, LAST_GROUP, { bytes: 110 }) });
  if (options.close) await storage.close();
  return disk.copy();
}

const whole = entries(21, ACKNOWLEDGED + LAST_GROUP - 21, { bytes: 110 }).map(plain);
const withoutLastGroup = whole.slice(0, -LAST_GROUP);

function lastLog(disk: MemoryDisk): string {
  return disk.names().findLast((name) => name.startsWith('log'))!;
}

function requirePrefix(found: Found, least: number, context: string): void {
  assert.ok(
    found.entries.length >= least,
    `${context}: only ${found.entries.length} entries, ${least} are due`,
  );
  assert.equal(found.entries, whole.slice(0, found.entries.length), context);
}

test('a log whose last write ends at any byte gives all that was acknowledged before, and a prefix of the rest', async () => {
  const disk = await madeDirectory({ close: false });
  const name = lastLog(disk);
  const bytes = disk.contentOf(name);
  const end = endOfRecords(bytes);
  const start = end - LAST_GROUP * 144;

  for (let cut = start; cut <= end; cut++) {
    const copy = disk.copy();
    copy.replace(name, bytes.slice().fill(0, cut));

    const found = await find(copy);

    requirePrefix(found, withoutLastGroup.length, `cut at ${cut}`);
    assert.equal(await find(copy), found, 'a second recovery finds the same');
  }
});

test('a torn tail is cut and kept beside the log, with a warning that names file and offset', async () => {
  const disk = await madeDirectory({ close: false });
  const name = lastLog(disk);
  const bytes = disk.contentOf(name);
  disk.replace(name, bytes.slice().fill(0, endOfRecords(bytes) - 5));
  const logger = recordingLogger();

  await find(disk, { logger });

  assert.is(logger.lines.length, 1);
  assert.is(logger.lines[0]!.fields.file, name);
  assert.type(logger.lines[0]!.fields.offset, 'number');
  const kept = String(logger.lines[0]!.fields.keptAs);
  assert.is(disk.contentOf(kept).length, logger.lines[0]!.fields.bytes);
  await find(disk, { logger });
  assert.is(logger.lines.length, 1, 'it is gone for good');
});

test('a bit flipped anywhere in the log after a crash is refused, or harmless, or in the unproven last group', async () => {
  const disk = await madeDirectory({ close: false });
  for (const name of disk.names().filter((file) => file.startsWith('log'))) {
    const end = endOfRecords(disk.contentOf(name));
    for (let offset = 0; offset < end + 40; offset += offset < 200 || offset > end - 700 ? 1 : 11) {
      const copy = disk.copy();
      if (offset >= copy.contentOf(name).length) continue;
      copy.flipBit(name, offset, offset % 8);
      const context = `${name}, byte ${offset}`;
      const isInLastGroup = name === lastLog(disk) && offset >= end - LAST_GROUP * 144 && offset < end;

      const outcome = await find(copy).catch((error: unknown) => error as Error);

      if (outcome instanceof Error) assert.instance(outcome, CorruptionError, `${context}: ${outcome.stack}`);
      else requirePrefix(outcome, isInLastGroup ? withoutLastGroup.length : whole.length, context);
    }
  }
});

test('after an orderly close a flipped bit in any record is refused, in the last one too', async () => {
  const disk = await madeDirectory({ close: true });
  const name = lastLog(disk);
  const bytes = disk.contentOf(name);
  const end = endOfRecords(bytes);
  for (let offset = end - LAST_GROUP * 144; offset < end; offset++) {
    const copy = disk.copy();
    copy.flipBit(name, offset, offset % 8);

    const outcome = await find(copy).catch((error: unknown) => error as Error);

    if (outcome instanceof Error) assert.instance(outcome, CorruptionError);
    else assert.equal(outcome.entries, whole, `byte ${offset} of ${name} can only be padding`);
  }
});

test('a corruption error says which file, which offset and what to do', async () => {
  const disk = await madeDirectory({ close: false });
  disk.flipBit(lastLog(disk), 300);

  const error = await rejection(find(disk));

  assert.is(error.code, 'STORAGE_CORRUPT');
  assert.is(error.fields?.file, lastLog(disk));
  assert.is(error.fields?.offset, 64 + 144);
  assert.match(error.message, 'quorate doctor ');
});

test('a refusal changes nothing on the disk', async () => {
  const disk = await madeDirectory({ close: false });
  disk.flipBit(lastLog(disk), 300);
  disk.flipBit('snapshot-00000000-0000000100000014', 70);
  const before = disk.names().map((name) => [name, Buffer.from(disk.contentOf(name)).toString('hex')]);

  await rejection(find(disk));

  assert.equal(
    disk.names().map((name) => [name, Buffer.from(disk.contentOf(name)).toString('hex')]),
    before,
  );
});

test('a zeroed block in the middle of the log is refused', async () => {
  const disk = await madeDirectory({ close: false });
  for (const name of disk
    .names()
    .filter((file) => file.startsWith('log'))
    .slice(1)) {
    const copy = disk.copy();
    const bytes = copy.contentOf(name);
    copy.replace(name, bytes.fill(0, 512, 1024));

    assert.instance(await rejection(find(copy)), CorruptionError);
  }
});

test('a damaged snapshot is set aside when the log reaches back far enough', async () => {
  const disk = await madeDirectory({ close: false });
  const name = 'snapshot-00000000-0000000100000014';
  const size = disk.contentOf(name).length;
  for (let offset = 0; offset < size; offset++) {
    const copy = disk.copy();
    copy.flipBit(name, offset);

    const found = await find(copy);

    assert.is(found.snapshot, null, `byte ${offset}`);
    assert.equal(found.entries, entries(0, ACKNOWLEDGED + LAST_GROUP, { bytes: 110 }).map(plain));
    assert.ok(copy.names().includes(`${name}.damaged`));
  }
});

test('a snapshot cut at any byte is not taken for one', async () => {
  const disk = await madeDirectory({ close: false });
  const name = 'snapshot-00000000-0000000100000014';
  const bytes = disk.contentOf(name);
  for (let cut = 0; cut < bytes.length; cut++) {
    const copy = disk.copy();
    copy.replace(name, bytes.slice(0, cut));

    assert.is((await find(copy)).snapshot, null, `cut at ${cut}`);
  }
});

test('an older snapshot serves when the newest is damaged, with the log behind it', async () => {
  const disk = await madeDirectory({ close: true });
  const { storage } = await start(disk);
  await storage.writeSnapshot(zxid(72), [], content('newer tree'));
  await storage.close();
  disk.flipBit('snapshot-00000000-0000000100000048', 60);

  const found = await find(disk);

  assert.is(found.snapshot?.content, 'tree');
  assert.equal(found.entries, whole);
});

test('what a purge leaves is enough to start from the oldest snapshot that it keeps', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { snapshotsKept: 2 });
  await storage.persist({ acceptedEpoch: 1 });
  for (let round = 0; round < 20; round++) {
    await storage.persist({ entries: entries(round * 10, 10, { bytes: 110 }) });
    if (round % 5 === 4) await storage.writeSnapshot(zxid(round * 10), [], content(`round ${round}`));
  }
  await storage.close();
  const snapshots = disk.names().filter((name) => name.startsWith('snapshot'));
  assert.is(snapshots.length, 2);
  disk.flipBit(snapshots[1]!, 60);

  const found = await find(disk);

  assert.is(found.snapshot?.content, 'round 14');
  assert.equal(found.entries, entries(141, 59, { bytes: 110 }).map(plain));
});

test('without any snapshot that verifies a log that does not reach back to the beginning is refused', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { snapshotsKept: 1 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 40, { bytes: 110 }) });
  await storage.persist({ entries: entries(40, 40, { bytes: 110 }) });
  await storage.writeSnapshot(zxid(60), [], content('tree'));
  await storage.close();
  const snapshot = disk.names().find((name) => name.startsWith('snapshot'))!;
  const missing = disk.copy();
  missing.forget(snapshot);
  disk.flipBit(snapshot, 60);

  assert.match((await rejection(find(disk))).message, 'no snapshot that verifies reaches up to there');
  assert.match((await rejection(find(missing))).message, 'no snapshot that verifies reaches up to there');
});

test('every file of the history that is missing is missed', async () => {
  const disk = await madeDirectory({ close: true });
  const { storage } = await start(disk);
  await storage.writeSnapshot(zxid(73), [], content('newest tree'));
  await storage.close();
  const logs = disk.names().filter((name) => name.startsWith('log'));
  assert.ok(logs.length >= 3);
  for (const name of ['identity', 'accepted-epoch', 'end-of-log', logs.at(-1)!]) {
    const copy = disk.copy();
    copy.forget(name);

    assert.instance(await rejection(find(copy)), CorruptionError, name);
  }
  const withoutLog = disk.copy();
  for (const name of logs) withoutLog.forget(name);
  assert.instance(await rejection(find(withoutLog)), CorruptionError);
});

test('a segment missing in the middle, or copied from another directory, is refused', async () => {
  const disk = await madeDirectory({ close: true });
  const other = new MemoryDisk();
  const { storage } = await start(other, { random: new SeededRandom(99) });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 10) });
  await storage.close();
  const logs = disk.names().filter((name) => name.startsWith('log'));
  disk.forget('snapshot-00000000-0000000100000014');
  const foreign = disk.copy();
  foreign.replace(logs[0]!, other.contentOf(logs[0]!));
  const withHole = disk.copy();
  withHole.forget(logs[1]!);

  assert.match((await rejection(find(foreign))).message, 'written in another data directory');
  assert.instance(await rejection(find(withHole)), CorruptionError);
});

test('a promise that cannot be read, or that is older than the history, is refused', async () => {
  const disk = await madeDirectory({ close: true });
  const old = disk.contentOf('accepted-epoch');
  for (let offset = 0; offset < old.length; offset++) {
    const copy = disk.copy();
    copy.flipBit('accepted-epoch', offset);
    assert.instance(await rejection(find(copy)), CorruptionError, `byte ${offset}`);
  }
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 2, entries: entries(0, 3, { epoch: 2 }) });
  await storage.close();
  disk.replace('accepted-epoch', old);

  assert.match((await rejection(find(disk))).message, 'it is an old copy');
});

/** A new directory, into which a snapshot of a leader was installed, with so many entries behind it. */
async function installed(count: number): Promise<{ readonly disk: MemoryDisk; readonly old: Uint8Array }> {
  const disk = new MemoryDisk(new SeededRandom(3));
  const { storage } = await start(disk);
  const old = disk.contentOf('end-of-log').slice();
  await storage.persist({ acceptedEpoch: 2, rejoining: 'new' });
  await storage.installSnapshot(zxid(9, 2), [{ epoch: 2, lastZxid: zxid(9, 2) }], content('state'));
  await storage.persist({ rejoining: null, entries: entries(10, count, { epoch: 2 }) });
  await storage.close();
  return { disk, old };
}

test('an end-of-log of before a snapshot was installed is refused, and nothing is removed or set aside', async () => {
  for (const [count, later] of [
    [3, 'log'],
    [0, 'snapshot'],
  ] as const) {
    const { disk, old } = await installed(count);
    disk.replace('end-of-log', old);
    const names = disk.names();

    const error = await rejection(find(disk));

    assert.instance(error, CorruptionError);
    const reason = `end-of-log .*it names generation 0 and ${later}-00000001-\\w+ is of a later one`;
    assert.match(error.message, new RegExp(reason));
    assert.equal(disk.names(), names);
    const { rejoining, snapshot } = await find(disk, { canRejoin: true });
    assert.equal([rejoining, snapshot?.zxid], ['damaged', zxid(9, 2)], later);
  }
});

test('a damaged block of end-of-log brings no history back that an installed snapshot has replaced', async () => {
  const { disk } = await installed(0);
  for (const block of [0, 1]) {
    const copy = disk.copy();
    copy.flipBit('end-of-log', block * 4096 + 60);

    const { rejoining, snapshot } = await find(copy);

    assert.equal([rejoining, snapshot?.zxid], [null, zxid(9, 2)], `block ${block}`);
  }
});

test('an interrupted installation of a snapshot is undone, also if undoing it is interrupted', async () => {
  const disk = await madeDirectory({ close: true });
  const before = await find(disk);
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 2 });
  // The second write into end-of-log is the switch: the first one announces it.
  disk.fail({ operation: 'write', file: 'end-of-log', after: 1 });
  await rejection(storage.installSnapshot(zxid(9, 2), [], content('state')));
  await storage.close();
  assert.ok(disk.names().some((name) => name.startsWith('snapshot-00000001')));

  disk.repair();
  disk.fail({ operation: 'remove' });
  await rejection(find(disk));
  const after = await find(disk);

  assert.equal(after, { ...before, acceptedEpoch: 2 });
  assert.not.ok(disk.names().some((name) => name.startsWith('snapshot-00000001')));
  assert.equal(await find(disk), after);
});

test('a file of the log without a whole header is refused', async () => {
  const disk = await madeDirectory({ close: true });
  const header = disk.contentOf(lastLog(disk)).slice(0, 64);
  const name = 'log-00000000-000000010000004a';
  for (const bytes of [new Uint8Array(0), header.slice(0, 20), new Uint8Array(4096)]) {
    const copy = disk.copy();
    copy.replace(name, bytes);

    const error = await rejection(find(copy));

    assert.instance(error, CorruptionError);
    assert.is(error.fields?.file, name);
  }
});

test('damage in the cold part of the log is noticed by whoever reads it', async () => {
  const disk = await madeDirectory({ close: true });
  const { storage: first } = await start(disk);
  await first.writeSnapshot(zxid(73), [], content('newest tree'));
  await first.close();
  disk.flipBit(
    disk.names().find((name) => name.startsWith('log'))!,
    500,
  );
  const { storage } = await start(disk);

  const error = await rejection(storage.readEntries(0n, 1e9));

  assert.instance(error, CorruptionError);
  await storage.persist({ entries: entries(74, 1) });
  await storage.close();
});

test.run();
