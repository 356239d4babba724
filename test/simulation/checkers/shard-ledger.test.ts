import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HoldLostError, type OwnedShard } from '../../../core/recipes/index.js';
import { areDivided, ShardLedger, type Tasker } from './shard-ledger.js';

const member = (name: string, state: Tasker['process']['state'] = 'running'): Tasker => ({
  name,
  process: { state },
});

function own(fence: bigint, { isAsked = false } = {}) {
  const asked = new AbortController();
  const lost = new AbortController();
  if (isAsked) asked.abort();
  const owned: OwnedShard = { shard: 0, fence, signal: asked.signal, lost: lost.signal };
  const lose = (): void => {
    for (const controller of [asked, lost])
      controller.abort(new HoldLostError('/shards/0', 'the session is over'));
  };
  return { owned, asked, lost, lose };
}

test('a shard goes from owner to owner when its task has ended', () => {
  const ledger = new ShardLedger({ isFair: true });
  const [one, two] = [member('c1'), member('c2')];
  ledger.begins(one, own(5n).owned)();
  ledger.begins(two, own(6n).owned)();
  assert.is(ledger.begun, 2);
});

test('an owner beside one that owns it, or that is only letting go of it, is found', () => {
  const ledger = new ShardLedger({ isFair: true });
  const { owned, asked, lost } = own(5n);
  ledger.begins(member('c1'), owned);
  assert.throws(() => ledger.begins(member('c2'), own(6n).owned), /while c1 owns it/);

  asked.abort();
  assert.throws(() => ledger.begins(member('c3'), own(7n).owned), /while c1 is letting go of it/);
  lost.abort();
  assert.throws(() => ledger.begins(member('c4'), own(8n).owned), /while c1 is letting go of it/);
});

test('nobody waits for an owner that was told of its loss, is dead, or stands still', () => {
  const ledger = new ShardLedger({ isFair: true });
  const { owned, lose } = own(5n);
  ledger.begins(member('c1'), owned);
  lose();
  ledger.begins(member('c2', 'dead'), own(6n).owned);
  ledger.begins(member('c3'), own(7n).owned);

  const unfair = new ShardLedger({ isFair: false });
  unfair.begins(member('c1', 'paused'), own(6n).owned);
  unfair.begins(member('c2'), own(5n).owned);
});

test('two tasks of one member, a fence that does not grow, and a task that is over before it begins are found', () => {
  const ledger = new ShardLedger({ isFair: true });
  const one = member('c1');
  const { owned, lose } = own(5n);
  const ended = ledger.begins(one, owned);
  lose();
  assert.throws(() => ledger.begins(one, own(6n).owned), /c1 does shard 0 twice/);
  ended();
  assert.throws(() => ledger.begins(member('c2'), own(5n).owned), /with fence 0x5, behind 0x5/);
  assert.throws(() => ledger.begins(one, own(7n, { isAsked: true }).owned), /let go of already/);
});

test('shards are divided when each has one owner, and nobody two more than another', () => {
  const owning = (...shards: number[]) => ({
    state: 'started' as const,
    shards: 3,
    owned: new Map(shards.map((shard) => [shard, own(1n).owned])),
  });
  assert.ok(areDivided([]));
  assert.ok(areDivided([owning(0, 2), owning(1)]));
  assert.ok(areDivided([owning(0, 2), owning(1), { ...owning(), state: 'closed' }]));
  assert.not.ok(areDivided([owning(0), owning(1)]));
  assert.not.ok(areDivided([owning(0, 1, 2), owning()]), 'one has two more');
  assert.not.ok(areDivided([owning(0, 1), owning(1)]), 'one is owned twice');
});

test.run();
