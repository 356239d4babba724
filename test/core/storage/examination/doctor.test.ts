import { crc32 } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../../core/runtime/index.js';
import {
  CorruptionError,
  DataDirectoryDoctor,
  type ContentCheck,
  MemoryDisk,
  type Examination,
} from '../../../../core/storage/index.js';
import { content, entries, find, plain, rejection, start, zxid, type Found } from '../history.js';
import { endOfRecords } from '../log-layout.js';

const LAST = 79;
const SNAPSHOT = 20;
const all = entries(0, LAST + 1, { bytes: 110 }).map(plain);

/** Three segments, snapshots at 20 and 50. Closed in order, so that everything is known to have been synced. */
async function madeDirectory(): Promise<MemoryDisk> {
  const disk = new MemoryDisk(new SeededRandom(3));
  const { storage } = await start(disk);
  await storage.persist({ acceptedEpoch: 1 });
  for (let first = 0; first <= LAST; first += 10) {
    await storage.persist({ entries: entries(first, 10, { bytes: 110 }) });
    if (first === 30) await storage.writeSnapshot(zxid(SNAPSHOT), table(SNAPSHOT), content('tree'));
    if (first === 60) await storage.writeSnapshot(zxid(50), table(50), content('larger tree'));
  }
  await storage.close();
  return disk.copy();
}

function table(counter: number): { epoch: number; lastZxid: bigint }[] {
  return [{ epoch: 1, lastZxid: zxid(counter) }];
}

const acceptContent: ContentCheck = async (pieces) => {
  for await (const _ of pieces);
};

async function examine(disk: MemoryDisk, check: ContentCheck = acceptContent): Promise<Examination> {
  const doctor = await DataDirectoryDoctor.open(disk, check);
  const examination = await doctor.examine();
  await doctor.close();
  return examination;
}

async function repair(
  disk: MemoryDisk,
  isAlone = false,
  check: ContentCheck = acceptContent,
): Promise<readonly string[]> {
  const doctor = await DataDirectoryDoctor.open(disk, check);
  const moved = await doctor.repair(await doctor.examine(), { folder: 'damaged', isAlone });
  await doctor.close();
  return moved;
}

function imageOf(disk: MemoryDisk): Record<string, string> {
  return Object.fromEntries(
    disk.names().map((name) => [name, Buffer.from(disk.contentOf(name)).toString('base64')]),
  );
}

/** A prefix of what was written, from its snapshot on. */
function requirePrefix(found: Found, context: string): bigint {
  const base = found.snapshot?.zxid ?? -1n;
  const expected = all.filter((entry) => entry.zxid > base);
  assert.equal(found.entries, expected.slice(0, found.entries.length), context);
  return found.entries.at(-1)?.zxid ?? found.snapshot?.zxid ?? 0n;
}

const logsOf = (disk: MemoryDisk): string[] => disk.names().filter((name) => name.startsWith('log-'));

test('an examination of a sound directory finds nothing and changes nothing, and neither does a repair', async () => {
  const disk = await madeDirectory();
  const before = imageOf(disk);

  const { survey, prognosis } = await examine(disk);

  assert.is(survey.refusal, null);
  assert.is(survey.torn, null);
  assert.is(prognosis.plan.type, 'none');
  assert.is(prognosis.soundUpTo, zxid(LAST));
  assert.is(
    survey.logs.reduce((sum, { records }) => sum + records, 0),
    LAST + 1,
  );
  assert.equal(imageOf(disk), before);
});

test('damage anywhere is found just where a start stumbles over it, and after a repair a member starts on what is left', async () => {
  const made = await madeDirectory();
  for (const name of made.names()) {
    const size = made.contentOf(name).length;
    for (let offset = 0; offset < size; offset += name.startsWith('log') ? 97 : 5) {
      const disk = made.copy();
      disk.flipBit(name, offset, 3);
      const context = `${name} at ${offset}`;
      const refusal = await find(disk.copy()).then(
        () => null,
        (error: unknown) => error as Error,
      );

      const { survey, prognosis } = await examine(disk);
      assert.is(survey.refusal?.message, refusal?.message, context);
      if (refusal === null && prognosis.plan.type === 'none') continue;
      const moved = await repair(disk);

      const found = await find(disk);
      assert.is(requirePrefix(found, context), prognosis.soundUpTo, context);
      assert.is((await rejoiningOf(disk)) === 'damaged', prognosis.isLoss, context);
      assert.ok(
        !prognosis.isLoss || prognosis.soundUpTo >= zxid(SNAPSHOT) || prognosis.plan.type === 'trim',
        context,
      );
      assert.ok(found.acceptedEpoch >= 1, context);
      for (const file of moved) assert.ok(disk.names().includes(file), `${context}: ${file} is kept`);
    }
  }
});

async function rejoiningOf(disk: MemoryDisk): Promise<string | null> {
  return (await examine(disk)).survey.promises?.rejoining ?? null;
}

test('damage in the log keeps every record before it, tells what may be lost, and makes the member rejoin', async () => {
  const disk = await madeDirectory();
  const second = logsOf(disk)[1]!;
  disk.flipBit(second, 3_600, 0);
  assert.instance(await rejection(find(disk.copy())), CorruptionError);

  const { prognosis, survey } = await examine(disk);
  const log = survey.logs.find(({ file }) => file.name === second)!;
  assert.ok(log.damage !== null && log.damage.offset! <= 3_600 && log.records > 0, 'where it is damaged');
  assert.is(prognosis.knownUpTo, zxid(LAST));
  const moved = await repair(disk);

  const found = await find(disk);
  assert.is(requirePrefix(found, 'kept'), log.end.zxid);
  assert.is(await rejoiningOf(disk), 'damaged');
  assert.ok(moved.includes(`damaged/${second}`));
  assert.ok(disk.names().includes(`damaged/${second}`));
});

test('a member that stands alone goes on from what is left if its operator says so', async () => {
  const disk = await madeDirectory();
  disk.flipBit(logsOf(disk).at(-1)!, 1_000, 0);

  await repair(disk, true);

  assert.is(await rejoiningOf(disk), null);
  requirePrefix(await find(disk), 'kept');
});

test('with the log gone the newest snapshot is kept, and with everything gone the directory begins anew', async () => {
  const disk = await madeDirectory();
  for (const name of logsOf(disk)) disk.forget(name);
  await repair(disk);
  const kept = await find(disk);
  assert.equal([kept.snapshot?.content, kept.snapshot?.zxid], ['larger tree', zxid(50)]);

  const ruined = await madeDirectory();
  for (const name of ruined.names()) if (/^(?:log|snapshot)/.test(name)) ruined.flipBit(name, 3, 0);
  await repair(ruined);
  const empty = await find(ruined);
  assert.equal([empty.entries.length, empty.snapshot, empty.acceptedEpoch], [0, null, 1]);
  assert.is(await rejoiningOf(ruined), 'damaged');
});

test('a lost or damaged epoch costs a promise, so the member rejoins; a lost identity costs nothing', async () => {
  for (const lose of [
    (disk: MemoryDisk) => disk.forget('accepted-epoch'),
    (disk: MemoryDisk) => disk.flipBit('accepted-epoch', 21, 1),
  ]) {
    const disk = await madeDirectory();
    lose(disk);
    await repair(disk);
    assert.is(await rejoiningOf(disk), 'damaged');
    assert.is(requirePrefix(await find(disk), 'epoch'), zxid(LAST));
  }
  const disk = await madeDirectory();
  disk.forget('identity');
  await repair(disk);
  assert.is(await rejoiningOf(disk), null);
  assert.is(requirePrefix(await find(disk), 'identity'), zxid(LAST));
});

test('a snapshot whose checksums are right but whose content is not is damaged', async () => {
  const disk = await madeDirectory();
  const doctor = await DataDirectoryDoctor.open(disk, async (_, { zxid: at }) => {
    if (at === zxid(50)) throw new Error('it does not add up');
  });

  const { survey, prognosis } = await doctor.examine();
  await doctor.close();

  assert.equal(
    survey.snapshots.map(({ damage }) => damage?.reason),
    [undefined, 'its checksums match, but not its content: it does not add up'],
  );
  assert.equal(
    [prognosis.plan.type, prognosis.isLoss],
    ['trim', false],
    'the older one and the log reach the end',
  );
});

test('a lone snapshot whose content contradicts its digest is a loss: the repaired member rejoins', async () => {
  const disk = await madeDirectory();
  const { storage } = await start(disk);
  await storage.installSnapshot(zxid(90), table(90), content('from a leader'));
  await storage.close();
  const contradicts: ContentCheck = async (pieces) => {
    for await (const _ of pieces);
    throw new Error('it does not add up');
  };

  const { prognosis, survey } = await examine(disk, contradicts);
  assert.equal([prognosis.soundUpTo, prognosis.knownUpTo, prognosis.isLoss], [0n, zxid(90), true]);
  assert.match(survey.refusal?.message ?? '', /snapshot-00000001-.* is damaged: .*does not add up/);
  await repair(disk, false, contradicts);

  assert.is(await rejoiningOf(disk), 'damaged');
});

test('a second fault behind the one that stops the start is found before a repair is called harmless', async () => {
  const disk = await madeDirectory();
  disk.flipBit(logsOf(disk)[0]!, 20, 0);
  assert.is((await examine(disk)).prognosis.isLoss, false, 'snapshots cover the first log file');
  disk.replace('accepted-epoch', (await olderEpoch()).contentOf('accepted-epoch'));

  assert.is((await examine(disk)).prognosis.isLoss, true);
  await repair(disk);

  assert.is(await rejoiningOf(disk), 'damaged');
});

/** A directory that has promised no epoch yet. */
async function olderEpoch(): Promise<MemoryDisk> {
  const disk = new MemoryDisk(new SeededRandom(3));
  await find(disk);
  return disk;
}

test('with the identity lost, a log that ends before the newest snapshot is still a loss', async () => {
  const disk = await madeDirectory();
  const logs = logsOf(disk);
  for (const name of logs.slice(1)) disk.forget(name);
  disk.forget('identity');

  const { prognosis } = await examine(disk);
  assert.is(prognosis.isLoss, true);
  await repair(disk);

  assert.is(await rejoiningOf(disk), 'damaged');
});

test('without end-of-log nothing shows where the log ended, so a repaired member rejoins', async () => {
  const losses: ((disk: MemoryDisk) => void)[] = [
    (disk) => disk.forget('end-of-log'),
    (disk) => disk.replace('end-of-log', new Uint8Array(0)),
    (disk) => {
      disk.forget('end-of-log');
      disk.forget(logsOf(disk).at(-1)!);
    },
  ];
  for (const lose of losses) {
    const disk = await madeDirectory();
    lose(disk);
    const kept = logsOf(disk).length;

    const { prognosis } = await examine(disk);
    assert.is(prognosis.isLoss, true);
    await repair(disk);

    assert.is(logsOf(disk).length, kept, 'what verifies is kept');
    assert.is(await rejoiningOf(disk), 'damaged');
  }
});

test('with end-of-log and the identity lost too, nothing shows where the log ended, and a repaired member rejoins', async () => {
  const disk = await madeDirectory();
  for (const name of ['identity', 'end-of-log', logsOf(disk).at(-1)!]) disk.forget(name);

  const { prognosis } = await examine(disk);
  assert.is(prognosis.isLoss, true);
  await repair(disk);

  assert.is(await rejoiningOf(disk), 'damaged');
});

test('a lost identity is read back from a snapshot where there is no log', async () => {
  const disk = await madeDirectory();
  const { storage } = await start(disk);
  await storage.installSnapshot(zxid(90), table(90), content('from a leader'));
  await storage.close();
  disk.forget('identity');

  await repair(disk);

  assert.is((await find(disk)).snapshot?.content, 'from a leader');
  assert.is(await rejoiningOf(disk), null);
});

test('an unreadable block of a file is damage at its offset, and a repair keeps all that can be read', async () => {
  const made = await madeDirectory();
  const newest = made.names().findLast((name) => name.startsWith('log-'));
  for (const name of made.names().filter((other) => other !== 'end-of-log')) {
    const size = made.contentOf(name).length;
    for (let from = 0; from < size; from += 4096) {
      // Nobody reads what stands behind the records of an older file.
      const isOlder = name.startsWith('log-') && name !== newest;
      if (isOlder && from >= endOfRecords(made.contentOf(name))) continue;
      const context = `${name} at ${from}`;
      const disk = made.copy();
      disk.spoil(name, from);
      const refusal = await find(disk.copy()).then(
        () => null,
        (error: unknown) => error as Error,
      );
      if (refusal !== null) assert.instance(refusal, CorruptionError, context);

      const { survey, prognosis } = await examine(disk);
      assert.is(survey.refusal?.message, refusal?.message, context);
      const damage = [...survey.damagedFiles, ...survey.logs, ...survey.snapshots].filter(
        (found) => found.damage !== null,
      );
      assert.equal(
        damage.map((found) => found.damage?.offset),
        [from],
        context,
      );
      await repair(disk);

      assert.is(requirePrefix(await find(disk), context), prognosis.soundUpTo, context);
      assert.is((await rejoiningOf(disk)) === 'damaged', prognosis.isLoss, context);
      assert.is(prognosis.isLoss, /^(?:log|accepted)/.test(name) && !isCovered(name), context);
    }
  }
});

/** The first file of the log ends before the older snapshot, and the second before the newer one. */
function isCovered(log: string): boolean {
  return log.startsWith('log') && BigInt(`0x${log.slice(-16)}`) < zxid(SNAPSHOT);
}

test('a file that the system does not let the doctor read is no damage, and nothing is repaired', async () => {
  for (const file of ['identity', 'accepted-epoch', 'log', 'snapshot']) {
    const disk = await madeDirectory();
    const before = imageOf(disk);
    disk.fail({ operation: 'open', file, code: 'EACCES', times: Infinity });

    const refused = await rejection(repair(disk));

    assert.is(refused.code, 'STORAGE_ACCESS_DENIED', file);
    assert.match(refused.message, /EACCES.*Nothing was changed/);
    disk.repair();
    assert.equal(imageOf(disk), before);
  }
});

test('a snapshot in a later format is called that, by the member and by the doctor, and nothing is repaired', async () => {
  const disk = await madeDirectory();
  const name = disk.names().findLast((file) => file.startsWith('snapshot'))!;
  const bytes = Buffer.from(disk.contentOf(name));
  const epochs = bytes.readUInt32LE(24);
  const headerBytes = 48 + 12 * epochs;
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, headerBytes)), headerBytes);
  disk.replace(name, bytes);

  for (const act of [find(disk.copy()), repair(disk.copy())]) {
    const refused = await rejection(act);
    assert.is(refused.code, 'STORAGE_FORMAT_UNKNOWN');
    assert.match(refused.message, /format 2.*not damaged.*that version or a later one/);
  }
});

test('a crash at any moment of a repair leaves a directory that is refused, or makes its member rejoin; a second repair ends well', async () => {
  const made = await madeDirectory();
  made.flipBit(logsOf(made)[1]!, 1_000, 0);
  for (let operations = 1, isDone = false; !isDone; operations += 1) {
    const disk = made.copy(new SeededRandom(operations));
    const crashed = disk.crashAfter(operations);
    isDone = await Promise.race([crashed.then(() => false), repair(disk).then(() => true)]);
    if (isDone) break;

    const refusal = await find(disk.copy()).then(
      () => null,
      (error: unknown) => error as Error,
    );
    const { survey } = await examine(disk);
    assert.ok(
      refusal instanceof CorruptionError || survey.promises?.rejoining === 'damaged',
      `after ${operations} operations`,
    );
    await repair(disk);
    requirePrefix(await find(disk), `after ${operations} operations`);
    assert.is(await rejoiningOf(disk), 'damaged');
  }
});

test.run();
