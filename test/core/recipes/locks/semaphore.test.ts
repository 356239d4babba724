import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidPermitsError, Semaphore, type Hold } from '../../../../core/recipes/index.js';
import { SeededRandom } from '../../../../core/runtime/index.js';
import { breakEverywhere, RecipeWorld } from '../recipe-world.js';
import { holdFor, trouble } from '../trouble.js';

test('as many hold it as there are permits, in the order of asking', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = await Promise.all(Array.from({ length: 5 }, () => world.join()));
    const order: number[] = [];
    let holders = 0;
    let most = 0;
    await Promise.all(
      participants.map(async ({ client }, who) => {
        await world.sleep(who * 50);
        await new Semaphore(client, 'press', { permits: 2 }).run(async () => {
          order.push(who);
          most = Math.max(most, ++holders);
          await world.sleep(1000);
          holders--;
        });
      }),
    );
    assert.equal(order, [0, 1, 2, 3, 4]);
    assert.is(most, 2);
  });
});

test('the znodes are those of Curator, and a permit is not to be had while none is free', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const semaphore = new Semaphore(client, 'press', { permits: 1 });
    const hold = await semaphore.acquire();
    assert.match(hold.path, /^\/locks\/press\/leases\/_c_[0-9a-f-]{36}-lease-\d{10}$/);
    assert.is(await semaphore.tryAcquire(), null);
    const patient = semaphore.tryAcquire({ timeoutMs: 5000 });
    await world.sleep(1000);
    await hold.release();
    const next = await patient;
    assert.ok(next !== null && next.fence > hold.fence);
    assert.is(await semaphore.tryAcquire({ timeoutMs: 300 }), null);
    await next.release();
    await world.sleep(100);
    assert.equal((await client.getChildren('/locks/press/leases')).children, []);
    assert.equal((await client.getChildren('/locks/press/locks')).children, []);
  });
});

test('it needs a whole number of permits', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    for (const permits of [0, -1, 1.5, Number.NaN])
      assert.throws(
        () => new Semaphore(client, 'press', { permits }),
        (error: unknown) => error instanceof InvalidPermitsError,
      );
  });
});

test('the connection may break at each request of one that waits for a permit', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const other = await world.join();
    const held = await new Semaphore(other.client, 'press', { permits: 1 }).acquire();
    plan();
    const waiting = new Semaphore(client, 'press', { permits: 1 }).acquire();
    await world.sleep(500);
    await held.release();
    const hold = await waiting;
    assert.ok(hold.fence > 0n);
    assert.is(await new Semaphore(other.client, 'press', { permits: 1 }).tryAcquire(), null);
    await hold.release();
    await world.sleep(3000);
    assert.equal((await other.client.getChildren('/locks/press/leases')).children, []);
    assert.equal((await other.client.getChildren('/locks/press/locks')).children, []);
  });
  assert.ok(breaks >= 8, `only ${breaks} breaks`);
});

test('never more hold it than there are permits while lines are cut and sessions lost', async () => {
  await RecipeWorld.play(async (world) => {
    const random = new SeededRandom(11);
    const participants = await Promise.all(Array.from({ length: 5 }, () => world.join()));
    const untilMs = world.clock.now() + 60_000;
    let holders = 0;
    let grants = 0;
    const use = (hold: Hold): Promise<void> =>
      holdFor(world, hold, random.next() * 500, {
        enter() {
          grants++;
          assert.ok(++holders <= 2, `${holders} hold two permits`);
        },
        leave: () => holders--,
      });
    const contend = async ({ client }: (typeof participants)[number]): Promise<void> => {
      const semaphore = new Semaphore(client, 'press', { permits: 2 });
      while (world.clock.now() < untilMs) await use(await semaphore.acquire());
    };
    await Promise.all([...participants.map(contend), trouble(world, participants, random, untilMs)]);
    assert.ok(grants > 40, `only ${grants} grants`);
    assert.equal(await participants[0]!.client.getEphemerals('/locks'), []);
  });
});

test('explain says who holds a permit and who waits', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const semaphore = (data: string): Semaphore => new Semaphore(client, 'press', { permits: 1, data });
    const hold = await semaphore('anna').acquire();
    const waiting = [semaphore('bert').acquire(), semaphore('carl').acquire()];
    await world.sleep(200);
    const { holders, waiters } = await semaphore('x').explain();
    assert.equal(
      holders.map(({ owner }) => owner),
      ['anna'],
    );
    assert.equal(
      waiters.map(({ owner }) => owner),
      ['bert', 'carl'],
    );
    await hold.release();
    for (const one of waiting) await (await one).release();
  });
});

test.run();
