/** What a repaired directory promises when the file of its promises is lost. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../../core/runtime/index.js';
import { DataDirectoryDoctor, MemoryDisk } from '../../../../core/storage/index.js';
import { entries, find, start } from '../history.js';

/** Epochs 1 and 3 in several files of the log; the promises are lost. */
async function withoutPromises(): Promise<MemoryDisk> {
  const disk = new MemoryDisk(new SeededRandom(3));
  const { storage } = await start(disk);
  for (const epoch of [1, 3]) {
    await storage.persist({ acceptedEpoch: epoch });
    for (let first = 0; first < 40; first += 10)
      await storage.persist({ entries: entries(first, 10, { epoch, bytes: 110 }) });
  }
  await storage.close();
  disk.forget('accepted-epoch');
  return disk;
}

for (const isAlone of [false, true])
  test(`a member that is repaired ${isAlone ? 'alone' : 'to rejoin'} promises the newest epoch that any file shows`, async () => {
    const disk = await withoutPromises();
    const oldest = disk.names().find((name) => name.startsWith('log-'))!;
    disk.flipBit(oldest, 1_000);
    const doctor = await DataDirectoryDoctor.open(disk, async (pieces) => {
      for await (const _ of pieces);
    });
    const examination = await doctor.examine();
    assert.is(examination.prognosis.soundUpTo >> 32n, 1n, 'nothing of the newest epoch can be kept');
    await doctor.repair(examination, { folder: 'damaged', isAlone });
    await doctor.close();

    const { acceptedEpoch, rejoining } = await find(disk);
    assert.equal([acceptedEpoch, rejoining], [3, isAlone ? null : 'damaged']);
  });

test.run();
