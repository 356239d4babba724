import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../core/runtime/index.js';
import { writePromises } from '../../../core/storage/epoch-file.js';
import { FileStorage, MemoryDisk, type RecoveredState } from '../../../core/storage/index.js';
import { entries, recordingLogger, start, zxid } from './history.js';
import { endOfRecords, recordsOf } from './log-layout.js';

const BLOCK = 4096;
const GROUPS = 40;

/** A log of one file whose groups were synced one by one: the last is proved by nothing unless `prove` or `close` says so. */
async function made(
  end: 'killed' | 'killed and proved' | 'closed',
): Promise<{ disk: MemoryDisk; last: bigint }> {
  const disk = new MemoryDisk(new SeededRandom(5));
  const { storage } = await start(disk, { segmentBytes: 1 << 20 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 1) });
  for (let group = 0; group < GROUPS; group++) {
    await storage.persist({ entries: entries(1 + 2 * group, 2, { bytes: 90 }) });
  }
  if (end === 'killed and proved') await storage.proveEnd();
  if (end === 'closed') await storage.close();
  return { disk: disk.copy(), last: zxid(2 * GROUPS) };
}

function logOf(disk: MemoryDisk): string {
  return disk.names().findLast((name) => name.startsWith('log-'))!;
}

/** What a member of several makes of a directory. */
async function outcomeOf(
  disk: MemoryDisk,
  last: bigint,
): Promise<'complete' | 'torn' | 'ambiguous' | 'rejoining'> {
  const state = await recovered(disk);
  const end = endOf(state);
  if (state.rejoining !== null) return 'rejoining';
  if ((state.mayHold ?? 0n) > end) return 'ambiguous';
  return end === last ? 'complete' : 'torn';
}

async function recovered(disk: MemoryDisk): Promise<RecoveredState> {
  const storage = await FileStorage.open({ disk, canRejoin: true, segmentBytes: 1 << 20 });
  const state = await storage.recover();
  await storage.close();
  return state;
}

function endOf({ entries: found, snapshot }: RecoveredState): bigint {
  return found.at(-1)?.zxid ?? snapshot?.zxid ?? 0n;
}

/** Overwrites the block that holds the byte at `offset`, but for the header of the file. */
function spoilBlock(disk: MemoryDisk, offset: number, value: number): void {
  const name = logOf(disk);
  const from = offset - (offset % BLOCK);
  const bytes = disk.contentOf(name).slice();
  disk.replace(name, bytes.fill(value, Math.max(64, from), from + BLOCK));
}

const DAMAGE: Readonly<Record<string, (disk: MemoryDisk) => void>> = {
  'a bit of the last record flips': (disk) => disk.flipBit(logOf(disk), lastRecord(disk).start + 40),
  'the block of the last record turns to zeros': (disk) => spoilBlock(disk, lastRecord(disk).start, 0),
  'the block of the last record turns to garbage': (disk) => spoilBlock(disk, lastRecord(disk).start, 0x5a),
};

function lastRecord(disk: MemoryDisk): { readonly start: number; readonly end: number } {
  return recordsOf(disk.contentOf(logOf(disk))).at(-1)!;
}

for (const [what, damage] of Object.entries(DAMAGE)) {
  for (const end of ['closed', 'killed and proved'] as const) {
    test(`a member rejoins if ${what} after it was ${end}`, async () => {
      const { disk, last } = await made(end);
      damage(disk);

      assert.is(await outcomeOf(disk, last), 'rejoining');
      assert.is(await outcomeOf(disk, last), 'rejoining', 'it does so until it is admitted');
    });
  }
}

for (const what of ['a bit of the last record flips', 'the block of the last record turns to zeros']) {
  test(`a member does not vote with a shorter log if ${what} before anything proves it`, async () => {
    const { disk, last } = await made('killed');
    DAMAGE[what]!(disk);

    // Of the groups in the block only the last one is not proved by the next.
    assert.is(await outcomeOf(disk, last), what.includes('bit') ? 'ambiguous' : 'rejoining');
  });
}

test('what an ambiguous end may have held is remembered over restarts, until the log reaches it', async () => {
  const { disk, last } = await made('killed');
  disk.flipBit(logOf(disk), lastRecord(disk).start + 40);

  for (const _ of ['first', 'second', 'third']) assert.is((await recovered(disk)).mayHold, last);
  const { storage } = await start(disk, { segmentBytes: 1 << 20 });
  await storage.persist({ acceptedEpoch: 2 });
  await storage.persist({ entries: [{ zxid: zxid(0, 2), payload: new Uint8Array() }] });
  await storage.close();

  assert.is(await outcomeOf(disk, zxid(0, 2)), 'complete');
});

test('a second ambiguous end does not hide that a first one may have held more', async () => {
  const { disk } = await made('killed');
  const directory = await disk.lock();
  await writePromises(directory, { acceptedEpoch: 1, rejoining: null, mayHold: zxid(500) });
  await directory.release();
  disk.flipBit(logOf(disk), lastRecord(disk).start + 40);

  for (const _ of ['first', 'second']) assert.is((await recovered(disk)).mayHold, zxid(500));
});

test('a promise or an admission does not end what an ambiguous end may have held', async () => {
  const { disk, last } = await made('killed');
  disk.flipBit(logOf(disk), lastRecord(disk).start + 40);
  const options = { segmentBytes: 1 << 20, canRejoin: true };
  for (const batch of [{ acceptedEpoch: 2 }, { rejoining: null }, { acceptedEpoch: 3, rejoining: null }]) {
    const { storage } = await start(disk, options);
    await storage.persist(batch);
    await storage.close();
    const { mayHold, acceptedEpoch } = await recovered(disk);
    assert.is(mayHold, last);
    assert.is(acceptedEpoch, batch.acceptedEpoch ?? 2);
  }
});

test('an ambiguous end is cut and kept beside the log, and the log lines claim no more than is known', async () => {
  const { disk } = await made('killed');
  disk.flipBit(logOf(disk), lastRecord(disk).start + 40);
  const logger = recordingLogger();

  const storage = await FileStorage.open({ disk, logger });
  await storage.recover();
  await storage.close();

  assert.equal(
    logger.lines.map(({ message }) => message),
    [
      'The end of the log may have been acknowledged; it is unknown whether it was',
      'Cut an unreadable end off the log',
    ],
  );
  assert.ok(disk.names().includes(String(logger.lines[1]!.fields.keptAs)));
});

test('the tails that were cut off a log are bounded in number', async () => {
  const { disk } = await made('closed');
  for (let round = 0; round < 12; round++) {
    const { storage } = await start(disk, { segmentBytes: 1 << 20 });
    await storage.persist({ entries: entries(2 * GROUPS + 1 + round, 1) });
    const torn = disk.copy();
    const name = logOf(torn);
    const bytes = torn.contentOf(name).slice();
    bytes.fill(0x5a, endOfRecords(bytes), endOfRecords(bytes) + 100);
    await storage.close();
    disk.replace(name, bytes);
    assert.is(await outcomeOf(disk, zxid(2 * GROUPS + 1 + round)), 'complete');
  }

  const cuts = disk.names().filter((name) => name.startsWith('cut-'));
  assert.is(cuts.length, 8);
  assert.ok(cuts.at(-1)!.startsWith('cut-0000000c-'));
});

test('the end of a log is proved although nothing was written since the start', async () => {
  const { disk, last } = await made('killed');
  await recovered(disk);
  spoilBlock(disk, lastRecord(disk).start, 0);

  assert.is(await outcomeOf(disk, last), 'rejoining');
});

test('the mark of a group stands in a block that holds nothing of the group', async () => {
  for (let bytes = 30; bytes < 9_000; bytes += 97) {
    const disk = new MemoryDisk();
    const { storage } = await start(disk, { segmentBytes: 1 << 20 });
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 2, { bytes }) });
    const copy = disk.copy();
    spoilBlock(copy, lastRecord(copy).end - 1, 0);
    await storage.close();

    assert.is.not(await outcomeOf(copy, zxid(1)), 'torn', `a group of ${bytes} bytes`);
  }
});

test('a failure of power during a sync leaves a log that is complete, torn or ambiguous, and never damaged', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 400; seed++) {
    const random = new SeededRandom(seed);
    const disk = new MemoryDisk(random);
    const { storage } = await start(disk, { segmentBytes: 64 * 1024 });
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 1) });
    let counter = 1;
    for (let group = 0; group < 1 + (seed % 7); group++, counter += 3) {
      await storage.persist({
        entries: entries(counter, 3, { bytes: 20 + Math.floor(random.next() * 3_000) }),
      });
      if (random.next() < 0.3) await storage.proveEnd();
    }
    let acknowledged = zxid(counter - 1);
    const crashed = disk.crashAfter(1 + Math.floor(random.next() * 3), 'random');
    const last = entries(counter, 5, { bytes: 20 + Math.floor(random.next() * 3_000) });
    const appended = storage.persist({ entries: last }).then(() => (acknowledged = zxid(counter + 4)));
    const proved = appended.then(() => storage.proveEnd());
    await Promise.race([crashed, proved.then(() => disk.crash('random'))]);
    const state = await recovered(disk);
    const end = endOf(state);
    assert.is(state.rejoining, null, `seed ${seed}`);
    assert.ok(end >= acknowledged, `seed ${seed}: it ends at ${end}, ${acknowledged} was acknowledged`);
    seen.add((state.mayHold ?? 0n) > end ? 'ambiguous' : end === zxid(counter + 4) ? 'complete' : 'torn');
  }

  assert.equal([...seen].sort(), ['ambiguous', 'complete', 'torn']);
});

test('an append to a preallocated file is one write and one sync, with its mark', async () => {
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 16 << 20 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 1) });
  const size = disk.contentOf(logOf(disk)).length;
  const before = disk.operations;

  for (let counter = 1; counter <= 20; counter++) await storage.persist({ entries: entries(counter, 1) });

  assert.is(disk.operations - before, 2 * 20);
  assert.is(disk.contentOf(logOf(disk)).length, size);
  await storage.proveEnd();
  assert.is(disk.operations - before, 2 * 20 + 3, 'one open, one write and one sync prove the end');
  await storage.proveEnd();
  assert.is(disk.operations - before, 2 * 20 + 3, 'once');
  await storage.close();
});

test('records of an older file in a block that the log was given show nothing of the log', async () => {
  const disk = new MemoryDisk(new SeededRandom(5));
  const { storage } = await start(disk, { segmentBytes: 2 * BLOCK });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 1) });
  const logs = (): string[] => disk.names().filter((name) => name.startsWith('log-'));
  let group = 0;
  while (logs().length < 2) await storage.persist({ entries: entries(1 + 2 * group++, 2, { bytes: 90 }) });
  await storage.close();
  const [older, newest] = logs() as [string, string];
  const stale = disk.contentOf(older).slice(BLOCK, 2 * BLOCK);
  const content = disk.contentOf(newest);
  const at = Math.ceil(content.length / BLOCK) * BLOCK;
  const grown = Buffer.alloc(at + BLOCK);
  grown.set(content);
  grown.set(stale, at);
  disk.replace(newest, grown);

  assert.is(await outcomeOf(disk, zxid(2 * group)), 'complete');
});

test.run();
