/** What a storage keeps of what it has done, counted in everything that it reaches. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk, type FileStorage } from '../../../core/storage/index.js';
import { type Census, censusOf, differences } from '../census.js';
import { content, entries, rejection, start, zxid } from './history.js';

/** Places in files, numbers that only grow, what is in a buffer, and the disk itself. */
const PAST = /zxid|epoch|generation|chain|offset|name|number|directory|#buffer|settings|salt/i;

/** What counts work that is under way. */
const UNDER_WAY = /readers$|#reads$|#alone$|#wakeLast$|#waiting$|#worker$/;

/** One epoch of work: a snapshot of the leader, appends that share syncs, reads to the end and broken off, snapshots, a cut. */
async function work(storage: FileStorage, epoch: number): Promise<void> {
  await storage.persist({ acceptedEpoch: epoch });
  await storage.installSnapshot(zxid(0, epoch), [{ epoch, lastZxid: zxid(0, epoch) }], content('installed'));
  const batches = [1, 21, 41, 61].map((first) => entries(first, 20, { epoch, bytes: 100 }));
  await Promise.all(batches.map((group) => storage.persist({ entries: group })));
  await storage.readEntries(zxid(0, epoch), 1e9);
  await Promise.all([10, 30, 50].map((from) => storage.readEntries(zxid(from, epoch), 300)));
  for (const counter of [20, 40, 60])
    await storage.writeSnapshot(
      zxid(counter, epoch),
      [{ epoch, lastZxid: zxid(counter, epoch) }],
      content('own'),
    );
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield* content('begun');
    throw new Error('broken off');
  }
  await rejection(storage.writeSnapshot(zxid(70, epoch), [], broken()));
  await Promise.all([
    storage.persist({ truncateAfter: zxid(70, epoch) }),
    storage.readEntries(zxid(60, epoch), 1e9),
    storage.proveEnd(),
  ]);
}

test('a storage keeps no more of its work after each time that it is done', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { snapshotsKept: 2 });
  const censuses: Census[] = [];
  const files: number[] = [];
  for (let epoch = 1; epoch <= 4; epoch++) {
    await work(storage, epoch);
    censuses.push(censusOf(storage));
    files.push(disk.names().length);
  }
  assert.equal(differences(censuses[2]!, censuses[3]!, PAST), []);
  const underWay = [...censuses[3]!].filter(([path, count]) => UNDER_WAY.test(path) && count !== 0);
  assert.equal(underWay, []);
  assert.is(files[3], files[2]);
  await storage.close();
});

test('a storage that is closed has no file open, whatever was under way', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { snapshotsKept: 2 });
  await work(storage, 1);
  const last = storage.persist({ entries: entries(71, 20, { epoch: 1, bytes: 100 }) });
  const reading = storage.readEntries(zxid(0, 1), 1e9);
  await storage.close();
  await Promise.all([last, reading]);
  assert.is(disk.openFiles, 0);
});

test.run();
