import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../core/runtime/index.js';
import { FileStorage, MemoryDisk, NodeDisk } from '../../../core/storage/index.js';
import { content, entries, rejection, start, zxid } from './history.js';
import { recordsOf } from './log-layout.js';

const BLOCK = 4096;
const SEGMENT_BYTES = 16 * 1024;
const ENTRIES = 300;
const LAST = zxid(ENTRIES - 1);

/** A directory with several segments and two snapshots, all of it acknowledged. */
async function made(end: 'killed' | 'killed and proved' | 'stopped'): Promise<MemoryDisk> {
  const disk = new MemoryDisk(new SeededRandom(9));
  const { storage } = await start(disk, { segmentBytes: SEGMENT_BYTES });
  await storage.persist({ acceptedEpoch: 1, rejoining: null });
  for (let first = 0; first < ENTRIES; first += 5) {
    await storage.persist({ entries: entries(first, 5, { bytes: 150 }) });
    if (first === 50 || first === 150) {
      const at = zxid(first - 10);
      await storage.writeSnapshot(at, [{ epoch: 1, lastZxid: at }], content(`tree at ${first}`));
    }
  }
  if (end === 'killed and proved') await storage.proveEnd();
  if (end === 'stopped') await storage.close();
  return disk.copy();
}

/** Where a file is used: to its last byte that is not zero. */
function usedBytes(file: Uint8Array): number {
  return file.findLastIndex((byte) => byte !== 0) + 1;
}

const DAMAGE: Readonly<Record<string, (disk: MemoryDisk, name: string, place: number) => void>> = {
  removed: (disk, name) => disk.forget(name),
  emptied: (disk, name) => disk.replace(name, new Uint8Array()),
  'cut in the middle': (disk, name, place) => disk.replace(name, disk.contentOf(name).slice(0, place)),
  'cut by a byte': (disk, name) => disk.replace(name, disk.contentOf(name).slice(0, -1)),
  'harmed by a bit': (disk, name, place) => disk.flipBit(name, place, place % 8),
  'harmed by a page': (disk, name, place) => overwrite(disk, name, place, 0x5a),
  'harmed by a page of zeros': (disk, name, place) => overwrite(disk, name, place, 0),
  zeroed: (disk, name) => disk.replace(name, new Uint8Array(disk.contentOf(name).length)),
};

function overwrite(disk: MemoryDisk, name: string, place: number, value: number): void {
  const from = place - (place % BLOCK);
  disk.replace(
    name,
    disk
      .contentOf(name)
      .slice()
      .fill(value, from, from + BLOCK),
  );
}

/** Bytes to harm: the beginning, the end, and some between. */
function placesIn(name: string, file: Uint8Array): number[] {
  const used = usedBytes(file);
  const records = name.startsWith('log-') ? recordsOf(file) : [];
  const ends = records.length < 2 ? [] : [records.at(-1)!.start + 40, records.at(-2)!.start + 20];
  return [...new Set([9, 33, used >> 2, used >> 1, used - 1, ...ends])].filter(
    (at) => at >= 0 && at < file.length,
  );
}

interface Outcome {
  readonly kind: 'complete' | 'ambiguous' | 'rejoins' | 'shorter';
  readonly end: bigint;
}

async function outcomeOf(disk: MemoryDisk): Promise<Outcome> {
  const storage = await FileStorage.open({ disk, canRejoin: true, segmentBytes: SEGMENT_BYTES });
  const { entries: found, snapshot, rejoining, mayHold, isNew } = await storage.recover();
  await storage.close();
  const end = found.at(-1)?.zxid ?? snapshot?.zxid ?? 0n;
  if (rejoining === 'damaged' || isNew) return { kind: 'rejoins', end };
  if ((mayHold ?? 0n) > end) return { kind: 'ambiguous', end };
  return { kind: end === LAST ? 'complete' : 'shorter', end };
}

for (const end of ['killed', 'killed and proved', 'stopped'] as const) {
  for (const [what, damage] of Object.entries(DAMAGE)) {
    test(`a member that was ${end} never votes with a shorter log, whichever file is ${what}`, async () => {
      const disk = await made(end);
      for (const name of disk.names()) {
        for (const place of placesIn(name, disk.contentOf(name))) {
          const copy = disk.copy();
          damage(copy, name, place);
          const first = await outcomeOf(copy);

          assert.is.not(first.kind, 'shorter', `${name} is ${what} at ${place}: it ends at ${first.end}`);
          assert.is(
            (await outcomeOf(copy)).kind,
            first.kind,
            `${name} is ${what} at ${place}: the second start`,
          );
        }
      }
    });
  }
}

test('a member rejoins at once though a second damaged place shows only when the first is set aside', async () => {
  const disk = await made('stopped');
  const [older, newest] = disk
    .names()
    .filter((name) => name.startsWith('log-'))
    .slice(-2) as [string, string];
  disk.replace(newest, disk.contentOf(newest).slice(0, 100));
  disk.spoil(older, disk.contentOf(older).length - 1);

  assert.is((await outcomeOf(disk)).kind, 'rejoins');
});

test('a member that has repaired itself rejoins, though all of its history is there', async () => {
  for (const end of ['killed', 'stopped'] as const) {
    const disk = await made(end);
    disk.forget('identity');

    assert.equal(await outcomeOf(disk), { kind: 'rejoins', end: LAST });
  }
});

test('a member whose files of the log are all gone rejoins', async () => {
  for (const end of ['killed', 'stopped'] as const) {
    const disk = await made(end);
    for (const name of disk.names()) if (/^(?:log|snapshot)-/.test(name)) disk.forget(name);

    assert.is((await outcomeOf(disk)).kind, 'rejoins');
  }
});

test('a damaged file of the log that the newest snapshot covers costs nothing', async () => {
  const disk = await made('stopped');
  const oldest = disk.names().find((name) => name.startsWith('log-'))!;
  disk.flipBit(oldest, 20);

  assert.is((await outcomeOf(disk)).kind, 'complete');
  assert.ok(disk.names().includes(`${oldest}.damaged`));
});

test('an unreadable directory whose repair lacks space twice does not pass for a new one', async () => {
  const disk = await made('killed');
  const repair = async (): Promise<Error> =>
    rejection(FileStorage.open({ disk, canRejoin: true }).then((storage) => storage.recover()));
  for (const file of ['end-of-log', 'accepted-epoch']) {
    disk.fail({ operation: 'read', times: Infinity });
    disk.fail({ operation: 'write', file, code: 'ENOSPC' });
    await repair();
    disk.repair();
    disk.crash('keep');
  }

  const storage = await FileStorage.open({ disk, canRejoin: true });
  const { isNew, rejoining } = await storage.recover();
  await storage.close();
  assert.equal({ isNew, rejoining }, { isNew: false, rejoining: 'damaged' });
});

test('an empty file with the name of a later generation takes the place of nothing', async () => {
  for (const name of ['log-0000000f-0000000100000000', 'snapshot-0000000f-0000000100000000']) {
    const disk = await made('stopped');
    disk.replace(name, new Uint8Array());

    assert.is((await outcomeOf(disk)).kind, 'complete', name);
    assert.not.ok(disk.names().includes(name));
  }
});

test('a file that the disk cannot even open is damaged like one that it cannot read', async () => {
  for (const kind of ['log-', 'snapshot-'] as const) {
    const disk = await made('stopped');
    const newest = disk.names().findLast((name) => name.startsWith(kind))!;
    disk.fail({ operation: 'open', file: newest, code: 'EIO', times: Infinity });
    const storage = await FileStorage.open({ disk, canRejoin: true });
    const { rejoining } = await storage.recover();
    await storage.close();

    assert.is(rejoining, kind === 'log-' ? 'damaged' : null, 'a log leads on from an older snapshot');
    assert.not.ok(kind === 'log-' && disk.names().includes(newest), 'it is moved aside');
  }
});

test('a directory in the place of a file is refused by name, and nothing is changed', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'quorate-odd-files-'));
  try {
    const directory = join(parent, 'data');
    const { storage } = await start(await NodeDisk.open(directory));
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
    await storage.close();
    const names = (await readdir(directory)).filter((name) => !name.startsWith('lock'));
    assert.is(names.length, 4);
    for (const name of names) {
      await rename(join(directory, name), join(parent, name));
      await mkdir(join(directory, name));

      const error = await rejection(start(await NodeDisk.open(directory), { canRejoin: true }));

      assert.match(error.message, `${name} is a directory, where a regular file belongs`);
      await rm(join(directory, name), { recursive: true });
      await rename(join(parent, name), join(directory, name));
    }
    const { storage: again, found } = await start(await NodeDisk.open(directory));
    await again.close();
    assert.equal([found.entries.length, found.rejoining], [5, null]);
  } finally {
    await rm(parent, { recursive: true });
  }
});

test('a file of the log that is a symbolic link is refused by name', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'quorate-links-'));
  try {
    const directory = join(parent, 'data');
    const { storage } = await start(await NodeDisk.open(directory));
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 5) });
    await storage.close();
    const log = (await readdir(directory)).find((name) => name.startsWith('log-'))!;
    await rename(join(directory, log), join(parent, log));
    await symlink(join(parent, log), join(directory, log));

    const error = await rejection(start(await NodeDisk.open(directory), { canRejoin: true }));

    assert.match(error.message, `${log} is a symbolic link`);
    await rm(join(directory, log));
    await rename(join(parent, log), join(directory, log));
    const { storage: again, found } = await start(await NodeDisk.open(directory));
    await again.close();
    assert.is(found.entries.length, 5);
  } finally {
    await rm(parent, { recursive: true });
  }
});

test.run();
