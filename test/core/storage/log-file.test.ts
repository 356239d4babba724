import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk, type LogEntry } from '../../../core/storage/index.js';
import { entries, find, plain, start, zxid } from './history.js';

function logs(disk: MemoryDisk): { name: string; size: number }[] {
  return disk
    .names()
    .filter((name) => name.startsWith('log'))
    .map((name) => ({ name, size: disk.contentOf(name).length }));
}

test('a segment is preallocated, so that an append changes no size', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 160_000 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 1) });
  const [before] = logs(disk);

  for (let counter = 1; counter < 50; counter++) await storage.persist({ entries: entries(counter, 1) });

  assert.equal(logs(disk), [before]);
  assert.is(before?.size, 10_000);
  await storage.persist({ entries: entries(50, 100, { bytes: 100 }) });
  assert.ok(logs(disk)[0]!.size > 10_000, 'it grows by another piece when the first is used up');
  await storage.close();
});

test('a group is one write and one sync, however many entries it has', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 16_000_000 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 1) });
  const before = disk.operations;

  await Promise.all([
    storage.persist({ entries: entries(1, 500) }),
    storage.persist({ entries: entries(501, 500) }),
    storage.persist({ entries: entries(1001, 500) }),
  ]);

  assert.is(disk.operations - before, 2);
  await storage.close();
});

test('a segment that has reached its size is followed by one named by its first zxid', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 4096 });
  await storage.persist({ acceptedEpoch: 1 });
  for (let first = 0; first < 100; first += 10) {
    await storage.persist({ entries: entries(first, 10, { bytes: 100 }) });
  }
  await storage.close();

  const names = logs(disk).map(({ name }) => name);

  assert.ok(names.length > 2);
  for (const name of names) {
    const first = BigInt(`0x${name.split('-')[2]}`);
    assert.ok(first >= zxid(0) && (first - zxid(0)) % 10n === 0n, `${name} begins with a group`);
  }
  assert.is((await find(disk)).entries.length, 100);
});

test('after a cut in a large segment entries are read from any place of it', async () => {
  const disk = new MemoryDisk();
  const options = { segmentBytes: 4 << 20 };
  const { storage } = await start(disk, options);
  const kept = entries(0, 300, { bytes: 1000 });
  await storage.persist({ acceptedEpoch: 2 });
  for (let first = 0; first < 600; first += 20)
    await storage.persist({ entries: entries(first, 20, { bytes: 1000 }) });

  await storage.persist({ truncateAfter: zxid(299) });
  const later: LogEntry[] = [];
  for (let first = 0; first < 300; first += 20) {
    const group = entries(first, 20, { epoch: 2, bytes: 900 });
    await storage.persist({ entries: group });
    later.push(...group);
  }

  const all = [...kept, ...later];
  for (let from = 0; from < all.length - 1; from += 37) {
    const read = await storage.readEntries(all[from]!.zxid, 1e9);
    assert.equal(read?.map(plain), all.slice(from + 1).map(plain));
  }
  await storage.close();
  assert.equal((await find(disk, options)).entries, all.map(plain));
});

test('preallocated zeros behind the last record are a clean end, not damage and not a torn tail', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 160_000 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 3) });
  const sizes = logs(disk);

  const crashed = disk.copy();

  assert.is((await find(crashed)).entries.length, 3);
  assert.equal(logs(crashed), sizes, 'nothing was cut off');
  await storage.close();
});

test.run();
