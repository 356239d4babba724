import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FairLock, HoldLostError, type Hold } from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld, SESSION_TIMEOUT_MS } from '../recipe-world.js';

test('a lock survives the loss of the connection at each of its steps', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const other = await world.join();
    const lock = new FairLock(client, 'door');
    plan();
    const hold = await lock.acquire();
    const waiting = new FairLock(other.client, 'door').acquire();
    await world.sleep(500);
    assert.is((await other.client.getChildren('/locks/door')).children.length, 2);
    assert.not.ok(hold.signal.aborted);
    await hold.release();
    const next = await waiting;
    assert.ok(next.fence > hold.fence);
    const again = lock.acquire();
    await world.sleep(500);
    await next.release();
    await (await again).release();
    await world.sleep(3000);
    assert.equal((await other.client.getChildren('/locks/door')).children, []);
  });
  assert.ok(breaks >= 10, `only ${breaks} breaks`);
});

test('a create whose reply is lost is found again: there is one place in the line, and it is held', async () => {
  await RecipeWorld.play(async (world) => {
    const { client, line } = await world.join();
    const other = await world.join();
    await client.create('/locks/door/x', null, { createParents: true });
    const lost = line.loseNextReply({ op: 'create', path: /-lock-$/ });

    const hold = await new FairLock(client, 'door').acquire();
    await lost;

    const { children } = await other.client.getChildren('/locks/door');
    assert.equal(children, [hold.path.slice('/locks/door/'.length), 'x'].sort());
    assert.is((await other.client.exists(hold.path))?.czxid, hold.fence);
    await hold.release();
  });
});

test('a lock is held through a restart of the member', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const hold = await new FairLock(client, 'door').acquire();

    world.ensemble.crashMember();
    await world.ensemble.restartMember();
    await world.until(() => client.state === 'connected');
    await world.sleep(2 * SESSION_TIMEOUT_MS);

    assert.not.ok(hold.signal.aborted);
    assert.is((await client.exists(hold.path))?.czxid, hold.fence);
    await hold.release();
  });
});

test('a session lost while waiting leads to a new place in the line, not to a hold', async () => {
  await RecipeWorld.play(async (world) => {
    const holder = await world.join();
    const waiter = await world.join();
    const hold = await new FairLock(holder.client, 'door').acquire();
    let got: Hold | null = null;
    void new FairLock(waiter.client, 'door').acquire().then((value) => (got = value));
    await world.sleep(500);

    await world.expire(waiter);
    await world.sleep(1000);
    assert.is(got, null);
    assert.is((await holder.client.getChildren('/locks/door')).children.length, 2);

    await hold.release();
    await world.until(() => got !== null);
    assert.ok(got!.fence > hold.fence);
    assert.not.ok(got!.signal.aborted);
  });
});

test('a session lost while holding aborts the signal before another can hold', async () => {
  await RecipeWorld.play(async (world) => {
    const holder = await world.join();
    const waiter = await world.join();
    const hold = await new FairLock(holder.client, 'door').acquire();
    let abortedAt = Infinity;
    hold.signal.addEventListener('abort', () => (abortedAt = world.clock.now()));
    const waiting = new FairLock(waiter.client, 'door').acquire();
    await world.sleep(1000);

    holder.line.cutOff();
    const next = await waiting;

    assert.ok(abortedAt < world.clock.now());
    assert.instance(hold.signal.reason, HoldLostError);
    assert.ok(next.fence > hold.fence);
    holder.line.rejoin();
    await hold.release();
    await world.sleep(1000);
    assert.not.ok(next.signal.aborted);
  });
});

test('a connection that comes back in time keeps the lock', async () => {
  await RecipeWorld.play(async (world) => {
    const holder = await world.join();
    const hold = await new FairLock(holder.client, 'door').acquire();

    holder.line.cutOff();
    await world.sleep(SESSION_TIMEOUT_MS / 3);
    assert.is(holder.client.state, 'suspended');
    holder.line.rejoin();
    await holder.client.connected();

    assert.not.ok(hold.signal.aborted);
    await hold.release();
  });
});

test('a holder whose znode is deleted by somebody else is told', async () => {
  await RecipeWorld.play(async (world) => {
    const holder = await world.join();
    const other = await world.join();
    const hold = await new FairLock(holder.client, 'door').acquire();

    await other.client.delete(hold.path);
    await world.until(() => hold.signal.aborted);

    assert.instance(hold.signal.reason, HoldLostError);
  });
});

test.run();
