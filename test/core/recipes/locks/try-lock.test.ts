import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AcquireTimeoutError,
  FairLock,
  HoldLostError,
  LayoutConflictError,
  TryLock,
  type Hold,
} from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld } from '../recipe-world.js';

test('one holds, the others are told at once that it is taken, and by whom', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const hold = await new TryLock(one.client, 'door', { owner: 'host one' }).tryAcquire();
    const other = new TryLock(two.client, 'door');

    assert.is(await other.tryAcquire(), null);
    const owner = await other.owner();
    assert.is(owner?.owner, 'host one');
    assert.is(owner?.sessionId, one.client.session.id);
    assert.is(owner?.fence, hold?.fence);
    assert.is(hold?.path, '/locks/door');

    await hold?.release();
    assert.is(await other.owner(), null);
    const next = await other.tryAcquire();
    assert.ok(next !== null && next.fence > hold!.fence);
    assert.is((await other.owner())?.owner, null);
    await next.release();
  });
});

test('two locks of one client exclude each other', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const hold = await new TryLock(client, 'door').tryAcquire();
    assert.is(await new TryLock(client, 'door').tryAcquire(), null);
    await hold?.release();
  });
});

test('acquire waits until the holder is gone; its signal and its time limit end the wait', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const hold = await new TryLock(one.client, 'door').acquire();
    const waiting = new TryLock(two.client, 'door').acquire();
    const limited = new TryLock(two.client, 'door').acquire({ timeoutMs: 100 });
    const giveUp = new AbortController();
    const given = new TryLock(two.client, 'door').acquire({ signal: giveUp.signal });
    const outcomes = Promise.allSettled([limited, given]);
    giveUp.abort('enough');

    const [timedOut, givenUp] = (await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason);
    assert.instance(timedOut, AcquireTimeoutError);
    assert.is(givenUp, 'enough');
    await hold.release();
    const next = await waiting;

    assert.ok(next.fence > hold.fence);
    await next.release();
  });
});

test('a try-lock survives the loss of the connection at each of its steps', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const other = await world.join();
    plan();
    const hold = await new TryLock(client, 'door').acquire();
    assert.is(await new TryLock(other.client, 'door').tryAcquire(), null);
    const waiting = new TryLock(other.client, 'door').acquire();
    await world.sleep(100);
    await hold.release();
    const next = await waiting;
    assert.ok(next.fence > hold.fence);
    assert.is(await new TryLock(client, 'door').tryAcquire(), null);
    const again = new TryLock(client, 'door').acquire();
    await world.sleep(500);
    await next.release();
    const last = await again;
    assert.not.ok(last.signal.aborted);
    await last.release();
    assert.is(await other.client.exists('/locks/door'), null);
  });
  assert.ok(breaks >= 8, `only ${breaks} breaks`);
});

test('of two attempts of one client that lose their replies together exactly one holds', async () => {
  await RecipeWorld.play(async (world) => {
    const { client, line } = await world.join();
    await client.create('/locks');
    const lost = line.loseNextReply({ op: 'create', path: '/locks/door' });

    const outcomes = await Promise.all([
      new TryLock(client, 'door').tryAcquire(),
      new TryLock(client, 'door').tryAcquire(),
    ]);

    await lost;
    const holds = outcomes.filter((outcome) => outcome !== null);
    assert.is(holds.length, 1);
    assert.is((await client.exists('/locks/door'))?.czxid, holds[0]?.fence);
  });
});

test('a release whose reply is lost does not delete the znode of the next holder', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const hold = await new TryLock(one.client, 'door').acquire();
    const waiting = new TryLock(two.client, 'door').acquire();
    await world.sleep(100);

    const lost = one.line.loseNextReply({ op: 'delete', path: '/locks/door' });
    await hold.release();
    await lost;
    const next = await waiting;
    await world.sleep(3000);

    assert.not.ok(next.signal.aborted);
    assert.is((await two.client.exists('/locks/door'))?.czxid, next.fence);
  });
});

test('a session lost while holding aborts the signal before another can hold', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const hold = await new TryLock(one.client, 'door').acquire();
    let abortedAt = Infinity;
    hold.signal.addEventListener('abort', () => (abortedAt = world.clock.now()));
    const waiting = new TryLock(two.client, 'door').acquire();

    one.line.cutOff();
    const next = await waiting;

    assert.ok(abortedAt < world.clock.now());
    assert.instance(hold.signal.reason, HoldLostError);
    assert.ok(next.fence > hold.fence);
  });
});

test('a session lost while waiting leads to waiting on, not to a hold', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two] = [await world.join(), await world.join()];
    const hold = await new TryLock(one.client, 'door').acquire();
    let next: Hold | null = null;
    void new TryLock(two.client, 'door').acquire().then((got) => (next = got));
    await world.sleep(100);

    await world.expire(two);
    await world.sleep(100);
    assert.is(next, null);
    await hold.release();

    await world.until(() => next !== null);
  });
});

test('a node left by an older session of the same process does not count as held', async () => {
  await RecipeWorld.play(async (world) => {
    const one = await world.join();
    const lock = new TryLock(one.client, 'door');
    const hold = await lock.acquire();
    const { epoch } = one.client.session;

    // The client gives its session up by its own timer, before the servers do.
    one.line.cutOff();
    await world.until(() => one.client.state === 'lost');
    one.line.rejoin();
    const again = await lock.acquire();

    assert.ok(hold.signal.aborted);
    assert.ok(one.client.session.epoch > epoch);
    assert.ok(again.fence > hold.fence);
  });
});

test('a znode that is no lock is told apart from a held one', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const hold = await new FairLock(client, 'door').acquire();

    const failure = await new TryLock(client, 'door').acquire().catch((error: unknown) => error);

    assert.instance(failure, LayoutConflictError);
    await hold.release();
  });
});

test('a release of a lost hold leaves the znode of the next holder alone', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, two, admin] = [await world.join(), await world.join(), await world.join()];
    for (const knows of [true, false]) {
      const lost = await new TryLock(one.client, 'door').acquire();
      const waiting = new TryLock(two.client, 'door').acquire();
      await world.sleep(50);
      if (!knows) one.line.pause();
      await admin.client.delete('/locks/door');
      const next = await waiting;
      if (knows) await world.until(() => lost.signal.aborted);
      assert.is(lost.signal.aborted, knows);

      const released = lost.release();
      one.line.rejoin();
      await released;

      assert.is((await admin.client.exists('/locks/door'))?.czxid, next.fence, `knows: ${knows}`);
      await next.release();
      assert.is(await admin.client.exists('/locks/door'), null);
    }
  });
});

test.run();
