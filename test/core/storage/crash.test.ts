import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../core/runtime/index.js';
import { FileStorage, MemoryDisk, type LogEntry } from '../../../core/storage/index.js';
import { content, entries, find, plain, start, zxid, type Found } from './history.js';

/** A history as its zxids. */
type History = readonly bigint[];

interface Step {
  run(storage: FileStorage): Promise<void>;
  /** What it makes of the history that was before. */
  apply(before: History): History;
  readonly acceptedEpoch?: number;
}

const ids = (list: readonly LogEntry[]): History => list.map((entry) => entry.zxid);

/** In batches of ten. */
function append(list: readonly LogEntry[], acceptedEpoch?: number): Step {
  return {
    run: async (storage) => {
      if (acceptedEpoch !== undefined) await storage.persist({ acceptedEpoch });
      for (let from = 0; from < list.length; from += 10) {
        await storage.persist({ entries: list.slice(from, from + 10) });
      }
    },
    apply: (before) => [...before, ...ids(list)],
    ...(acceptedEpoch === undefined ? {} : { acceptedEpoch }),
  };
}

function truncate(after: bigint, list: readonly LogEntry[]): Step {
  return {
    run: (storage) => storage.persist({ truncateAfter: after, entries: list }),
    apply: (before) => [...before.filter((id) => id <= after), ...ids(list)],
  };
}

/** A snapshot's content is the history that it stands for. */
function snapshot(at: bigint, history: () => History): Step {
  return {
    run: (storage) =>
      storage.writeSnapshot(
        at,
        [],
        content(
          history()
            .filter((id) => id <= at)
            .join(' '),
        ),
      ),
    apply: (before) => before,
  };
}

function install(history: History): Step {
  return {
    run: (storage) => storage.installSnapshot(history.at(-1)!, [], content(history.join(' '))),
    apply: () => history,
  };
}

function historyOf(found: Found): History {
  const inSnapshot = found.snapshot?.content.split(' ').filter(Boolean).map(BigInt) ?? [];
  return [...inSnapshot, ...found.entries.map((entry) => entry.zxid)];
}

/** Every kind of change, over several segments, snapshots and generations. */
function script(current: () => History): readonly Step[] {
  return [
    append([], 1),
    append(entries(0, 10, { bytes: 100 })),
    append(entries(10, 40, { bytes: 150 })),
    snapshot(zxid(20), current),
    append(entries(50, 60, { bytes: 150 }), 2),
    truncate(zxid(29), entries(0, 1, { epoch: 2 })),
    append(entries(1, 30, { epoch: 2, bytes: 200 })),
    truncate(zxid(14, 2), []),
    snapshot(zxid(11, 2), current),
    append(entries(15, 40, { epoch: 2, bytes: 150 }), 3),
    install(ids(entries(0, 60, { epoch: 3 }))),
    append(entries(60, 30, { epoch: 3, bytes: 200 })),
    snapshot(zxid(89, 3), current),
    truncate(zxid(89, 3), entries(90, 3, { epoch: 3 })),
  ];
}

interface Run {
  /** Before the step that was under way, and after it. */
  readonly before: History;
  readonly after: History;
  readonly epochBefore: number;
  readonly epochAfter: number;
}

/** Runs the script until it ends or the disk crashes. */
async function runScript(disk: MemoryDisk, crashed: Promise<void>): Promise<Run> {
  let before: History = [];
  let epoch = 0;
  let run: Run = { before, after: before, epochBefore: 0, epochAfter: 0 };
  const work = async (): Promise<void> => {
    const { storage } = await start(disk, { snapshotsKept: 1 });
    for (const step of script(() => before)) {
      const after = step.apply(before);
      const epochAfter = step.acceptedEpoch ?? epoch;
      run = { before, after, epochBefore: epoch, epochAfter };
      await step.run(storage);
      [before, epoch] = [after, epochAfter];
      run = { before, after, epochBefore: epoch, epochAfter };
    }
    await storage.close();
  };
  await Promise.race([work(), crashed]);
  return run;
}

function isPrefix(short: History, long: History): boolean {
  return short.length <= long.length && short.every((id, index) => id === long[index]);
}

/** What the step under way kept in common is there; beyond it stands a part of what was before or of what comes after. */
function requireExplained(found: History, { before, after }: Run, context: string): void {
  const firstDifference = before.findIndex((id, index) => id !== after[index]);
  const common = firstDifference === -1 ? before : before.slice(0, firstDifference);
  const isAppend = common.length === before.length;
  const isInstall = common.length === 0 && before.length > 0;
  const isExplained = isInstall
    ? String(found) === String(before) || String(found) === String(after)
    : isPrefix(common, found) && (isPrefix(found, after) || (!isAppend && isPrefix(found, before)));
  if (!isExplained) assert.unreachable(`${context}: found ${found.length} entries that nothing explains`);
}

async function operationsOfScript(): Promise<number> {
  const disk = new MemoryDisk();
  await runScript(disk, new Promise(() => undefined));
  return disk.operations;
}

test('a crash at any operation of the disk loses nothing acknowledged and invents nothing', async () => {
  const operations = await operationsOfScript();
  assert.ok(operations > 150, `the script has only ${operations} operations`);
  for (let at = 1; at <= operations; at++) {
    for (let seed = 0; seed < 4; seed++) {
      const disk = new MemoryDisk(new SeededRandom(at * 1000 + seed));
      const context = `crash at operation ${at}, seed ${seed}`;
      const run = await runScript(disk, disk.crashAfter(at));

      const found = await find(disk);

      requireExplained(historyOf(found), run, context);
      assert.ok([run.epochBefore, run.epochAfter].includes(found.acceptedEpoch), context);
    }
  }
});

test('a crash at any operation of the recovery from a crash loses nothing either', async () => {
  const operations = await operationsOfScript();
  for (let at = 3; at <= operations; at += 3) {
    const seed = at * 77;
    const disk = new MemoryDisk(new SeededRandom(seed));
    const run = await runScript(disk, disk.crashAfter(at));
    for (let recoveryAt = 1; recoveryAt <= 40; recoveryAt += 1 + (at % 3)) {
      const copy = disk.copy(new SeededRandom(seed + recoveryAt));
      const crashed = copy.crashAfter(recoveryAt);
      await Promise.race([find(copy), crashed]);
      void copy.crashAfter(Infinity);

      const found = await find(copy);

      requireExplained(historyOf(found), run, `crash at ${at}, then at ${recoveryAt} of the recovery`);
    }
  }
});

test('after any crash the log takes new entries, and they are found', async () => {
  const operations = await operationsOfScript();
  for (let at = 1; at <= operations; at += 2) {
    const disk = new MemoryDisk(new SeededRandom(at));
    await runScript(disk, disk.crashAfter(at));
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
    await runScript(disk, disk.crashAfter(at, 'keep'));
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
