import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../../core/storage/index.js';
import { content, entries, entry, find, plain, start, zxid } from './history.js';

function snapshots(disk: MemoryDisk): readonly string[] {
  return disk.names().filter((name) => name.startsWith('snapshot'));
}

/** A disk with 100 entries in several segments, and snapshots at these counters, in this order. */
async function diskWith(counters: readonly number[], snapshotsKept: number): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { snapshotsKept });
  await storage.persist({ acceptedEpoch: 1 });
  for (let first = 0; first < 100; first += 10)
    await storage.persist({ entries: entries(first, 10, { bytes: 110 }) });
  for (const [index, counter] of counters.entries())
    await storage.writeSnapshot(zxid(counter), [], content(`tree ${index}`));
  await storage.close();
  return disk;
}

test('the log is whole until there are as many snapshots as are kept', async () => {
  const disk = await diskWith([50, 90], 3);
  for (const name of snapshots(disk)) disk.flipBit(name, 60);

  const found = await find(disk);

  assert.is(found.snapshot, null);
  assert.equal(found.entries, entries(0, 100, { bytes: 110 }).map(plain));
});

test('a snapshot that is taken again at the same zxid takes the place of the older one, and counts once', async () => {
  const disk = await diskWith([20, 50, 50, 50], 2);
  assert.is(snapshots(disk).length, 2);
  assert.is((await find(disk)).snapshot?.content, 'tree 3');
  disk.flipBit(snapshots(disk)[1]!, 60);
  assert.is((await find(disk)).snapshot?.content, 'tree 0', 'the older one is there to fall back to');
});

test('the only snapshot that is kept may be taken again at the same zxid', async () => {
  const disk = await diskWith([50, 50, 50], 1);
  const found = await find(disk);
  assert.is(found.snapshot?.content, 'tree 2');
  assert.equal(found.entries, entries(51, 49, { bytes: 110 }).map(plain));
});

test('a log whose file ends with the entry of the snapshot may be cut back to that entry', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { snapshotsKept: 1 });
  await storage.persist({ acceptedEpoch: 2 });
  // Each group fills a file, so that the next one begins another.
  for (let first = 0; first < 40; first += 10)
    await storage.persist({ entries: entries(first, 10, { bytes: 500 }) });
  await storage.writeSnapshot(zxid(19), [{ epoch: 1, lastZxid: zxid(19) }], content('tree'));
  assert.equal((await storage.readEntries(zxid(18), 1))?.map(plain), [plain(entry(19, { bytes: 500 }))]);

  await storage.persist({ truncateAfter: zxid(19) });
  const found = await find(disk.copy());
  assert.is(found.snapshot?.content, 'tree');
  assert.equal(found.entries, []);
  await storage.close();
});

test('an installed snapshot takes the place of all older ones, and later purges count from it', async () => {
  const disk = await diskWith([20, 50], 2);
  const { storage } = await start(disk, { snapshotsKept: 2 });
  await storage.persist({ acceptedEpoch: 2 });
  await storage.installSnapshot(zxid(9, 2), [{ epoch: 2, lastZxid: zxid(9, 2) }], content('installed'));
  assert.is(snapshots(disk).length, 1);
  for (let first = 10; first < 50; first += 10) {
    await storage.persist({ entries: entries(first, 10, { epoch: 2, bytes: 110 }) });
    await storage.writeSnapshot(
      zxid(first, 2),
      [{ epoch: 2, lastZxid: zxid(first, 2) }],
      content(`at ${first}`),
    );
    assert.is(snapshots(disk).length, 2);
  }
  await storage.close();
  const found = await find(disk);
  assert.is(found.snapshot?.content, 'at 40');
  assert.is(found.entries.length, 9);
});

test.run();
