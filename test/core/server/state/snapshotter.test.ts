import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Snapshotter, type SnapshotterParts } from '../../../../core/server/state/snapshotter.js';
import type { StateMachine } from '../../../../core/data/index.js';
import { SeededRandom, silentLogger, SystemClock } from '../../../../core/runtime/index.js';
import {
  SnapshotPostponedError,
  SnapshotReadBackError,
  type Storage,
} from '../../../../core/storage/index.js';
import { VirtualClock } from '../../../../core/testing/index.js';

const LEAST_TXNS = 100_000;
const LEAST_BYTES = 256 * 1024 * 1024;

function treeOf(nodeCount: number, dataBytes = 0): StateMachine {
  const snapshot = { zxid: 1n, nodeCount, next: () => null, close: () => undefined };
  return { nodeCount, dataBytes, snapshot: () => snapshot } as unknown as StateMachine;
}

function snapshotterWith(given: Partial<SnapshotterParts>, seed: number): Snapshotter {
  return new Snapshotter({
    storage: { writeSnapshot: () => Promise.resolve() } as unknown as Storage,
    clock: new SystemClock(),
    random: new SeededRandom(seed),
    logger: silentLogger,
    snapshotTxns: null,
    snapshotBytes: null,
    taken: () => undefined,
    notReadBack: (error) => assert.unreachable(error.message),
    failed: (error) => assert.unreachable(String(error)),
    ...given,
  });
}

/** How many transactions of so many bytes make the next snapshot due. */
function txnsUntilDue(snapshotter: Snapshotter, bytes: number): number {
  let txns = 0;
  for (; !snapshotter.isDue; txns++) snapshotter.count(bytes);
  return txns;
}

async function nextInterval(
  snapshotter: Snapshotter,
  tree: StateMachine,
  { bytesEach }: { bytesEach: number },
): Promise<number> {
  snapshotter.begin(tree, []);
  await snapshotter.idle();
  return txnsUntilDue(snapshotter, bytesEach);
}

function isUpperHalf(found: number, most: number): void {
  assert.ok(found >= most / 2 && found <= most + 1, `${found} of at most ${most}`);
}

test('a small tree is written every 100 000 transactions at most, and so is the first one', async () => {
  for (const seed of [1, 2, 3]) {
    const snapshotter = snapshotterWith({}, seed);
    isUpperHalf(txnsUntilDue(snapshotter, 100), LEAST_TXNS);
    isUpperHalf(await nextInterval(snapshotter, treeOf(20), { bytesEach: 100 }), LEAST_TXNS);
  }
});

test('a large tree is written after as many transactions as it has znodes', async () => {
  for (const seed of [1, 2, 3])
    isUpperHalf(
      await nextInterval(snapshotterWith({}, seed), treeOf(1_000_000), { bytesEach: 100 }),
      1_000_000,
    );
});

test('large transactions make it due by their bytes: 256 MiB, or as many as the znodes hold', async () => {
  const each = 1024 * 1024;
  for (const seed of [1, 2, 3]) {
    const snapshotter = snapshotterWith({}, seed);
    isUpperHalf(await nextInterval(snapshotter, treeOf(20), { bytesEach: each }), LEAST_BYTES / each);
    const large = treeOf(20, 4 * LEAST_BYTES);
    isUpperHalf(await nextInterval(snapshotter, large, { bytesEach: each }), (4 * LEAST_BYTES) / each);
  }
});

test('what was asked for holds for a tree of any size', async () => {
  const given = { snapshotTxns: 1_000, snapshotBytes: LEAST_BYTES };
  for (const seed of [1, 2, 3])
    isUpperHalf(
      await nextInterval(snapshotterWith(given, seed), treeOf(1_000_000), { bytesEach: 100 }),
      1_000,
    );
  const small = snapshotterWith({ snapshotBytes: 10_000 }, 4);
  isUpperHalf(await nextInterval(small, treeOf(1_000_000, LEAST_BYTES), { bytesEach: 100 }), 100);
});

test('a postponed snapshot is tried again after a minute, and the next one only when it is due', async () => {
  const clock = new VirtualClock();
  const postponed = new SnapshotPostponedError({ location: 'memory', file: 'snapshot', cause: null });
  const outcomes = [
    () => Promise.reject(postponed),
    () => Promise.reject(postponed),
    () => Promise.resolve(),
  ];
  let attempts = 0;
  const writeSnapshot = (): Promise<void> => outcomes[attempts++]!();
  const snapshotter = snapshotterWith(
    { clock, storage: { writeSnapshot } as unknown as Storage, snapshotTxns: 100 },
    5,
  );
  const attempt = async (): Promise<void> => {
    snapshotter.begin(treeOf(20), []);
    await snapshotter.idle();
  };

  txnsUntilDue(snapshotter, 100);
  for (let postponements = 0; postponements < 2; postponements++) {
    await attempt();
    for (let txns = 0; txns < 200; txns++) snapshotter.count(100);
    await clock.advance(59_000);
    assert.not(snapshotter.isDue, 'the disk has had no time');
    await clock.advance(1_000);
    assert.ok(snapshotter.isDue);
  }
  await attempt();
  assert.is(attempts, 3);
  await clock.advance(600_000);
  assert.not(snapshotter.isDue);
  isUpperHalf(txnsUntilDue(snapshotter, 100), 100);
});

test('a snapshot that does not read back is tried again after a minute, and one of the leader ends the attempts', async () => {
  const clock = new VirtualClock();
  const refused = new SnapshotReadBackError({
    location: 'memory',
    file: 'snapshot',
    reason: 'a checksum does not match',
    cause: null,
  });
  const repeated: boolean[] = [];
  const snapshotter = snapshotterWith(
    {
      clock,
      storage: { writeSnapshot: () => Promise.reject(refused) } as unknown as Storage,
      notReadBack: (_, isRepeated) => void repeated.push(isRepeated),
    },
    6,
  );
  for (let attempt = 0; attempt < 2; attempt++) {
    snapshotter.begin(treeOf(20), []);
    await snapshotter.idle();
    assert.not(snapshotter.isDue);
    await clock.advance(60_000);
    assert.ok(snapshotter.isDue);
  }
  snapshotter.replaced();
  assert.not(snapshotter.isDue);
  snapshotter.begin(treeOf(20), []);
  await snapshotter.idle();
  assert.equal(repeated, [false, true, false]);
});

test.run();
