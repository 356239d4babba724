import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../core/runtime/index.js';
import { FileStorage, MemoryDisk } from '../../../core/storage/index.js';
import { content, entries, rejection, find, plain, start, zxid } from './history.js';
import { historyOf, ids, requireFound, runScript, type Run } from './history-script.js';

/** Runs the script until it ends or the disk crashes. */
async function runUntilCrash(disk: MemoryDisk, crashed: Promise<void>): Promise<Run> {
  let last: Run | null = null;
  await Promise.race([runScript(disk, (run) => (last = run)), crashed]);
  return last!;
}

async function operationsOfScript(): Promise<number> {
  const disk = new MemoryDisk();
  await runUntilCrash(disk, new Promise(() => undefined));
  return disk.operations;
}

test('a crash at any operation of the disk loses nothing acknowledged and invents nothing', async () => {
  const operations = await operationsOfScript();
  assert.ok(operations > 150, `the script has only ${operations} operations`);
  for (let at = 1; at <= operations; at++) {
    for (let seed = 0; seed < 4; seed++) {
      const disk = new MemoryDisk(new SeededRandom(at * 1000 + seed));
      const context = `crash at operation ${at}, seed ${seed}`;
      const run = await runUntilCrash(disk, disk.crashAfter(at));

      const found = await find(disk);

      requireFound(found, run, context);
    }
  }
});

test('a crash at any operation of the recovery from a crash loses nothing either', async () => {
  const operations = await operationsOfScript();
  for (let at = 3; at <= operations; at += 3) {
    const seed = at * 77;
    const disk = new MemoryDisk(new SeededRandom(seed));
    const run = await runUntilCrash(disk, disk.crashAfter(at));
    for (let recoveryAt = 1; recoveryAt <= 40; recoveryAt += 1 + (at % 3)) {
      const copy = disk.copy(new SeededRandom(seed + recoveryAt));
      const crashed = copy.crashAfter(recoveryAt);
      await Promise.race([find(copy), crashed]);
      void copy.crashAfter(Infinity);

      const found = await find(copy);

      requireFound(found, run, `crash at ${at}, then at ${recoveryAt} of the recovery`);
    }
  }
});

test('after any crash the log takes new entries, and they are found', async () => {
  const operations = await operationsOfScript();
  for (let at = 1; at <= operations; at += 2) {
    const disk = new MemoryDisk(new SeededRandom(at));
    await runUntilCrash(disk, disk.crashAfter(at));
    const { storage, found } = await start(disk);
    const more = entries(0, 60, { epoch: 9, bytes: 90 });

    await storage.persist({ acceptedEpoch: 9, entries: more });
    await storage.close();

    const expected = [...historyOf(found), ...ids(more)];
    assert.equal(historyOf(await find(disk)), expected, `crash at operation ${at}`);
  }
});

test('of many batches under way at a crash those that were acknowledged are there, and the rest is a prefix', async () => {
  const all = entries(0, 400, { bytes: 60 });
  for (let at = 8; at < 60; at++) {
    const disk = new MemoryDisk(new SeededRandom(at));
    const crashed = disk.crashAfter(at);
    let acknowledged = 0;
    const work = async (): Promise<void> => {
      const { storage } = await start(disk);
      await storage.persist({ acceptedEpoch: 1 });
      for (let from = 0; from < all.length; from += 5) {
        void storage.persist({ entries: all.slice(from, from + 5) }).then(() => (acknowledged = from + 5));
        if (from % 50 === 45) await Promise.resolve();
        if (from === 200)
          void storage.writeSnapshot(zxid(0), [], content('nothing yet')).catch(() => undefined);
      }
      await storage.close();
    };
    await Promise.race([work(), crashed]);
    void disk.crashAfter(Infinity);

    const found = await find(disk);

    const present = found.snapshot === null ? found.entries : [plain(all[0]!), ...found.entries];
    assert.ok(
      present.length >= acknowledged,
      `crash at ${at}: ${present.length} of ${acknowledged} are there`,
    );
    assert.equal(present, all.slice(0, present.length).map(plain));
  }
});

test('what a recovery finds survives a power failure right after it, though the dead process had not synced it', async () => {
  const operations = await operationsOfScript();
  for (let at = 1; at <= operations; at++) {
    const disk = new MemoryDisk(new SeededRandom(at));
    await runUntilCrash(disk, disk.crashAfter(at, 'keep'));
    const found = await find(disk);

    disk.crash('lose');

    assert.equal(await find(disk), found, `crash at operation ${at}`);
  }
});

test('records whose sync failed are written again by the recovery, so that no later crash takes them', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
  disk.fail({ operation: 'sync', file: 'log' });
  await storage.persist({ entries: entries(5, 5) }).catch(() => undefined);
  await storage.close();

  const found = await find(disk);
  disk.crash('lose');

  assert.is(found.entries.length, 10);
  assert.equal((await find(disk)).entries, found.entries);
});

test('room for records whose sync failed is written again by the recovery, so that no later crash takes it', async () => {
  const options = { segmentBytes: 64 * 1024 };
  for (let groups = 1; groups <= 12; groups++) {
    for (const failedRecoveries of [0, 1]) {
      const disk = new MemoryDisk();
      const { storage } = await start(disk, options);
      for (let group = 0; group < groups; group++)
        await storage.persist({ acceptedEpoch: 1, entries: entries(group, 1, { bytes: 1000 }) });
      disk.fail({ operation: 'sync', file: 'log' });
      await storage.persist({ entries: entries(groups, 1, { bytes: 1000 }) }).catch(() => undefined);
      await storage.close();
      for (let failure = 0; failure < failedRecoveries; failure++) {
        disk.fail({ operation: 'sync', file: 'log' });
        await rejection(find(disk, options));
      }

      const found = await find(disk, options);
      disk.crash('lose');

      assert.is(found.entries.length, groups + 1);
      assert.equal((await find(disk, options)).entries, found.entries, `${groups} groups`);
    }
  }
});

test('a crash at any moment of a change to the promises keeps the epoch and the mark of who rejoins from before, or those after', async () => {
  for (let operations = 1, isDone = false; !isDone; operations += 1) {
    const disk = new MemoryDisk(new SeededRandom(operations));
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, rejoining: 'new' });
    const crashed = disk.crashAfter(operations);
    const change = storage.persist({ acceptedEpoch: 2, rejoining: null });
    isDone = await Promise.race([crashed.then(() => false), change.then(() => true)]);
    if (isDone) disk.crash();

    const again = await FileStorage.open({ disk });
    const { acceptedEpoch, rejoining } = await again.recover();
    await again.close();

    const found = `${acceptedEpoch} ${rejoining}`;
    assert.ok(
      found === '2 null' || (!isDone && found === '1 new'),
      `${found} after ${operations} operations`,
    );
  }
});

test.run();
