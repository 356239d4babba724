/** How the files of a log are linked, and which of them may be missing or damaged. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DirectoryContent } from '../../../core/storage/data-directory.js';
import { parseFileName } from '../../../core/storage/file-name.js';
import { CorruptionError, MemoryDisk } from '../../../core/storage/index.js';
import type { LogEnd } from '../../../core/storage/log-end.js';
import { LogRecovery } from '../../../core/storage/log-recovery.js';
import { createSegment, type SegmentHeader } from '../../../core/storage/log-segment.js';
import { rejection } from './history.js';

const ID = Buffer.alloc(16, 7);
const NOTHING: LogEnd = { generation: 0, zxid: 0n, newest: null };
/** Three files: entries 1 to 9, 10 to 19, and from 20 on. */
const FIRST: SegmentHeader = { firstZxid: 1n, prevZxid: 0n, chain: 0, prevEnd: 0 };
const SECOND: SegmentHeader = { firstZxid: 10n, prevZxid: 9n, chain: 5, prevEnd: 500 };
const THIRD: SegmentHeader = { firstZxid: 20n, prevZxid: 19n, chain: 6, prevEnd: 600 };

async function logOf(headers: readonly SegmentHeader[]): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const directory = await disk.lock();
  for (const header of headers) {
    const { file } = await createSegment(directory, {
      generation: 0,
      header,
      directoryId: ID,
      allocateBytes: 4096,
    });
    await file.close();
  }
  await directory.release();
  return disk;
}

function nameOf({ firstZxid }: SegmentHeader): string {
  return `log-00000000-${firstZxid.toString(16).padStart(16, '0')}`;
}

/** Zeros all of a file, or what only a used file would hold behind its header as well. */
function spoil(disk: MemoryDisk, header: SegmentHeader, isUsed: boolean): void {
  const bytes = new Uint8Array(disk.contentOf(nameOf(header)).length);
  if (isUsed) bytes[100] = 1;
  disk.replace(nameOf(header), bytes);
}

async function recoveryOf(disk: MemoryDisk, end: LogEnd | null = NOTHING): Promise<LogRecovery> {
  const directory = await disk.lock();
  const content: DirectoryContent = {
    identity: { id: ID, owner: '' },
    promises: { acceptedEpoch: 1, rejoining: null },
    isNew: false,
    logs: (await directory.list()).map(parseFileName).filter((file) => file !== null),
    snapshots: [],
    generation: 0,
    end,
    strays: [],
    leftovers: [],
  };
  return new LogRecovery(directory, content);
}

/** The file in which damage is found; fails if none is. */
async function damagedFile(recovery: LogRecovery, base = 0n): Promise<string> {
  const error = await rejection(recovery.readSegments(base));
  assert.instance(error, CorruptionError);
  return String(error.fields?.['file']);
}

test('each file ends where the next one says, and the last is open', async () => {
  const recovery = await recoveryOf(await logOf([FIRST, SECOND, THIRD]));
  const segments = await recovery.readSegments(0n);
  assert.equal(
    segments.map(({ start, end }) => [start.zxid, end.zxid, end.offset, end.chain]),
    [
      [0n, 9n, 500, 5],
      [9n, 19n, 600, 6],
      [19n, 19n, 64, 6],
    ],
  );
  assert.equal([recovery.superseded, recovery.unused], [[], []]);
});

for (const [what, first, second] of [
  [
    'continues an entry before those of the file that it follows',
    { ...FIRST, firstZxid: 5n, prevZxid: 4n },
    { ...SECOND, prevZxid: 4n },
  ],
  ['says that the file before it holds nothing', FIRST, { ...SECOND, prevEnd: 64 }],
  ['says that no file is before it', FIRST, { ...SECOND, prevEnd: 0 }],
] as const)
  test(`a file that ${what} is damaged`, async () => {
    const disk = await logOf([first, second]);
    assert.is(await damagedFile(await recoveryOf(disk)), nameOf(SECOND));
  });

test('a file that is damaged costs nothing if a snapshot reaches up to the next one, and not one entry less', async () => {
  for (const damaged of [FIRST, SECOND]) {
    const disk = await logOf([FIRST, SECOND, THIRD]);
    spoil(disk, damaged, true);
    const next = damaged === FIRST ? SECOND : THIRD;
    assert.is(await damagedFile(await recoveryOf(disk), next.prevZxid - 1n), nameOf(damaged));
    const again = disk.copy();
    const recovery = await recoveryOf(again);
    const segments = await recovery.readSegments(next.prevZxid);
    assert.equal(
      segments.map(({ name }) => name),
      (damaged === FIRST ? [SECOND, THIRD] : [THIRD]).map(nameOf),
    );
    assert.equal(recovery.superseded, (damaged === FIRST ? [FIRST] : [FIRST, SECOND]).map(nameOf));
  }
});

test('the last file of a log may not be damaged, whatever a snapshot holds', async () => {
  const disk = await logOf([FIRST, SECOND]);
  spoil(disk, SECOND, true);
  assert.is(await damagedFile(await recoveryOf(disk), 99n), nameOf(SECOND));
});

test('a file without a header that was never used is none in version 0.1.0, if it is the last', async () => {
  const last = await logOf([FIRST, SECOND]);
  spoil(last, SECOND, false);
  const recovery = await recoveryOf(last, null);
  assert.equal(
    (await recovery.readSegments(0n)).map(({ name }) => name),
    [nameOf(FIRST)],
  );
  assert.equal(recovery.unused, [nameOf(SECOND)]);
  assert.is(await damagedFile(await recoveryOf(last.copy(), NOTHING)), nameOf(SECOND));

  const used = await logOf([FIRST, SECOND]);
  spoil(used, SECOND, true);
  assert.is(await damagedFile(await recoveryOf(used, null)), nameOf(SECOND));

  const middle = await logOf([FIRST, SECOND, THIRD]);
  spoil(middle, SECOND, false);
  assert.is(await damagedFile(await recoveryOf(middle, null)), nameOf(SECOND));
});

test('the file that end-of-log names as the newest has to be there', async () => {
  const newest = { firstZxid: 20n, allocatedBytes: 64, position: { offset: 64, zxid: 19n, chain: 6 } };
  const end = { generation: 0, zxid: 19n, newest };
  assert.is((await (await recoveryOf(await logOf([FIRST, SECOND, THIRD]), end)).readSegments(0n)).length, 3);
  assert.is(await damagedFile(await recoveryOf(await logOf([FIRST, SECOND]), end)), nameOf(THIRD));
});

test.run();
