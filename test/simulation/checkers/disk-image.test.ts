import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LogEntry, RecoveredState, Storage } from '../../../core/storage/index.js';
import { DiskImage, LogChain } from './disk-image.js';
import { Referee } from './referee.js';

const entry = (zxid: bigint, text = 'x'): LogEntry => ({ zxid, payload: Buffer.from(text) });

/** Two disks of one ensemble, each behind a storage that finds what the test says. */
function scene(delivered: (zxid: bigint) => boolean = () => false): {
  referee: Referee;
  image: DiskImage;
  storage: Storage;
  other: Storage;
  finds: (found: Partial<RecoveredState>) => void;
} {
  const referee = new Referee();
  const chain = new LogChain();
  let found: Partial<RecoveredState> = {};
  const real = {
    recover: async () => ({
      acceptedEpoch: 0,
      rejoining: null,
      snapshot: null,
      epochs: [],
      isNew: false,
      ...found,
    }),
    persist: async () => undefined,
    installSnapshot: async () => undefined,
  } as unknown as Storage;
  const [image, another] = ['m1', 'm2'].map(
    (member) => new DiskImage({ member, referee, chain, delivered }),
  ) as [DiskImage, DiskImage];
  return {
    referee,
    image,
    storage: image.observe(real),
    other: another.observe(real),
    finds: (state) => {
      found = { entries: [], ...state };
    },
  };
}

test('what a storage has made durable is on the disk', async () => {
  const { referee, image, storage } = scene();
  await storage.persist({ acceptedEpoch: 1, entries: [entry(1n), entry(2n)] });
  assert.is(image.last, 2n);
  assert.is(image.acceptedEpoch, 1);
  assert.ok(image.has(1n));
  await storage.persist({ truncateAfter: 1n, entries: [entry(3n)] });
  assert.not(image.has(2n));
  assert.is(image.last, 3n);
  assert.is(referee.finding, null);
});

test('a member that finds after a crash what was durable is right', async () => {
  const { referee, storage, finds } = scene();
  await storage.persist({ acceptedEpoch: 1, entries: [entry(1n), entry(2n)] });
  finds({ acceptedEpoch: 1, entries: [entry(1n), entry(2n), entry(3n)] });
  await storage.recover();
  assert.is(referee.finding, null);
});

test('a durable entry that is lost is found', async () => {
  const { referee, storage, finds } = scene();
  await storage.persist({ acceptedEpoch: 1, entries: [entry(1n), entry(2n)] });
  finds({ acceptedEpoch: 1, entries: [entry(1n)] });
  await storage.recover();
  assert.match(referee.finding!.message, /finds a history up to 0x1, 0x2 was durable/);
});

test('a promise that is forgotten, and one that is taken back, are found', async () => {
  const forgotten = scene();
  await forgotten.storage.persist({ acceptedEpoch: 2 });
  forgotten.finds({ acceptedEpoch: 1 });
  await forgotten.storage.recover();
  assert.match(forgotten.referee.finding!.message, /finds the promise of 1, it had made that of 2/);

  const takenBack = scene();
  await takenBack.storage.persist({ acceptedEpoch: 2 });
  await takenBack.storage.persist({ acceptedEpoch: 1 });
  assert.match(takenBack.referee.finding!.message, /takes back a promise/);
});

test('of a disk that somebody has tampered with little is expected, until it was read', async () => {
  const { referee, image, storage, finds } = scene();
  await storage.persist({ acceptedEpoch: 1, entries: [entry(1n), entry(2n)] });
  image.isDamaged = true;
  finds({ entries: [] });
  await storage.recover();
  assert.is(referee.finding, null);
  assert.not(image.isDamaged);
  assert.is(image.last, 0n);
});

test('a member that takes damage in the midst of its log for its end is found', async () => {
  const { referee, image, storage, finds } = scene();
  for (const zxid of [1n, 2n, 3n]) await storage.persist({ entries: [entry(zxid)] });
  image.isDamaged = true;
  finds({ entries: [entry(1n)] });
  await storage.recover();
  assert.is(referee.finding, null);
  for (const zxid of [2n, 3n, 4n]) await storage.persist({ entries: [entry(zxid)] });
  image.isDamaged = true;
  finds({ entries: [entry(1n)] });
  await storage.recover();
  assert.match(referee.finding!.message, /goes on from 0x1 with a damaged log, which had held 0x2 for sure/);
});

test('an entry that was cut off and comes back is found, unless it was written anew', async () => {
  const { referee, storage, finds } = scene();
  await storage.persist({ entries: [entry(1n), entry(2n)] });
  await storage.persist({ truncateAfter: 1n });
  await storage.persist({ entries: [entry(2n)] });
  finds({ entries: [entry(1n), entry(2n)] });
  await storage.recover();
  assert.is(referee.finding, null);
  await storage.persist({ truncateAfter: 1n });
  finds({ entries: [entry(1n), entry(2n)] });
  await storage.recover();
  assert.match(referee.finding!.message, /finds 0x2 again, which was cut off/);
});

test('a cut that removes what was delivered is found', async () => {
  const { referee, storage } = scene((zxid) => zxid === 2n);
  await storage.persist({ entries: [entry(1n), entry(2n)] });
  await storage.persist({ truncateAfter: 1n });
  assert.match(referee.finding!.message, /cuts 0x2, which was delivered/);
});

test('logs that hold other bytes, or something else before, at one zxid are found', async () => {
  const bytes = scene();
  await bytes.storage.persist({ entries: [entry(1n, 'a')] });
  await bytes.other.persist({ entries: [entry(1n, 'b')] });
  assert.match(bytes.referee.finding!.message, /m2 has other bytes at 0x1/);

  const order = scene();
  await order.storage.persist({ entries: [entry(1n), entry(3n)] });
  await order.other.persist({ entries: [entry(2n), entry(3n)] });
  assert.match(order.referee.finding!.message, /m2 has 0x3 behind 0x2, others behind 0x1/);
});

test('an entry that stands behind a later one is found', async () => {
  const { referee, storage } = scene();
  await storage.persist({ entries: [entry(2n), entry(1n)] });
  assert.match(referee.finding!.message, /has 0x1 behind 0x2/);
});

test('a snapshot takes the place of the log', async () => {
  const { image, storage } = scene();
  await storage.persist({ entries: [entry(1n)] });
  await storage.installSnapshot(5n, [], (async function* () {})());
  assert.is(image.last, 5n);
  assert.ok(image.has(4n));
});

test('a member that counts again without a delivered entry of its lost disk is found', async () => {
  const { referee, image, storage, finds } = scene((zxid) => zxid <= 2n);
  await storage.persist({ rejoining: null, entries: [entry(1n), entry(2n), entry(3n)] });
  assert.ok(image.isCounted);
  image.isDamaged = true;
  assert.not(image.isCounted);
  finds({ isNew: true });
  await storage.recover();
  await storage.persist({ rejoining: 'new' });
  assert.not(image.isCounted);
  await storage.persist({ entries: [entry(1n)] });
  await storage.persist({ rejoining: null });
  assert.match(referee.finding!.message, /m1 counts again, but lacks 0x2, which its lost disk held/);
});

test('a member that counts again with every delivered entry of its lost disk is accepted', async () => {
  const { referee, image, storage, finds } = scene((zxid) => zxid <= 2n);
  await storage.persist({ rejoining: null, entries: [entry(1n), entry(2n), entry(3n)] });
  image.isDamaged = true;
  finds({ isNew: true });
  await storage.recover();
  await storage.persist({ rejoining: 'new', entries: [entry(1n), entry(2n)] });
  await storage.persist({ rejoining: null });
  assert.ok(image.isCounted);
  assert.is(referee.finding, null);
});

test('a member that counts again without the lost snapshot is found', async () => {
  const { referee, image, storage, finds } = scene();
  await storage.persist({ rejoining: null });
  await storage.installSnapshot(5n, [], (async function* () {})());
  image.isDamaged = true;
  finds({ rejoining: 'damaged' });
  await storage.recover();
  await storage.persist({ rejoining: null, entries: [entry(4n)] });
  assert.match(referee.finding!.message, /m1 counts again, but lacks 0x5, which its lost disk held/);
});

test.run();
