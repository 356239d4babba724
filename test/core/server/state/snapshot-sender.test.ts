import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ReplicatedState } from '../../../../core/server/state/replicated-state.js';
import { SnapshotSender } from '../../../../core/server/state/snapshot-sender.js';
import type { Peer } from '../../../../core/zab/index.js';
import { EnsembleOfOne } from '../../data/ensemble-of-one.js';

/** A sender of a state of several slices, and what its peer gets of it. */
function scene(): { sender: SnapshotSender; openViews: () => number; last: boolean[] } {
  const ensemble = new EnsembleOfOne();
  for (const path of ['/a', '/b', '/c']) ensemble.create(path, { data: new Uint8Array(300_000) });
  const { machine } = ensemble;
  const last: boolean[] = [];
  const peer = {
    snapshotOpened: () => undefined,
    snapshotRead: (_request: number, _bytes: Uint8Array, isLast: boolean) => void last.push(isLast),
  };
  const sender = new SnapshotSender(peer as unknown as Peer, new ReplicatedState(machine, null));
  return { sender, openViews: () => machine.state.views.count, last };
}

test('a snapshot that its learner got to the end keeps nothing frozen', () => {
  const { sender, openViews, last } = scene();
  sender.carryOut({ type: 'open', request: 1, learner: 2 });
  for (let slices = 0; last.at(-1) !== true; slices++) {
    assert.ok(slices < 10);
    sender.carryOut({ type: 'next', request: 1 });
  }
  sender.carryOut({ type: 'close', request: 1 });
  assert.is(openViews(), 0);
});

test('a snapshot whose learner is gone before the end keeps nothing frozen', () => {
  const { sender, openViews } = scene();
  for (const request of [1, 2, 3]) sender.carryOut({ type: 'open', request, learner: 2 });
  assert.is(openViews(), 3);
  sender.carryOut({ type: 'next', request: 1 });
  for (const request of [2, 2]) sender.carryOut({ type: 'close', request });
  assert.is(openViews(), 2);
  sender.close();
  assert.is(openViews(), 0);
});

test.run();
