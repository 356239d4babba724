import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FairLock,
  HoldMismatchError,
  InvalidLockSetError,
  MultiLock,
  ReadWriteLock,
  TryLock,
} from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld } from '../recipe-world.js';

test('all of its locks are held together, or none', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const lock = new MultiLock(one.client, [new FairLock(one.client, 'b'), new TryLock(one.client, 'a')]);
    const inTheWay = await new FairLock(other.client, 'b').acquire();

    assert.is(await lock.tryAcquire(), null);
    assert.is(await lock.tryAcquire({ timeoutMs: 500 }), null);
    await world.sleep(100);
    const free = await new TryLock(other.client, 'a').tryAcquire();
    assert.ok(free !== null, 'the first was given back');
    await free.release();

    await inTheWay.release();
    const hold = await lock.acquire();
    assert.equal([...hold.holds.keys()], ['/locks/a', '/locks/b']);
    assert.is(await new TryLock(other.client, 'a').tryAcquire(), null);
    assert.is(await new FairLock(other.client, 'b').tryAcquire(), null);
    await hold.holds.get('/locks/a')!.release();
    assert.ok(hold.signal.aborted, 'it is over when one of them is');
    await hold.release();
  });
});

test('two that want the same locks in opposite order never wait for each other', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = [await world.join(), await world.join()];
    let rounds = 0;
    await Promise.all(
      participants.map(async ({ client }, who) => {
        const names = who === 0 ? ['left', 'right'] : ['right', 'left'];
        const lock = new MultiLock(
          client,
          names.map((name) => new FairLock(client, name)),
        );
        for (let round = 0; round < 20; round++) await lock.run(() => rounds++, { timeoutMs: 60_000 });
      }),
    );
    assert.is(rounds, 40);
  });
});

test('it refuses no lock, a lock twice, and to be held within itself', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const refuses = (locks: ConstructorParameters<typeof MultiLock>[1]): void =>
      assert.throws(
        () => new MultiLock(client, locks),
        (error: unknown) => error instanceof InvalidLockSetError,
      );
    refuses([]);
    refuses([new FairLock(client, 'a'), new TryLock(client, 'a')]);
    const lock = new MultiLock(client, [new FairLock(client, 'a')]);
    const hold = await lock.acquire();
    const refused = await lock.acquire({ within: hold }).catch((error: unknown) => error);
    assert.instance(refused, HoldMismatchError);
    await hold.release();
  });
});

test('the connection may break at each request of one that acquires two locks', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const other = await world.join();
    plan();
    const hold = await new MultiLock(client, [
      new FairLock(client, 'a'),
      new ReadWriteLock(client, 'b').write,
    ]).acquire();
    assert.is(await new FairLock(other.client, 'a').tryAcquire(), null);
    await hold.release();
    await world.sleep(3000);
    assert.equal(await other.client.getEphemerals('/locks'), []);
  });
  assert.ok(breaks >= 6, `only ${breaks} breaks`);
});

test.run();
