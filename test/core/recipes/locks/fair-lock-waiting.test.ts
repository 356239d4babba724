import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AcquireTimeoutError, FairLock } from '../../../../core/recipes/index.js';
import { RecipeWorld, SESSION_TIMEOUT_MS } from '../recipe-world.js';

test('a wait that is given up leaves no znode, whatever the connection does meanwhile', async () => {
  for (const after of [0, 1, 3, 10, 50]) {
    await RecipeWorld.play(async (world) => {
      const holder = await world.join();
      const waiter = await world.join();
      const hold = await new FairLock(holder.client, 'door').acquire();
      const giveUp = new AbortController();
      const waiting = new FairLock(waiter.client, 'door').acquire({ signal: giveUp.signal });
      const outcome = waiting.then(
        () => 'acquired',
        (error: unknown) => error,
      );

      await world.sleep(after);
      waiter.line.loseConnection();
      giveUp.abort('enough');

      assert.is(await outcome, 'enough');
      await world.sleep(SESSION_TIMEOUT_MS / 2);
      assert.equal((await holder.client.getChildren('/locks/door')).children.length, 1);
      await hold.release();
    });
  }
});

test('a wait ends after its time limit with an error that says so', async () => {
  await RecipeWorld.play(async (world) => {
    const holder = await world.join();
    const waiter = await world.join();
    const hold = await new FairLock(holder.client, 'door').acquire();
    const startedAt = world.clock.now();

    const failure = await new FairLock(waiter.client, 'door')
      .acquire({ timeoutMs: 700 })
      .catch((error: unknown) => error);

    assert.instance(failure, AcquireTimeoutError);
    assert.ok(world.clock.now() - startedAt >= 700);
    await hold.release();
  });
});

test('tryAcquire does not wait for a holder, and leaves no znode', async () => {
  await RecipeWorld.play(async (world) => {
    const holder = await world.join();
    const other = await world.join();
    const hold = await new FairLock(holder.client, 'door').acquire();

    assert.is(await new FairLock(other.client, 'door').tryAcquire(), null);
    await world.sleep(100);
    assert.is((await holder.client.getChildren('/locks/door')).children.length, 1);

    await hold.release();
    const next = await new FairLock(other.client, 'door').tryAcquire();
    assert.ok(next !== null && next.fence > hold.fence);
    await next.release();
  });
});

test('one that gives it a time limit waits in turn, and gets it or null', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const hold = await new FairLock(one.client, 'door').acquire();
    assert.is(await new FairLock(other.client, 'door').tryAcquire({ timeoutMs: 500 }), null);
    const patient = new FairLock(other.client, 'door').tryAcquire({ timeoutMs: 5000 });
    await world.sleep(1000);
    await hold.release();
    assert.ok((await patient) !== null);
    assert.is((await one.client.getChildren('/locks/door')).children.length, 1);
    const stop = new AbortController();
    const stopped = new FairLock(one.client, 'door').tryAcquire({ timeoutMs: 60_000, signal: stop.signal });
    stop.abort(new Error('enough'));
    assert.is(await stopped.catch((error: Error) => error.message), 'enough');
  });
});

test('closing the client ends a wait', async () => {
  await RecipeWorld.play(async (world) => {
    const holder = await world.join();
    const waiter = await world.join();
    await new FairLock(holder.client, 'door').acquire();
    const outcome = new FairLock(waiter.client, 'door').acquire().then(
      () => 'acquired',
      (error: { code?: string }) => error.code,
    );
    await world.sleep(500);

    await waiter.client.close();

    assert.is(await outcome, 'CLOSED');
  });
});

test.run();
