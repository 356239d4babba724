import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileStorage, MemoryDisk, NodeDisk, type Disk } from '../../../core/storage/index.js';
import { content, entries, entry, find, plain, rejection, start, zxid } from './history.js';

interface Subject {
  readonly disk: Disk;
  /** Of the files in the directory. */
  readonly names: () => Promise<readonly string[]>;
  dispose(): Promise<void>;
}

const disks: Record<string, () => Promise<Subject>> = {
  'memory disk': async () => {
    const disk = new MemoryDisk();
    return { disk, names: async () => disk.names(), dispose: async () => undefined };
  },
  'operating system': async () => {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-storage-'));
    return {
      disk: await NodeDisk.open(join(directory, 'data')),
      names: () => readdir(join(directory, 'data')),
      dispose: () => rm(directory, { recursive: true }),
    };
  },
};

for (const [name, makeDisk] of Object.entries(disks)) {
  const test = suite<Subject>(`storage on ${name}`);
  test.before.each(async (context) => void Object.assign(context, await makeDisk()));
  test.after.each((context) => context.dispose());

  test('what is written through a file is read from it, wherever the file is extended meanwhile', async ({
    disk,
  }) => {
    const directory = await disk.lock();
    const file = await directory.open('file', 'create');
    await file.write(0, Buffer.from('one two'));
    await file.writeThrough(0, Buffer.from('ONE'));
    await file.write(7, Buffer.from(' three'));
    await file.writeThrough(11, Buffer.from('EE'));
    const content = Buffer.alloc(20);
    const length = await file.read(0, content);
    await file.close();
    await file.close();
    await directory.release();

    assert.is(content.toString('latin1', 0, length), 'ONE two thrEE');
  });

  test('a new directory is empty, and says so', async ({ disk }) => {
    const found = await find(disk);

    assert.equal(found, {
      acceptedEpoch: 0,
      rejoining: null,
      isNew: true,
      epochs: [],
      snapshot: null,
      entries: [],
    });
  });

  test('that a member has to rejoin is kept, beside the epoch, until it need not any more', async ({
    disk,
  }) => {
    const marks: (string | null)[] = [];
    for (const rejoining of ['new', 'damaged', null] as const) {
      const storage = await FileStorage.open({ disk });
      marks.push((await storage.recover()).rejoining);
      await storage.persist({ rejoining, acceptedEpoch: 1 + marks.length });
      await storage.persist({ acceptedEpoch: 2 + marks.length });
      await storage.close();
    }
    const storage = await FileStorage.open({ disk });
    const { acceptedEpoch, rejoining, isNew } = await storage.recover();
    await storage.close();

    assert.equal([...marks, rejoining], [null, 'new', 'damaged', null]);
    assert.equal([acceptedEpoch, isNew], [5, false]);
  });

  test('a directory of which it was decided that its member counts is not new any more', async ({ disk }) => {
    const { storage } = await start(disk);
    await storage.persist({ rejoining: null });
    await storage.close();

    assert.is((await find(disk)).isNew, false);
  });

  test('what was persisted is found again, in order, after a close', async ({ disk }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1 });
    await storage.persist({ entries: entries(0, 3) });
    await storage.persist({ entries: entries(3, 500, { bytes: 100 }) });
    await storage.close();

    const found = await find(disk);

    assert.is(found.acceptedEpoch, 1);
    assert.is(found.isNew, false);
    assert.equal(found.entries, [...entries(0, 3), ...entries(3, 500, { bytes: 100 })].map(plain));
    assert.equal(found.epochs, [{ epoch: 1, lastZxid: zxid(502) }]);
  });

  test('a log grows over many closes and starts', async ({ disk }) => {
    for (let round = 0; round < 12; round++) {
      const { storage, found } = await start(disk);
      assert.is(found.entries.length, round * 20);
      await storage.persist({ acceptedEpoch: 1, entries: entries(round * 20, 20, { bytes: 90 }) });
      await storage.close();
    }
  });

  test('an entry larger than a segment is kept whole', async ({ disk }) => {
    const { storage } = await start(disk);
    const large = { zxid: zxid(1), payload: Buffer.alloc(3_000_000, 'x') };
    await storage.persist({ acceptedEpoch: 1, entries: [entry(0), large, entry(2)] });
    await storage.close();

    const found = await find(disk);

    assert.is(found.entries[1]?.payload.length, 3_000_000);
    assert.equal(found.entries[2], plain(entry(2)));
  });

  test('batches resolve in the order in which they were handed over', async ({ disk }) => {
    const { storage } = await start(disk);
    const resolved: number[] = [];

    const batches = Array.from({ length: 50 }, (_, index) =>
      storage
        .persist({ acceptedEpoch: index < 10 ? 1 : 1 + Math.floor(index / 10), entries: [entry(index)] })
        .then(() => resolved.push(index)),
    );
    await Promise.all(batches);

    assert.equal(
      resolved,
      Array.from({ length: 50 }, (_, index) => index),
    );
    await storage.close();
  });

  test('a truncation removes what is behind it, over segments, and the log goes on from there', async ({
    disk,
  }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 300, { bytes: 100 }) });

    await storage.persist({
      acceptedEpoch: 2,
      truncateAfter: zxid(41),
      entries: entries(0, 5, { epoch: 2 }),
    });
    await storage.close();

    const found = await find(disk);
    const expected = [...entries(0, 42, { bytes: 100 }), ...entries(0, 5, { epoch: 2 })];
    assert.equal(found.entries, expected.map(plain));
    assert.equal(found.epochs, [
      { epoch: 1, lastZxid: zxid(41) },
      { epoch: 2, lastZxid: zxid(4, 2) },
    ]);
  });

  test('a truncation to the very beginning leaves an empty log', async ({ disk }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 300, { bytes: 100 }) });

    await storage.persist({ truncateAfter: 0n });
    await storage.close();

    assert.equal((await find(disk)).entries, []);
  });

  test('entries are read from any place, within a budget, and null behind the beginning of the log', async ({
    disk,
  }) => {
    const { storage } = await start(disk);
    const all = entries(0, 300, { bytes: 100 });
    await storage.persist({ acceptedEpoch: 1, entries: all });

    assert.equal((await storage.readEntries(0n, 1e9))?.map(plain), all.map(plain));
    assert.equal((await storage.readEntries(zxid(150), 1e9))?.map(plain), all.slice(151).map(plain));
    assert.is((await storage.readEntries(zxid(150), 1000))?.length, 7);
    assert.is((await storage.readEntries(zxid(150), 1))?.length, 1);
    assert.equal(await storage.readEntries(zxid(299), 1e9), []);
    await storage.close();
  });

  test('a snapshot is found with the entries behind it', async ({ disk }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 100, { bytes: 100 }) });
    const epochs = [{ epoch: 1, lastZxid: zxid(60) }];
    await storage.writeSnapshot(zxid(60), epochs, content('tree ', 'at ', 'sixty'));
    await storage.persist({ acceptedEpoch: 3, entries: [entry(0, { epoch: 3 })] });
    await storage.close();

    const found = await find(disk);

    assert.equal(found.snapshot, { zxid: zxid(60), epochs, content: 'tree at sixty' });
    assert.equal(found.entries, [...entries(61, 39, { bytes: 100 }), entry(0, { epoch: 3 })].map(plain));
    assert.equal(found.epochs, [
      { epoch: 1, lastZxid: zxid(99) },
      { epoch: 3, lastZxid: zxid(0, 3) },
    ]);
  });

  test('a snapshot may be empty, and may be far larger than a chunk', async ({ disk }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 3) });
    await storage.writeSnapshot(zxid(1), [], content());
    const large = 'z'.repeat(700_001);
    await storage.writeSnapshot(zxid(2), [], content('a', large, 'b'));
    await storage.close();

    assert.is((await find(disk)).snapshot?.content, `a${large}b`);
  });

  test('old snapshots and the log that none needs go, the rest stays', async ({ disk, names }) => {
    const { storage } = await start(disk, { snapshotsKept: 2 });
    await storage.persist({ acceptedEpoch: 1 });
    for (let round = 0; round < 6; round++) {
      await storage.persist({ entries: entries(round * 100, 100, { bytes: 100 }) });
      await storage.writeSnapshot(zxid(round * 100 + 99), [], content(`round ${round}`));
    }

    assert.is((await names()).filter((file) => file.startsWith('snapshot')).length, 2);
    assert.is(await storage.readEntries(zxid(99), 1e9), null);
    assert.is((await storage.readEntries(zxid(499), 1e9))?.length, 100);
    await storage.close();
    assert.is((await find(disk)).snapshot?.content, 'round 5');
  });

  test('an installed snapshot replaces the whole history', async ({ disk }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 4, entries: entries(0, 100, { bytes: 100 }) });
    await storage.writeSnapshot(zxid(50), [], content('ours'));
    const epochs = [
      { epoch: 2, lastZxid: zxid(7, 2) },
      { epoch: 4, lastZxid: zxid(9, 4) },
    ];

    await storage.installSnapshot(zxid(9, 4), epochs, content('theirs'));
    await storage.persist({ entries: entries(10, 5, { epoch: 4 }) });

    assert.is(await storage.readEntries(zxid(99), 1e9), null);
    assert.is((await storage.readEntries(zxid(9, 4), 1e9))?.length, 5);
    await storage.close();
    const found = await find(disk);
    assert.equal(found.snapshot, { zxid: zxid(9, 4), epochs, content: 'theirs' });
    assert.equal(found.entries, entries(10, 5, { epoch: 4 }).map(plain));
    assert.equal(found.epochs.at(-1), { epoch: 4, lastZxid: zxid(14, 4) });
    assert.is(found.acceptedEpoch, 4);
  });

  test('a snapshot whose content breaks off leaves no trace, and the storage goes on', async ({
    disk,
    names,
  }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 10) });
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('connection lost');
    }

    const writing = await rejection(storage.writeSnapshot(zxid(5), [], breaking()));
    const installing = await rejection(storage.installSnapshot(zxid(5, 1), [], breaking()));
    await storage.persist({ entries: entries(10, 1) });
    await storage.close();

    assert.is(writing.message, 'connection lost');
    assert.is(installing.message, 'connection lost');
    assert.is((await names()).filter((file) => file.startsWith('snapshot')).length, 0);
    assert.is((await find(disk)).entries.length, 11);
  });

  test('a gap between entries stops the storage before it is written', async ({ disk }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 3) });

    const gap = await rejection(storage.persist({ entries: [entry(4)] }));
    const later = await rejection(storage.persist({ entries: [entry(3)] }));
    await storage.close();

    assert.is(gap.code, 'STORAGE_MISUSED');
    assert.is(later, gap);
    assert.is((await find(disk)).entries.length, 3);
  });

  test('entries and snapshots of an epoch that is not promised are refused', async ({ disk }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 2) });

    const snapshot = await rejection(storage.installSnapshot(zxid(7, 2), [], content('theirs')));
    const appended = await rejection(storage.persist({ entries: entries(0, 1, { epoch: 2 }) }));
    await storage.close();

    assert.is(snapshot.code, 'STORAGE_MISUSED');
    assert.is(appended.code, 'STORAGE_MISUSED');
    assert.is((await find(disk)).entries.length, 2);
  });

  test('a snapshot that fits neither log nor snapshots is refused, and the storage goes on', async ({
    disk,
  }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 10) });
    await storage.writeSnapshot(zxid(5), [], content('tree'));

    const ahead = await rejection(storage.writeSnapshot(zxid(10), [], content('ahead')));
    const behind = await rejection(storage.writeSnapshot(zxid(4), [], content('behind')));
    await storage.writeSnapshot(zxid(5), [], content('tree again'));
    await storage.close();

    assert.is(ahead.code, 'STORAGE_MISUSED');
    assert.is(behind.code, 'STORAGE_MISUSED');
    assert.is((await find(disk)).snapshot?.content, 'tree again');
  });

  test('a snapshot right after an installed one, and a cut back to it, leave a history that starts', async ({
    disk,
  }) => {
    const { storage } = await start(disk, { snapshotsKept: 1 });
    await storage.persist({ acceptedEpoch: 1 });
    await storage.installSnapshot(zxid(9), [], content('theirs'));
    await storage.writeSnapshot(zxid(9), [], content('the same'));
    await storage.persist({ entries: entries(10, 100, { bytes: 100 }) });
    await storage.writeSnapshot(zxid(109), [], content('later'));
    await storage.persist({ entries: entries(110, 3) });
    await storage.persist({ truncateAfter: zxid(109) });
    await storage.close();

    const found = await find(disk);

    assert.is(found.snapshot?.content, 'later');
    assert.equal(found.entries, []);
  });

  test('a promise cannot be taken back', async ({ disk }) => {
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 5 });

    const refused = await rejection(storage.persist({ acceptedEpoch: 4 }));
    await storage.close();

    assert.is(refused.code, 'STORAGE_MISUSED');
    assert.is((await find(disk)).acceptedEpoch, 5);
  });

  test('a directory in use is refused, and free again after close', async ({ disk }) => {
    const { storage } = await start(disk);

    const refused = await rejection(FileStorage.open({ disk }));
    await storage.close();

    assert.is(refused.code, 'DATA_DIRECTORY_LOCKED');
    await find(disk);
  });

  test("another member's directory is refused", async ({ disk }) => {
    await find(disk, { owner: 'member 1' });

    const refused = await rejection(find(disk, { owner: 'member 2' }));

    assert.is(refused.code, 'DATA_DIRECTORY_FOREIGN');
    assert.match(refused.message, 'belongs to member 1, not to member 2');
    assert.equal([refused.fields?.['owner'], refused.fields?.['opener']], ['member 1', 'member 2']);
    assert.is((await find(disk, { owner: 'member 1' })).isNew, true);
  });

  test('a closed storage refuses everything, and closing twice is the same as once', async ({ disk }) => {
    const { storage } = await start(disk);
    const last = storage.persist({ acceptedEpoch: 1, entries: entries(0, 2) });

    await Promise.all([storage.close(), storage.close()]);
    await last;

    assert.is((await rejection(storage.persist({}))).code, 'STORAGE_CLOSED');
    assert.is((await rejection(storage.readEntries(0n, 1))).code, 'STORAGE_CLOSED');
    assert.is((await find(disk)).entries.length, 2);
  });

  test('nothing is accepted before recovery, and recovery happens once', async ({ disk }) => {
    const storage = await FileStorage.open({ disk });

    const early = await rejection(storage.persist({ acceptedEpoch: 1 }));
    await storage.recover();
    const twice = await rejection(storage.recover());
    await storage.close();

    assert.is(early.code, 'STORAGE_MISUSED');
    assert.is(twice.code, 'STORAGE_MISUSED');
  });

  test.run();
}
