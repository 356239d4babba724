/** The bounds of a storage, each at its value, below it and above it; most of them are larger than what other tests write. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CommitQueue } from '../../../core/storage/commit-queue.js';
import { MemoryDisk, type PersistBatch } from '../../../core/storage/index.js';
import { RecordingDisk } from './crash-states/recording-disk.js';
import { content, entries, entry, find, rejection, start, zxid } from './history.js';

const KIB = 1024;
const MIB = 1024 * 1024;

function batchOf(counter: number, bytes: number): PersistBatch {
  return { entries: [{ zxid: zxid(counter), payload: new Uint8Array(bytes) }] };
}

/** How many of these batches, each of so many bytes, share each write. */
async function groupsOf(sizes: readonly number[]): Promise<number[]> {
  const groups: number[] = [];
  const queue = new CommitQueue(async (batches) => void groups.push(batches.length));
  await Promise.all(sizes.map((bytes, index) => queue.push(batchOf(index, bytes))));
  return groups;
}

for (const { title, sizes, groups } of [
  { title: '4 MiB', sizes: [4 * MIB, 1], groups: [1, 1] },
  { title: 'a byte less than 4 MiB', sizes: [4 * MIB - 1, 1, 1], groups: [2, 1] },
  { title: 'ten times 1 MiB', sizes: new Array<number>(10).fill(MIB), groups: [4, 4, 2] },
])
  test(`batches of ${title} that wait together are written in groups of up to 4 MiB, and one more batch`, async () => {
    assert.equal(await groupsOf(sizes), groups);
  });

test('an act that waits between batches is carried out alone, at its place, and what waits behind it is not lost', async () => {
  const order: string[] = [];
  const queue = new CommitQueue(async (batches) => void order.push(`commit ${batches.length}`));
  const work = [
    queue.push(batchOf(1, 1)),
    queue.push(batchOf(2, 1)),
    queue.pushAct(async () => void order.push('act')),
    queue.push(batchOf(3, 1)),
  ];
  await Promise.all(work);
  await queue.idle();
  await queue.push(batchOf(4, 1));
  assert.equal(order, ['commit 2', 'act', 'commit 1', 'commit 1']);
});

test('an act that fails rejects itself alone', async () => {
  const queue = new CommitQueue(async () => undefined);
  const failing = queue.pushAct(async () => Promise.reject(new Error('act')));
  const others = [queue.push(batchOf(1, 1)), queue.pushAct(async () => undefined)];
  assert.is((await rejection(failing)).message, 'act');
  await Promise.all(others);
});

for (const bytes of [MIB - 5 * KIB, MIB, 3 * MIB])
  test(`a group of ${bytes} bytes is found again byte by byte, and so is the next one`, async () => {
    const disk = new MemoryDisk();
    const options = { segmentBytes: 16 * MIB };
    const { storage } = await start(disk, options);
    const large = { zxid: zxid(1), payload: Buffer.alloc(bytes, 'large') };
    await storage.persist({ acceptedEpoch: 1, entries: [entry(0), large, entry(2)] });
    await storage.persist({ entries: entries(3, 2) });
    await storage.close();
    const found = (await find(disk, options)).entries;
    assert.equal(
      found.map(({ zxid: id }) => id),
      [0, 1, 2, 3, 4].map((counter) => zxid(counter)),
    );
    assert.is(found[1]!.payload, large.payload.toString());
  });

/** Sizes of the log files after entries that take 1,000 bytes each, one group at a time. */
async function segmentsAfter(count: number, segmentBytes: number): Promise<number> {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes });
  await storage.persist({ acceptedEpoch: 1, entries: [entry(0)] });
  // A record has a header of 32 bytes, and takes a multiple of 8.
  for (let counter = 1; counter <= count; counter++)
    await storage.persist({ entries: [entry(counter, { bytes: 968 })] });
  await storage.close();
  return disk.names().filter((name) => name.startsWith('log')).length;
}

test('a file of the log takes another group while it is smaller than its size, and none once it has it', async () => {
  // The header of the file and the record of the marker.
  const before = 64 + 32;
  assert.is(await segmentsAfter(11, before + 10 * 1000), 2);
  assert.is(await segmentsAfter(10, before + 10 * 1000), 1);
  assert.is(await segmentsAfter(11, before + 10 * 1000 + 1), 1);
});

test('a snapshot is synced at each 8 MiB that it grows, and at its end', async () => {
  const disk = new RecordingDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 2) });
  const from = disk.events.length;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let piece = 0; piece < 20; piece++) yield new Uint8Array(MIB);
  }
  await storage.writeSnapshot(zxid(1), [], pieces());
  let unsynced = 0;
  let largest = 0;
  let syncs = 0;
  for (const event of disk.events.slice(from)) {
    if (event.type === 'write') unsynced += event.bytes.length;
    if (event.type === 'sync') {
      largest = Math.max(largest, unsynced);
      unsynced = 0;
      syncs += 1;
    }
  }
  assert.is(syncs, 3);
  assert.ok(largest < 9 * MIB, `${largest} bytes were not synced`);
  await storage.close();
});

for (const bytes of [256 * KIB - 1, 256 * KIB, 256 * KIB + 1, MIB])
  test(`a snapshot of ${bytes} bytes, in pieces of any size, is read as it was written`, async () => {
    for (const piece of [1000, 256 * KIB, MIB]) {
      const disk = new MemoryDisk();
      const { storage } = await start(disk);
      await storage.persist({ acceptedEpoch: 1, entries: entries(0, 2) });
      const text = 'snapshot '.repeat(MIB / 8).slice(0, bytes);
      const parts = Array.from({ length: Math.ceil(bytes / piece) }, (_, index) =>
        text.slice(index * piece, (index + 1) * piece),
      );
      await storage.writeSnapshot(zxid(1), [], content(...parts));
      await storage.close();
      assert.ok((await find(disk)).snapshot?.content === text, `pieces of ${piece}`);
    }
  });

test('a read of the log ends with the entry that fills its budget', async () => {
  const { storage } = await start(new MemoryDisk(), { segmentBytes: MIB });
  // Records of 1,000 bytes each.
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 20, { bytes: 968 }) });
  for (const [budget, count] of [
    [3000, 3],
    [2999, 2],
    [3001, 3],
    [0, 1],
  ] as const)
    assert.is((await storage.readEntries(zxid(5), budget))?.length, count, `${budget} bytes`);
  await storage.close();
});

test('options at their bounds are taken, and those beyond are refused by name', async () => {
  const disk = (): MemoryDisk => new MemoryDisk();
  for (const [name, least, most] of [
    ['segmentBytes', 4096, 1024 * MIB],
    ['snapshotsKept', 1, 1_000_000],
  ] as const) {
    for (const value of [least, most]) await (await start(disk(), { [name]: value })).storage.close();
    for (const value of [least - 1, most + 1, least + 0.5])
      assert.match((await rejection(start(disk(), { [name]: value }))).message, name);
  }
});

test('zeros behind a large group are written as far as the file is to reach, and no further', async () => {
  const disk = new MemoryDisk();
  const segmentBytes = 64 * MIB;
  const { storage } = await start(disk, { segmentBytes });
  await storage.persist({ acceptedEpoch: 1, entries: [entry(0), entry(1, { bytes: 5 * MIB })] });
  const name = disk.names().find((one) => one.startsWith('log'));
  const size = disk.contentOf(name!).length;
  assert.ok(size > 9 * MIB && size < 9.1 * MIB, `${size} bytes`);
  await storage.close();
});

test.run();
