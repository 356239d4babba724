import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Chroot } from '../../../core/client/chroot.js';
import { rearmBatches } from '../../../core/client/watch-rearm.js';
import type { StreamRegistration } from '../../../core/client/watch-streams.js';

const NONE = { dataWatches: [], existWatches: [], childWatches: [] };
const AT = { chroot: new Chroot('/app'), relativeZxid: 7n };
/** A packet takes so many bytes of path text, each path with 4 bytes of length and 3 for each character. */
const BATCH_BYTES = 128 * 1024;

function registration(path: string, isRecursive: boolean): StreamRegistration {
  return { path, isRecursive, mode: isRecursive ? 1 : 0, watcherType: 0 };
}

test('every watch and stream stands in the list of its kind, with its path below the chroot', () => {
  const streams = [registration('/s', false), registration('/r', true)];
  const lists = { dataWatches: ['/d'], existWatches: ['/e', '/'], childWatches: ['/c'] };
  assert.equal(rearmBatches(lists, streams, AT), [
    {
      body: {
        relativeZxid: 7n,
        dataWatches: ['/app/d'],
        existWatches: ['/app/e', '/app'],
        childWatches: ['/app/c'],
        persistentWatches: ['/app/s'],
        persistentRecursiveWatches: ['/app/r'],
      },
      registrations: streams,
    },
  ]);
});

test('a client that watches nothing has nothing to send', () => {
  assert.equal(rearmBatches(NONE, [], AT), []);
});

/** Paths that take so many bytes together, 1,024 each. */
function pathsOf(bytes: number): string[] {
  return Array.from({ length: bytes / 1024 }, (_, index) => `/${index}`.padEnd(340 - '/app'.length, 'x'));
}

test('as many paths stand in a packet as fit, and none is lost or repeated', () => {
  for (const [bytes, packets] of [
    [BATCH_BYTES - 1024, 1],
    [BATCH_BYTES, 1],
    [BATCH_BYTES + 1024, 2],
    [3 * BATCH_BYTES, 3],
  ] as const) {
    const paths = pathsOf(bytes);
    const batches = rearmBatches({ ...NONE, dataWatches: paths }, [], AT);
    assert.is(batches.length, packets, `${bytes} bytes`);
    assert.equal(
      batches.flatMap(({ body }) => body.dataWatches),
      paths.map((path) => `/app${path}`),
    );
  }
});

test('a packet confirms the streams that stand in it, and no others', () => {
  const streams = pathsOf(BATCH_BYTES + 1024).map((path, index) => registration(path, index % 2 === 0));
  const batches = rearmBatches(NONE, streams, AT);
  assert.is(batches.length, 2);
  for (const { body, registrations } of batches) {
    const paths = [...body.persistentWatches, ...body.persistentRecursiveWatches].sort();
    assert.equal(paths, registrations.map(({ path }) => `/app${path}`).sort());
  }
  assert.equal(
    batches.flatMap(({ registrations }) => registrations),
    streams,
  );
});

test('a path that is larger than a packet may be has one of its own', () => {
  const large = `/${'x'.repeat(BATCH_BYTES)}`;
  const batches = rearmBatches({ ...NONE, dataWatches: ['/a', large, '/b'] }, [], AT);
  assert.equal(
    batches.map(({ body }) => body.dataWatches.length),
    [1, 1, 1],
  );
});

test.run();
