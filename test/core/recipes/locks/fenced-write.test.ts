import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MultiError } from '../../../../core/client/index.js';
import {
  FairLock,
  HoldLostError,
  multiFenced,
  MultiLock,
  TryLock,
  writeFenced,
} from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld } from '../recipe-world.js';

const text = (data: Uint8Array | null): string => new TextDecoder().decode(data ?? new Uint8Array());

for (const kind of ['fair lock', 'try-lock'] as const) {
  test(`a holder of a ${kind} writes, and nobody who holds no longer does`, async () => {
    await RecipeWorld.play(async (world) => {
      const [one, other] = [await world.join(), await world.join()];
      const lock = (client: typeof one.client) =>
        kind === 'fair lock' ? new FairLock(client, 'door') : new TryLock(client, 'door');
      const hold = await lock(one.client).acquire();
      assert.is((await writeFenced(one.client, hold, '/ledger', 'first')).version, 0);
      assert.is((await writeFenced(one.client, hold, '/ledger', 'second')).version, 1);

      // Taken away by hand, and given to another, while the holder cannot hear of it.
      one.line.pause();
      await other.client.delete(hold.path);
      const theirs = await new FairLock(other.client, 'another').acquire();
      await writeFenced(other.client, theirs, '/ledger', 'theirs');
      assert.not.ok(hold.signal.aborted);
      const late = writeFenced(one.client, hold, '/ledger', 'late').catch((error: unknown) => error);
      one.line.rejoin();

      assert.instance(await late, HoldLostError);
      assert.is(text((await other.client.getData('/ledger')).data), 'theirs');
    });
  });
}

test('a hold that is over writes nothing, and other failures keep their place', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const hold = await new FairLock(client, 'door').acquire();
    const failed = await multiFenced(client, hold, [
      { type: 'create', path: '/a', data: 'x' },
      { type: 'delete', path: '/missing' },
    ]).catch((error: unknown) => error);
    assert.instance(failed, MultiError);
    assert.is((failed as MultiError).index, 1);
    assert.is(await client.exists('/a'), null);
    const results = await multiFenced(client, hold, [{ type: 'create', path: '/a', data: 'x' }]);
    assert.equal(
      results.map(({ type }) => type),
      ['create'],
    );
    await hold.release();
    assert.instance(
      await writeFenced(client, hold, '/a', 'y').catch((error: unknown) => error),
      HoldLostError,
    );
  });
});

test('a fenced write survives the loss of the connection at each of its steps', async () => {
  await breakEverywhere(async (world, { client }, plan) => {
    const other = await world.join();
    const hold = await new FairLock(client, 'door').acquire();
    plan();
    await writeFenced(client, hold, '/ledger', 'mine');
    assert.is(text((await other.client.getData('/ledger')).data), 'mine');
    await hold.release();
  });
});

test('a holder of several locks that has lost one of them writes nothing', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    for (const lost of [0, 1]) {
      const locks = ['a', 'b'].map((name) => new FairLock(one.client, name));
      const hold = await new MultiLock(one.client, locks).acquire();
      assert.ok(await writeFenced(one.client, hold, '/ledger', 'held'));
      one.line.pause();
      await other.client.delete([...hold.holds.values()][lost]!.path);
      const late = writeFenced(one.client, hold, '/ledger', 'late').catch((error: unknown) => error);
      one.line.rejoin();

      assert.instance(await late, HoldLostError);
      assert.is(text((await other.client.getData('/ledger')).data), 'held');
      await hold.release();
    }
  });
});

test('the place of a failed operation is told without the checks of the locks before it', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const locks = ['a', 'b'].map((name) => new FairLock(client, name));
    const hold = await new MultiLock(client, locks).acquire();
    const failed = await multiFenced(client, hold, [
      { type: 'create', path: '/x', data: 'x' },
      { type: 'delete', path: '/missing' },
    ]).catch((error: unknown) => error);

    assert.instance(failed, MultiError);
    assert.is((failed as MultiError).index, 1);
    const [created] = await multiFenced(client, hold, [{ type: 'create', path: '/x', data: 'x' }]);
    assert.is(created?.type, 'create');
    await hold.release();
  });
});

test('a late write of a former holder of a try-lock is refused when another holds it by then', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const hold = await new TryLock(one.client, 'door').acquire();
    one.line.pause();
    await other.client.delete('/locks/door');
    const theirs = await new TryLock(other.client, 'door').acquire();
    await writeFenced(other.client, theirs, '/ledger', 'theirs');
    const all = new MultiLock(other.client, [new FairLock(other.client, 'gate')]);
    const both = await all.acquire();
    const late = writeFenced(one.client, hold, '/ledger', 'late').catch((error: unknown) => error);
    one.line.rejoin();
    assert.instance(await late, HoldLostError);
    assert.is(text((await other.client.getData('/ledger')).data), 'theirs');
    assert.is((await writeFenced(other.client, theirs, '/ledger', 'more')).version, 1);
    await Promise.all([both.release(), theirs.release()]);
  });
});

test('acquisitions of other try-locks of the same counter do not refuse a fenced write', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const hold = await new TryLock(one.client, 'door').acquire();
    for (let number = 0; number < 200; number++) {
      const held = await new TryLock(other.client, `window-${number}`).acquire();
      await held.release();
    }
    const { children } = await other.client.getChildren('/locks/_counters_');
    assert.ok(children.length <= 64, 'counters are shared');
    assert.is((await writeFenced(one.client, hold, '/ledger', 'mine')).version, 0);
    await hold.release();
  });
});

test.run();
