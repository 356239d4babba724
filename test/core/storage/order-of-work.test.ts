/** Which work on a data directory waits for which: appends, proofs of the end, snapshots, and the end of the storage. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataDirectoryLockedError, MemoryDisk } from '../../../core/storage/index.js';
import { VirtualClock } from '../../../core/testing/index.js';
import { content, entries, find, rejection, start, zxid } from './history.js';

/** A content that begins at once and ends when it is let. */
function heldContent(): { readonly pieces: AsyncGenerator<Uint8Array>; readonly release: () => void } {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield* content('begun, ');
    await released;
    yield* content('ended');
  }
  return { pieces: pieces(), release };
}

for (const how of ['writeSnapshot', 'installSnapshot'] as const) {
  test(`close waits for a snapshot under way (${how}), and the directory stays locked until then`, async () => {
    const clock = new VirtualClock();
    const disk = new MemoryDisk();
    const { storage } = await start(disk);
    await storage.persist({ acceptedEpoch: 1, entries: entries(0, 10) });
    const { pieces, release } = heldContent();
    const epochs = [{ epoch: 1, lastZxid: zxid(9) }];

    const writing = storage[how](zxid(9), epochs, pieces);
    const closing = storage.close();
    await clock.settle();
    assert.instance(await rejection(start(disk)), DataDirectoryLockedError);

    release();
    await Promise.all([writing, closing]);
    assert.is((await find(disk)).snapshot?.content, 'begun, ended');
  });
}

test('a proof of the end waits for the append before it, and claims what that has made durable', async () => {
  const clock = new VirtualClock();
  const disk = new MemoryDisk();
  const { storage } = await start(disk, { segmentBytes: 1 << 20 });
  await storage.persist({ acceptedEpoch: 1, entries: entries(0, 10) });
  disk.slowSyncs(clock, 1000);
  const done: string[] = [];

  const appending = storage.persist({ entries: entries(10, 100, { bytes: 100 }) });
  const all = Promise.all([
    appending.then(() => done.push('append')),
    storage.proveEnd().then(() => done.push('proof')),
    storage.persist({ entries: entries(110, 1) }).then(() => done.push('next append')),
  ]);
  await clock.waitFor(all, 60_000);
  assert.equal(done, ['append', 'proof', 'next append']);

  const closing = storage.close();
  await clock.waitFor(closing, 10_000);
});

test.run();
