import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../../core/client/index.js';
import type { Hold } from '../../../core/recipes/index.js';
import { CreateMode } from '../../../core/protocol/index.js';
import { HoldLedger } from './hold-ledger.js';
import { creates, SampleEnsemble } from './sample-ensemble.js';

const ensemble = await SampleEnsemble.start();
const first = await ensemble.write(creates('/a/x-', CreateMode.ephemeralSequential), 2);
const second = await ensemble.write(creates('/a/x-', CreateMode.ephemeralSequential), 3);
const { model, ghost } = ensemble;
const client = { lastZxid: ghost.end } as Client;
const hold = (number: 0 | 1, fence = [first, second][number]!.zxid, isLost = false): Hold => {
  const signal = isLost ? AbortSignal.abort() : new AbortController().signal;
  return { path: `/a/x-000000000${number}`, fence, signal } as Hold;
};

test('the first in line holds, and uses what it guards', () => {
  const holds = new HoldLedger({ model, isFair: true });
  holds.acquired('c1', client, hold(0));
  holds.used('c1', '/thing', hold(0));
  holds.used('c2', '/thing', hold(1));
  assert.is(holds.granted, 1);
  assert.is(holds.rejected, 0);
});

test('a hold of somebody who is not first in line is found', () => {
  const holds = new HoldLedger({ model, isFair: true });
  assert.throws(() => holds.acquired('c2', client, hold(1)), /x-0000000000 is before it in the line/);
});

test('a fence that is not that of the znode, and one that two hold, are found', () => {
  const holds = new HoldLedger({ model, isFair: true });
  assert.throws(() => holds.acquired('c1', client, hold(0, 99n)), /with fence 0x63/);
  holds.acquired('c1', client, hold(0));
  assert.throws(() => holds.acquired('c2', client, hold(0)), /c2 and c1 both hold/);
});

test('a use behind a later holder is refused, and found where no clock is wrong', () => {
  const fair = new HoldLedger({ model, isFair: true });
  fair.used('c2', '/thing', hold(1));
  assert.throws(() => fair.used('c1', '/thing', hold(0)), /while c2 has used it/);

  const unfair = new HoldLedger({ model, isFair: false });
  unfair.used('c2', '/thing', hold(1));
  unfair.used('c1', '/thing', hold(0));
  assert.is(unfair.rejected, 1);
});

test('a late use by somebody who was told of the loss is its own fault', () => {
  const holds = new HoldLedger({ model, isFair: true });
  holds.used('c2', '/thing', hold(1));
  holds.used('c1', '/thing', hold(0, first.zxid, true));
  assert.is(holds.rejected, 1);
});

test.run();
