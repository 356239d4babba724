import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LogEntry, RecoveredState, Storage } from '../../../core/storage/index.js';
import { DiskImage } from './disk-image.js';
import { LogChain } from './log-chain.js';
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
      mayHold: null,
      snapshot: null,
      epochs: [],
      isNew: false,
      ...found,
    }),
    persist: async () => undefined,
    proveEnd: async () => undefined,
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

test('a member that rejoins after damage is expected to find nothing, and is read again', async () => {
  const { referee, image, storage, finds } = scene();
  await storage.persist({ acceptedEpoch: 1, rejoining: null, entries: [entry(1n), entry(2n)] });
  image.harm = 'damaged';
  finds({ rejoining: 'damaged', entries: [entry(1n)] });
  await storage.recover();
  assert.is(referee.finding, null);
  assert.is(image.harm, 'sound');
  assert.is(image.last, 1n);
});

test('a member that counts after damage without what was durable is found, also if nothing had proved it', async () => {
  const whole = scene();
  await whole.storage.persist({ entries: [entry(1n), entry(2n)] });
  whole.image.harm = 'damaged';
  whole.finds({ entries: [entry(1n), entry(2n)] });
  await whole.storage.recover();
  assert.is(whole.referee.finding, null);

  const shorter = scene();
  await shorter.storage.persist({ entries: [entry(1n)] });
  await shorter.storage.persist({ entries: [entry(2n)] });
  shorter.image.harm = 'damaged';
  shorter.finds({ entries: [entry(1n)] });
  await shorter.storage.recover();
  assert.match(
    shorter.referee.finding!.message,
    /history up to 0x1, 0x2 was durable, and it does not rejoin/,
  );
});

test('a member may be unsure of the group that nothing proved, and of no other', async () => {
  for (const proves of ['the next group', 'end-of-log', 'nothing'] as const) {
    const { referee, image, storage, finds } = scene();
    await storage.persist({ entries: [entry(1n)] });
    await storage.persist({ entries: [entry(2n)] });
    if (proves === 'the next group') await storage.persist({ entries: [entry(3n)] });
    if (proves === 'end-of-log') await storage.proveEnd();
    image.harm = 'damaged';
    finds({ mayHold: 3n, entries: [entry(1n)] });
    await storage.recover();
    assert.is(referee.finding !== null, proves !== 'nothing', proves);
    assert.not(image.couldElectWithout(3n));
    if (proves === 'nothing') assert.ok(image.isCounted);
  }
});

test('a member that rejoins with a sound disk is found, unless it had to before or reads had failed', async () => {
  const sound = scene();
  await sound.storage.persist({ rejoining: null, entries: [entry(1n)] });
  sound.finds({ rejoining: 'damaged' });
  await sound.storage.recover();
  assert.match(sound.referee.finding!.message, /m1 rejoins, though nothing has happened to its disk/);

  const unreadable = scene();
  await unreadable.storage.persist({ rejoining: null, entries: [entry(1n)] });
  unreadable.image.harm = 'unreadable';
  unreadable.finds({ rejoining: 'damaged' });
  await unreadable.storage.recover();
  await unreadable.storage.recover();
  assert.is(unreadable.referee.finding, null);
});

test('a member that takes a damaged disk for a new one is found', async () => {
  const { referee, image, storage, finds } = scene();
  await storage.persist({ acceptedEpoch: 1 });
  image.harm = 'damaged';
  finds({ isNew: true });
  await storage.recover();
  assert.match(referee.finding!.message, /m1 takes its disk, which held 0x0, for a new one/);
});

test('what happens to a disk while it is read is still to be found', async () => {
  const { image, storage } = scene();
  const recovered = storage.recover();
  image.harm = 'damaged';
  await recovered;
  assert.is(image.harm, 'damaged');
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
  image.harm = 'wiped';
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
  image.harm = 'wiped';
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
  image.harm = 'damaged';
  finds({ rejoining: 'damaged' });
  await storage.recover();
  await storage.persist({ rejoining: null, entries: [entry(4n)] });
  assert.match(referee.finding!.message, /m1 counts again, but lacks 0x5, which its lost disk held/);
});

test.run();
