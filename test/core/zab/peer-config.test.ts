import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  InvalidPeerConfig,
  makeZxid,
  type PeerConfig,
  type RestoredHistory,
} from '../../../core/zab/index.js';
import { checkRestored, resolveConfig } from '../../../core/zab/peer-config.js';
import { entry, EMPTY_DISK, epochOfEntries, tableOf } from './conversation.js';

const CONFIG: PeerConfig = { id: 2, voters: [3, 1, 2], observers: [9, 4], tickMs: 200, seed: 1 };

function refusal(change: Partial<PeerConfig>): string | null {
  try {
    resolveConfig({ ...CONFIG, ...change });
    return null;
  } catch (error) {
    assert.instance(error, InvalidPeerConfig);
    return (error as Error).message;
  }
}

test('a configuration has its defaults filled in and its ticks multiplied out', () => {
  const { markerPayload, ...resolved } = resolveConfig(CONFIG);
  assert.is(markerPayload({ unapplied: [], isBlank: true }).length, 0);
  assert.equal(resolved, {
    id: 2,
    voters: [1, 2, 3],
    observers: [4, 9],
    others: [1, 3, 4, 9],
    isVoter: true,
    tickMs: 200,
    initLimitMs: 2000,
    syncLimitMs: 1000,
    seed: 1,
    limits: {
      windowEntries: 1000,
      windowBytes: 16 * 1024 * 1024,
      messageBytes: 1024 * 1024,
      inFlightBytes: 16 * 1024 * 1024,
      uncommittedEntries: 20_000,
      uncommittedBytes: 64 * 1024 * 1024,
      epochCounter: 0xfffff000,
    },
  });
  assert.is(resolveConfig({ ...CONFIG, id: 4 }).isVoter, false);
  const { initLimitMs, syncLimitMs, limits } = resolveConfig({
    ...CONFIG,
    initLimit: 3,
    syncLimit: 2,
    limits: { windowEntries: 7 },
  });
  assert.equal([initLimitMs, syncLimitMs, limits.windowEntries, limits.messageBytes], [600, 400, 7, 1 << 20]);
});

for (const [what, change, message] of [
  ['an id of 0', { id: 0, voters: [0] }, 'id is 1 to 254'],
  ['an id of 255', { id: 255, voters: [255] }, 'id is 1 to 254'],
  ['half an id', { id: 1, voters: [1, 1.5] }, 'id is 1 to 254'],
  ['an observer with an id of 255', { observers: [255] }, 'id is 1 to 254'],
  ['a voter twice', { voters: [1, 2, 2] }, 'twice'],
  ['a voter that is an observer', { observers: [1] }, 'twice'],
  ['no voter', { id: 4, voters: [], observers: [4] }, 'at least one voter'],
  ['a member that is not listed', { id: 5 }, 'neither'],
  ['ticks of no length', { tickMs: 0 }, 'tickMs'],
  ['ticks of no number', { tickMs: NaN }, 'tickMs'],
  ['no time to connect', { initLimit: 0 }, 'initLimit'],
  ['no silence at all', { syncLimit: -1 }, 'syncLimit'],
  ['a limit of nothing', { limits: { inFlightBytes: 0 } }, 'inFlightBytes'],
] as const)
  test(`a configuration with ${what} is refused`, () => {
    assert.match(refusal(change) ?? 'it was taken', message);
  });

test('the smallest and the largest id are taken', () => {
  assert.is(refusal({ id: 1, voters: [1, 254], observers: [] }), null);
});

const SNAPSHOT = epochOfEntries(1, 3);
const WHOLE: RestoredHistory = {
  acceptedEpoch: 2,
  snapshotZxid: makeZxid(1, 3),
  epochs: tableOf(SNAPSHOT),
  entries: [entry(1, 4), entry(2, 0), entry(2, 1)],
};

test('a history that continues its snapshot, up to the promised epoch, is taken', () => {
  checkRestored(WHOLE);
  checkRestored(EMPTY_DISK);
  checkRestored({ ...WHOLE, acceptedEpoch: 9 });
});

for (const [what, change] of [
  ['of an epoch that was not promised', { acceptedEpoch: 1 }],
  ['with a gap behind its snapshot', { entries: [entry(1, 5)] }],
  ['with a gap', { entries: [entry(1, 4), entry(2, 1)] }],
  ['with an entry twice', { entries: [entry(1, 4), entry(1, 4)] }],
  ['whose table of epochs ends before its snapshot', { epochs: tableOf(SNAPSHOT.slice(0, 2)) }],
  ['without a table of epochs', { epochs: [] }],
] as const)
  test(`a history ${what} is refused`, () => {
    assert.throws(
      () => checkRestored({ ...WHOLE, ...change }),
      (error: unknown) => error instanceof InvalidPeerConfig,
    );
  });

test.run();
