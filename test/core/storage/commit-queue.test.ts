import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CommitQueue } from '../../../core/storage/commit-queue.js';
import type { PersistBatch } from '../../../core/storage/index.js';
import { entries } from './history.js';

/** A queue whose disk finishes one group at a time, when told. */
function heldQueue(): {
  queue: CommitQueue;
  groups: (readonly PersistBatch[])[];
  finish: () => Promise<void>;
} {
  const groups: (readonly PersistBatch[])[] = [];
  const waiting: (() => void)[] = [];
  const queue = new CommitQueue((batches) => {
    groups.push(batches);
    return new Promise((resolve) => waiting.push(resolve));
  });
  const finish = async (): Promise<void> => {
    waiting.shift()!();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { queue, groups, finish };
}

const first: PersistBatch = { entries: entries(1, 1) };
const OTHERS: readonly (readonly [string, PersistBatch])[] = [
  ['a promised epoch', { acceptedEpoch: 2 }],
  ['the end of rejoining', { rejoining: null }],
  ['the beginning of rejoining', { rejoining: 'damaged' }],
  ['a cut', { truncateAfter: 0n }],
];

for (const [what, batch] of OTHERS) {
  test(`a batch with ${what} is the first of its group, though entries wait before it and behind it`, async () => {
    const { queue, groups, finish } = heldQueue();
    const running = queue.push(first);
    await Promise.resolve();
    await Promise.resolve();
    const before = { entries: entries(2, 1) };
    const mixed = { ...batch, entries: entries(3, 1) };
    const behind = { entries: entries(4, 1) };
    const rest = [queue.push(before), queue.push(mixed), queue.push(behind)];

    for (let group = 0; group < 3; group++) await finish();
    await Promise.all([running, ...rest]);

    assert.equal(groups, [[first], [before], [mixed, behind]]);
  });
}

test('batches of entries that gather during a sync share the next one', async () => {
  const { queue, groups, finish } = heldQueue();
  const running = queue.push(first);
  await Promise.resolve();
  await Promise.resolve();
  const gathered = [2, 3, 4].map((counter) => ({ entries: entries(counter, 1) }));
  const rest = gathered.map((batch) => queue.push(batch));

  await finish();
  await finish();
  await Promise.all([running, ...rest]);

  assert.equal(groups, [[first], gathered]);
});

test.run();
