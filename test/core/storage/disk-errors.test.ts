import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Disk,
  DiskFullError,
  FileStorage,
  MemoryDisk,
  SnapshotPostponedError,
  SnapshotReadBackError,
  StorageError,
} from '../../../core/storage/index.js';
import { VirtualClock } from '../../../core/testing/index.js';
import { content, entries, entry, find, plain, recordingLogger, rejection, start, zxid } from './history.js';

test('after a failed sync every call rejects with the same error, and no sync is tried again', async () => {
  const disk = new MemoryDisk();
  const logger = recordingLogger();
  const { storage } = await start(disk, { logger });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
  disk.fail({ operation: 'sync' });

  const refused = await rejection(storage.persist({ entries: entries(5, 5) }));
  const operations = disk.operations;
  const later = [
    await rejection(storage.persist({ entries: entries(5, 5) })),
    await rejection(storage.persist({ acceptedEpoch: 2 })),
    await rejection(storage.readEntries(0n, 1000)),
    await rejection(storage.writeSnapshot(zxid(1), [], content('tree'))),
    await rejection(storage.installSnapshot(zxid(9), [], content('tree'))),
  ];

  assert.instance(refused, StorageError);
  assert.is(refused.code, 'STORAGE_FAILED');
  for (const error of later) assert.is(error, refused);
  await storage.close();
  assert.is(disk.operations, operations, 'nothing is written any more');
  assert.is(logger.lines.length, 1);
  disk.crash('lose');
  assert.equal((await find(disk)).entries, entries(0, 5).map(plain));
});

for (const operation of ['write', 'sync', 'rename', 'syncDirectory', 'open'] as const) {
  test(`an error of ${operation} while promising an epoch stops the storage, and the promise is old or new`, async () => {
    const disk = new MemoryDisk();
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1 });
    disk.fail({ operation });

    const refused = await rejection(storage.persist({ acceptedEpoch: 2 }));
    const later = await rejection(storage.persist({ acceptedEpoch: 3 }));
    await storage.close();
    disk.crash('random');

    assert.is(refused.code, 'STORAGE_FAILED');
    assert.is(later, refused);
    assert.ok([1, 2].includes((await find(disk)).acceptedEpoch));
  });
}

test('batches that wait behind a failed one are rejected, those before it stand', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
  disk.fail({ operation: 'write' });

  const outcomes = await Promise.allSettled([
    storage.persist({ entries: entries(5, 1) }),
    storage.persist({ acceptedEpoch: 2 }),
    storage.persist({ entries: entries(6, 1) }),
  ]);

  assert.equal(
    outcomes.map((outcome) => outcome.status),
    ['rejected', 'rejected', 'rejected'],
  );
  await storage.close();
});

test('a full disk is told as such, leaves no partial record, and costs nothing acknowledged', async () => {
  for (let room = 0; room < 1200; room += 50) {
    const disk = new MemoryDisk();
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 30, { bytes: 100 }) });
    disk.capacityBytes = disk.usedBytes + room;
    let acknowledged = 30;
    const fill = async (): Promise<never> => {
      for (;;) {
        await storage.persist({ entries: entries(acknowledged, 3, { bytes: 100 }) });
        acknowledged += 3;
      }
    };
    const failure = await rejection(fill());
    await storage.close();
    disk.capacityBytes = Infinity;
    const logger = recordingLogger();

    const found = await find(disk, { logger });

    assert.instance(failure, DiskFullError, `room for ${room} bytes`);
    assert.equal(found.entries, entries(0, acknowledged, { bytes: 100 }).map(plain));
    assert.equal(logger.lines, [], 'nothing had to be cut');
  }
});

test('a snapshot for which there is no room is given up; the log goes on', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 1024 * 1024 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
  const names = disk.names();
  disk.capacityBytes = 100_000;

  const refused = await rejection(storage.writeSnapshot(zxid(4), [], content('x'.repeat(200_000))));
  await storage.persist({ entries: entries(5, 5) });
  await storage.close();

  assert.instance(refused, SnapshotPostponedError);
  assert.equal(disk.names(), names);
  assert.is((await find(disk)).entries.length, 10);
});

test('a snapshot that does not read back does not count: what is older stays, and the log goes on', async () => {
  for (const spoil of ['a bit', 'a block', 'the content'] as const) {
    const disk = new MemoryDisk();
    const { storage } = await start(disk, { segmentBytes: 4096, snapshotsKept: 1 });
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 50, { bytes: 100 }) });
    await storage.writeSnapshot(zxid(10), [{ epoch: 1, lastZxid: zxid(10) }], content('tree'));
    const names = disk.names();

    const draft = 'snapshot-00000000-0000000100000031.tmp';
    const refused = await rejection(
      storage.writeSnapshot(zxid(49), [], content('x'.repeat(5_000)), async (pieces) => {
        if (spoil === 'a bit') disk.flipBit(draft, 1_000);
        if (spoil === 'a block') disk.spoil(draft, 1_000);
        for await (const _ of pieces);
        if (spoil === 'the content') throw new Error('another tree');
      }),
    );

    assert.instance(refused, SnapshotReadBackError, spoil);
    assert.equal(disk.names(), names, spoil);
    await storage.persist({ entries: entries(50, 5, { bytes: 100 }) });
    await storage.close();
    const found = await find(disk);
    assert.equal([found.snapshot?.content, found.entries.length], ['tree', 44], spoil);
  }
});

test('a snapshot that finds no descriptor to sync its name by goes again, and the log goes on', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
  const names = disk.names();
  disk.fail({ operation: 'syncDirectory', code: 'EMFILE' });

  const refused = await rejection(storage.writeSnapshot(zxid(4), [], content('tree')));
  await storage.persist({ entries: entries(5, 5) });
  await storage.close();

  assert.instance(refused, SnapshotPostponedError);
  assert.equal(disk.names(), names);
  assert.is((await find(disk)).entries.length, 10);
});

test('a snapshot that the history needs and for which there is no room stops the storage: nothing is appended behind the gap', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 1024 * 1024 });
  await storage.persist({ acceptedEpoch: 2, entries: entries(0, 5) });
  disk.capacityBytes = 100_000;

  const installing = rejection(storage.installSnapshot(zxid(9), [], content('x'.repeat(200_000))));
  // What follows the snapshot waits behind it, and would also fit behind what was there before.
  const appending = rejection(storage.persist({ entries: [entry(0, { epoch: 2 })] }));

  assert.instance(await installing, DiskFullError);
  assert.is(await appending, await installing);
  await storage.close();
  assert.equal((await find(disk)).entries, entries(0, 5).map(plain));
});

test('an error while a snapshot is switched in stops the storage', async () => {
  for (const operation of ['sync', 'rename', 'syncDirectory'] as const) {
    const disk = new MemoryDisk();
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
    disk.fail({ operation });

    const refused = await rejection(storage.writeSnapshot(zxid(4), [], content('tree')));

    assert.is(await rejection(storage.persist({ entries: entries(5, 1) })), refused);
    await storage.close();
    assert.is((await find(disk)).entries.length + ((await find(disk)).snapshot === null ? 0 : 5), 5);
  }
});

test('what cannot be read back while it is recovered stops the storage, with an error that says what to do', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
  await storage.writeSnapshot(zxid(3), [{ epoch: 1, lastZxid: zxid(3) }], content('tree'));
  await storage.persist({ entries: entries(5, 5) });
  await storage.close();

  const again = await FileStorage.open({ disk });
  const recovered = await again.recover();
  disk.fail({ operation: 'open' });
  const refused = await rejection(recovered.snapshot!.read()[Symbol.asyncIterator]().next());

  assert.instance(refused, StorageError);
  assert.match(refused.message, /start the member again/);
  await again.close();
});

test('what gathers during a slow sync shares the next one', async () => {
  const clock = new VirtualClock();
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 1024 * 1024 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 1) });
  disk.slowSyncs(clock, 2000);
  const before = disk.operations;

  const first = storage.persist({ entries: entries(1, 1) });
  await clock.settle();
  const gathered = Array.from({ length: 100 }, (_, index) =>
    storage.persist({ entries: entries(2 + index, 1) }),
  );
  await clock.advance(2000);
  await first;
  const all = Promise.all(gathered);
  await clock.waitFor(all, 2000);

  assert.is(
    disk.operations - before,
    4,
    'a write and a sync for the first, a write and a sync for the hundred',
  );
  assert.is(clock.now(), 4000);
  const closing = storage.close();
  await clock.waitFor(closing, 5000);
});

test('reads go on while a sync is slow, and see only what is durable', async () => {
  const clock = new VirtualClock();
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 3) });
  disk.slowSyncs(clock, 1000);
  const appending = storage.persist({ entries: entries(3, 3) });
  await clock.settle();

  const read = await storage.readEntries(0n, 1e6);

  assert.is(read?.length, 3);
  await clock.waitFor(appending, 2000);
  assert.is((await storage.readEntries(0n, 1e6))?.length, 6);
  const closing = storage.close();
  await clock.waitFor(closing, 5000);
});

test('a log that is being read is not purged from under the reader', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { snapshotsKept: 1 });
  const all = entries(0, 200, { bytes: 100 });
  for (let from = 0; from < 200; from += 20) {
    await storage.persist({ acceptedEpoch: 1, entries: all.slice(from, from + 20) });
  }

  const [read] = await Promise.all([
    storage.readEntries(0n, 1e9),
    storage.writeSnapshot(zxid(199), [], content('tree')),
  ]);

  assert.equal(read?.map(plain), all.map(plain));
  await storage.close();
});

test('a truncation waits for the readers, and readers that come later wait for it', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  const all = entries(0, 600, { bytes: 100 });
  await storage.persist({ acceptedEpoch: 2 });
  for (let from = 0; from < 600; from += 30) await storage.persist({ entries: all.slice(from, from + 30) });

  const before = storage.readEntries(0n, 1e9);
  const cutting = storage.persist({ truncateAfter: zxid(49), entries: entries(0, 1, { epoch: 2 }) });
  await cutting;
  const after = storage.readEntries(zxid(48), 1e9);

  assert.equal((await before)?.map(plain), all.map(plain));
  assert.equal((await after)?.map(plain), [...all.slice(49, 50), ...entries(0, 1, { epoch: 2 })].map(plain));
  await storage.close();
});

test('a look at the directory that the system refuses for want of descriptors stops nothing', async () => {
  const memory = new MemoryDisk();
  let refusals = 0;
  const verifyPlace = async (): Promise<never> => {
    refusals += 1;
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  };
  const disk: Disk = {
    location: memory.location,
    lock: async () => ({ ...(await memory.lock()), verifyPlace }),
  };
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 3) });
  await storage.verifyPlace();
  assert.is(refusals, 1);
  await storage.persist({ entries: entries(3, 3) });
  await storage.close();
});

test('a log that reaches below a snapshot cannot be cut there', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 20) });
  await storage.writeSnapshot(zxid(10), [], content('tree'));

  const refused = await rejection(storage.persist({ truncateAfter: zxid(9) }));
  await storage.close();

  assert.is(refused.code, 'STORAGE_MISUSED');
  assert.is((await find(disk)).entries.length, 9);
});

test.run();
