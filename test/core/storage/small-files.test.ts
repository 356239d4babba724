/** The small files of a data directory, and what the names of its files amount to. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { contentOf } from '../../../core/storage/data-directory.js';
import { readPromises, writePromises, type Promises } from '../../../core/storage/epoch-file.js';
import { cutName, cutNumber, fileName, isTemporary, parseFileName } from '../../../core/storage/file-name.js';
import { createLogEnd, LogEndWriter, readLogEnd, type LogEnd } from '../../../core/storage/log-end.js';
import { CorruptionError, MemoryDisk, type Directory, type Rejoining } from '../../../core/storage/index.js';
import { rejection } from './history.js';

const ID = Buffer.alloc(16, 7);
const BLOCK = 4096;

async function directoryOf(disk = new MemoryDisk()): Promise<{ disk: MemoryDisk; directory: Directory }> {
  return { disk, directory: await disk.lock() };
}

const CAUSES: readonly (Rejoining | null | undefined)[] = [
  undefined,
  null,
  'new',
  'damaged',
  'diverged',
  'founding',
];
for (const rejoining of CAUSES)
  test(`promises with ${String(rejoining)} are durable and read as they were written`, async () => {
    for (const acceptedEpoch of [0, 1, 0x7fffffff])
      for (const mayHold of [undefined, 0n, (1n << 63n) + 5n]) {
        const { disk, directory } = await directoryOf();
        const promises: Promises = {
          acceptedEpoch,
          rejoining,
          ...(mayHold === undefined ? {} : { mayHold }),
        };
        await writePromises(directory, promises);
        disk.crash('lose');
        assert.equal(await readPromises(await disk.lock()), promises);
      }
  });

const END: LogEnd = { generation: 2, zxid: 9n, newest: null };
const LATER: LogEnd = {
  generation: 3,
  zxid: (5n << 32n) | 7n,
  newest: { firstZxid: 4n, allocatedBytes: 8192, position: { offset: 640, zxid: 6n, chain: 0xfedcba98 } },
};

test('what end-of-log says is what was written last, over any number of writers', async () => {
  const { directory } = await directoryOf();
  await createLogEnd(directory, ID, END);
  assert.equal(await readLogEnd(directory, ID), END);
  for (let writer = 0; writer < 3; writer++) {
    const writing = new LogEndWriter(directory, ID);
    for (let count = 1; count <= 3; count++) {
      const end = { ...LATER, zxid: BigInt(10 * writer + count) };
      await writing.write(end);
      assert.equal(await readLogEnd(directory, ID), end);
    }
  }
});

test('end-of-log says that a switch is under way until somebody says that it is not', async () => {
  const { directory } = await directoryOf();
  await createLogEnd(directory, ID, END);
  const writer = new LogEndWriter(directory, ID);
  await writer.write({ ...LATER, isSwitching: true });
  assert.equal(await readLogEnd(directory, ID), { ...LATER, isSwitching: true });
  await writer.write(LATER);
  assert.equal(await readLogEnd(directory, ID), LATER);
});

test('a write into end-of-log touches one block, not the one that counts', async () => {
  const { disk, directory } = await directoryOf();
  await createLogEnd(directory, ID, END);
  const writer = new LogEndWriter(directory, ID);
  let before = disk.contentOf('end-of-log').slice();
  for (let count = 1; count <= 4; count++) {
    await writer.write({ ...LATER, zxid: BigInt(count) });
    const after = disk.contentOf('end-of-log').slice();
    const changed = [0, 1].filter((block) =>
      after
        .subarray(block * BLOCK, (block + 1) * BLOCK)
        .some((byte, at) => byte !== before[block * BLOCK + at]),
    );
    assert.equal(changed, [count % 2], `write ${count}`);
    before = after;
  }
});

test('when a block of end-of-log is damaged the other one counts, and with both nothing does', async () => {
  const { disk, directory } = await directoryOf();
  await createLogEnd(directory, ID, END);
  await new LogEndWriter(directory, ID).write(LATER);
  const newer = disk.copy();
  newer.flipBit('end-of-log', BLOCK + 60);
  assert.equal(await readLogEnd(await newer.lock(), ID), END);
  const older = disk.copy();
  older.flipBit('end-of-log', 60);
  const damaged = await older.lock();
  assert.equal(await readLogEnd(damaged, ID), LATER);
  older.flipBit('end-of-log', BLOCK + 60);
  assert.instance(await rejection(readLogEnd(damaged, ID)), CorruptionError);
});

test('a block of end-of-log that another directory wrote counts for nothing', async () => {
  const { directory } = await directoryOf();
  await createLogEnd(directory, ID, END);
  assert.instance(await rejection(readLogEnd(directory, Buffer.alloc(16, 8))), CorruptionError);
});

test('the names of files say what they hold, and other names belong to nothing', () => {
  for (const kind of ['log', 'snapshot'] as const)
    for (const generation of [0, 1, 0xffffffff])
      for (const zxid of [0n, 1n, (1n << 64n) - 1n]) {
        const name = fileName(kind, generation, zxid);
        assert.equal(parseFileName(name), { name, kind, generation, zxid });
        assert.is(parseFileName(`${name}.tmp`), null);
        assert.is(parseFileName(`${name}.damaged`), null);
        assert.ok(isTemporary(`${name}.tmp`) && !isTemporary(name));
      }
  const log = fileName('log', 1, 5n);
  assert.is(cutNumber(cutName(12, log, 640)), 12);
  for (const name of [
    'log',
    'log-1-2',
    'logs-00000000-0000000000000000',
    log.toUpperCase(),
    `x${log}`,
    `${log}0`,
  ])
    assert.equal([parseFileName(name), cutNumber(name)], [null, null], name);
});

const HELD = {
  identity: { id: ID, owner: '' },
  promises: { acceptedEpoch: 0, rejoining: undefined },
  end: { generation: 0, zxid: 0n, newest: null },
};

test('a directory is new if it has no history, no promise, and claims nothing', async () => {
  const { directory } = await directoryOf();
  const isNew = async (
    names: readonly string[],
    change: Partial<typeof HELD> | object = {},
  ): Promise<boolean> => (await contentOf(directory, names, { ...HELD, ...change })).isNew;
  assert.ok(await isNew([]));
  assert.ok(await isNew(['accepted-epoch', 'lock', 'something.tmp']));
  assert.not.ok(await isNew([fileName('log', 0, 1n)]));
  assert.not.ok(await isNew([fileName('snapshot', 7, 1n)]));
  assert.not.ok(await isNew([], { promises: { acceptedEpoch: 1, rejoining: undefined } }));
  for (const rejoining of [null, 'new', 'damaged'])
    assert.not.ok(await isNew([], { promises: { acceptedEpoch: 0, rejoining } }));
  assert.not.ok(await isNew([], { end: { generation: 0, zxid: 1n, newest: null } }));
  assert.not.ok(await isNew([], { end: { ...LATER, generation: 0, zxid: 0n } }));
});

test('files of the generation that counts are used, older ones go, and later ones belong to no history', async () => {
  const { directory } = await directoryOf();
  const files = [1, 2, 3, 4].flatMap((generation) => [
    fileName('log', generation, 5n),
    fileName('snapshot', generation, 5n),
  ]);
  const names = [...files, fileName('log', 2, 9n), 'draft.tmp', 'accepted-epoch'];
  const { logs, snapshots, generation, strays, leftovers } = await contentOf(directory, names, {
    ...HELD,
    end: { generation: 2, zxid: 9n, newest: null, isSwitching: true },
  });
  assert.is(generation, 2);
  assert.equal(
    logs.map(({ name }) => name),
    [fileName('log', 2, 5n), fileName('log', 2, 9n)],
  );
  assert.equal(
    snapshots.map(({ name }) => name),
    [fileName('snapshot', 2, 5n)],
  );
  // A switch that broke off has written its snapshot, and nothing else.
  assert.equal(
    [...leftovers].sort(),
    ['draft.tmp', fileName('log', 1, 5n), fileName('snapshot', 1, 5n), fileName('snapshot', 3, 5n)].sort(),
  );
  assert.equal(
    [...strays].sort(),
    [fileName('log', 3, 5n), fileName('log', 4, 5n), fileName('snapshot', 4, 5n)].sort(),
  );
});

test('a snapshot of the next generation is no remainder of a switch that was not announced', async () => {
  const { directory } = await directoryOf();
  const later = fileName('snapshot', 3, 5n);
  const { strays, leftovers } = await contentOf(directory, [later], {
    ...HELD,
    end: { generation: 2, zxid: 9n, newest: null },
  });
  assert.equal([strays, leftovers], [[later], []]);
});

test.run();
