/** Two rare things in a row: what the first one leaves must not harm when the second one comes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk, SnapshotPostponedError } from '../../../core/storage/index.js';
import { content, entries, find, plain, rejection, start, zxid } from './history.js';
import { endOfRecords } from './log-layout.js';

test('what was cut off a log is kept over a failure of power right after the cut', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 1 << 20 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 10) });
  const torn = disk.copy();
  await storage.close();
  const name = torn.names().find((one) => one.startsWith('log-'))!;
  const bytes = torn.contentOf(name).slice();
  const end = endOfRecords(bytes);
  torn.replace(name, bytes.fill(0x5a, end, end + 100));

  await start(torn, { segmentBytes: 1 << 20 });
  const cut = torn.names().find((one) => one.startsWith('cut-'))!;
  const kept = torn.contentOf(cut).slice();
  assert.ok(kept.includes(0x5a));
  torn.crash('lose');
  assert.equal(torn.contentOf(cut), kept);
});

test('a snapshot that is taken again and finds no descriptor to sync its name by leaves one of its name there', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { snapshotsKept: 1 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 100, { bytes: 100 }) });
  await storage.writeSnapshot(zxid(50), [], content('first'));
  disk.fail({ operation: 'syncDirectory', code: 'EMFILE' });
  const failure = await storage.writeSnapshot(zxid(50), [], content('second')).then(
    () => null,
    (error: unknown) => error,
  );
  assert.not.instance(failure, SnapshotPostponedError);
  await storage.close();
  const found = await find(disk);
  assert.is(found.snapshot?.zxid, zxid(50));
  assert.equal(found.entries, entries(51, 49, { bytes: 100 }).map(plain));
});

test('a snapshot is given up twice for want of room, and the third is taken', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 1 << 20 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
  const names = disk.names();
  disk.capacityBytes = disk.usedBytes + 1000;
  for (let attempt = 0; attempt < 2; attempt++) {
    const failure = await rejection(storage.writeSnapshot(zxid(4), [], content('x'.repeat(5000))));
    assert.instance(failure, SnapshotPostponedError);
    assert.equal(disk.names(), names);
  }
  disk.capacityBytes = Infinity;
  await storage.writeSnapshot(zxid(4), [], content('x'.repeat(5000)));
  await storage.close();
  assert.is((await find(disk)).snapshot?.content.length, 5000);
});

test('a directory that has promised an epoch is not new, though it has no history', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 3 });
  await storage.close();
  const found = await find(disk);
  assert.equal([found.isNew, found.acceptedEpoch], [false, 3]);
});

test('a log that was cut back to nothing takes a snapshot of another member, and starts from it', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 10) });
  await storage.persist({ truncateAfter: 0n });
  await storage.persist({ acceptedEpoch: 2 });
  await storage.installSnapshot(zxid(7, 2), [{ epoch: 2, lastZxid: zxid(7, 2) }], content('installed'));
  await storage.writeSnapshot(zxid(7, 2), [{ epoch: 2, lastZxid: zxid(7, 2) }], content('own'));
  await storage.close();
  const found = await find(disk);
  assert.is(found.snapshot?.content, 'own');
  const { storage: again } = await start(disk);
  await again.persist({ entries: entries(8, 5, { epoch: 2 }) });
  await again.close();
  assert.is((await find(disk)).entries.length, 5);
});

test('a second failure is told as the first one, which stopped the storage', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 10) });
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  async function* held(): AsyncGenerator<Uint8Array> {
    yield* content('begun, ');
    await released;
    yield* content('ended');
  }
  const snapshot = rejection(storage.writeSnapshot(zxid(9), [], held()));
  disk.fail({ operation: 'sync', code: 'EIO', times: 10 });
  const first = await rejection(storage.persist({ entries: entries(10, 5) }));
  disk.fail({ operation: 'write', code: 'EROFS', times: 10 });
  release();
  assert.is(await snapshot, first);
  assert.is(await rejection(storage.readEntries(0n, 100)), first);
  disk.repair();
  await storage.close();
});

test.run();
