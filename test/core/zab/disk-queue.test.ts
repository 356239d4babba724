import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DiskQueue } from '../../../core/zab/disk-queue.js';
import { makeZxid, type Rejoining } from '../../../core/zab/index.js';
import { entry } from './conversation.js';

function queueOf(rejoining: Rejoining | null): DiskQueue {
  return new DiskQueue({ zxid: makeZxid(1, 0), acceptedEpoch: 1, rejoining });
}

/** Hands out the next batch; returns its number. */
function taken(queue: DiskQueue, nowMs = 0): number {
  return queue.take(nowMs)!.number;
}

test('an admission counts when it is durable, and a reason against it at once', () => {
  const queue = queueOf('damaged');
  queue.readmit(true);
  const admission = taken(queue);
  assert.ok(queue.isRejoining);
  queue.persisted(admission, 0);
  assert.not(queue.isRejoining);
  queue.rejoin('diverged');
  assert.ok(queue.isRejoining);
});

test('an admission on its way does not count any more once something is lost', () => {
  const queue = queueOf('damaged');
  queue.readmit(true);
  const admission = taken(queue);
  queue.rejoin('diverged');
  const reason = taken(queue);
  queue.persisted(admission, 0);
  assert.is(queue.rejoining, 'diverged');
  queue.persisted(reason, 0);
  assert.is(queue.rejoining, 'diverged');

  queue.readmit(true);
  queue.persisted(taken(queue), 0);
  assert.is(queue.rejoining, null);
});

test('a confirmation counts for every batch before it, and for none behind it', () => {
  const queue = queueOf(null);
  const numbers = [1, 2, 3].map((counter) => {
    queue.append(entry(1, counter));
    return taken(queue);
  });
  assert.equal(queue.persisted(numbers[1]!, 0), { hasAdvanced: true, installedZxid: null });
  assert.is(queue.durableZxid, makeZxid(1, 2));
  assert.not(queue.isIdle);
  assert.equal(queue.persisted(numbers[0]!, 0), { hasAdvanced: false, installedZxid: null });
  queue.persisted(numbers[2]!, 0);
  assert.is(queue.durableZxid, makeZxid(1, 3));
  assert.ok(queue.isIdle);
});

test('the time that a disk owes counts from its last confirmation, and ends when it owes nothing', () => {
  const queue = queueOf(null);
  assert.is(queue.owesSinceMs, null);
  queue.append(entry(1, 1));
  const first = taken(queue, 100);
  queue.append(entry(1, 2));
  const second = taken(queue, 200);
  assert.is(queue.owesSinceMs, 100);
  queue.persisted(first, 500);
  assert.is(queue.owesSinceMs, 500);
  queue.persisted(second, 600);
  assert.is(queue.owesSinceMs, null);
});

test('a snapshot is installed until its batch is durable, and what follows is a batch of its own', () => {
  const queue = queueOf(null);
  const zxid = makeZxid(2, 5);
  queue.installSnapshot({ install: 1, zxid, epochs: [{ epoch: 2, lastZxid: zxid }] });
  queue.append({ zxid: zxid + 1n, payload: new Uint8Array(1) });
  const install = taken(queue);
  const append = taken(queue);
  assert.ok(queue.isInstalling);
  assert.equal(queue.persisted(install, 0), { hasAdvanced: true, installedZxid: zxid });
  assert.not(queue.isInstalling);
  assert.is(queue.durableZxid, zxid);
  queue.persisted(append, 0);
  assert.is(queue.durableZxid, zxid + 1n);
});

test.run();
