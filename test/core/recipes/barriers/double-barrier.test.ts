import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AcquireTimeoutError,
  DoubleBarrier,
  HoldLostError,
  InvalidPartiesError,
  RecipeStateError,
} from '../../../../core/recipes/index.js';
import { SessionExpiredError } from '../../../../core/client/index.js';
import { alteredClient } from '../altered-client.js';
import { breakEverywhere, RecipeWorld } from '../recipe-world.js';

test('all enter together and leave together, again and again', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = await Promise.all([world.join(), world.join(), world.join()]);
    let inside = 0;
    await Promise.all(
      participants.map(async ({ client }, who) => {
        const room = new DoubleBarrier(client, 'room', { parties: 3 });
        for (let round = 0; round < 3; round++) {
          await world.sleep(who * 400);
          await room.enter();
          inside++;
          await world.sleep(100 + who * 300);
          assert.is(inside, 3, 'nobody leaves before all are ready to');
          await room.leave();
          await world.sleep(2000);
          inside = 0;
        }
      }),
    );
    assert.equal((await participants[0].client.getChildren('/barriers/room')).children, []);
  });
});

test('one that is too few waits until its limit, and leaves nothing behind', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const room = new DoubleBarrier(client, 'room', { parties: 2 });
    assert.instance(
      await room.enter({ timeoutMs: 500 }).catch((error: unknown) => error),
      AcquireTimeoutError,
    );
    assert.equal((await client.getChildren('/barriers/room')).children, []);
    assert.instance(await room.leave().catch((error: unknown) => error), RecipeStateError);
    assert.throws(
      () => new DoubleBarrier(client, 'room', { parties: 0 }),
      (error: unknown) => error instanceof InvalidPartiesError,
    );
  });
});

test('nobody waits for one that is gone', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const rooms = [one, other].map(({ client }) => new DoubleBarrier(client, 'room', { parties: 2 }));
    await Promise.all(rooms.map((room) => room.enter()));
    const leaving = rooms[0]!.leave();
    const lost = rooms[1]!.leave.bind(rooms[1]);
    await world.expire(other);
    await leaving;
    assert.instance(await lost().catch((error: unknown) => error), HoldLostError);
  });
});

test('one that gives up while its znode is being made leaves nothing behind', async () => {
  await RecipeWorld.play(async (world) => {
    const { client, line } = await world.join();
    await client.create('/barriers/room', null, { createParents: true });
    const room = new DoubleBarrier(client, 'room', { parties: 1 });
    const stop = new AbortController();
    const stopWatching = line.observe(({ op }) => {
      if (op === 'create2') stop.abort(new Error('enough'));
    });
    const outcome = await room.enter({ signal: stop.signal }).catch((error: Error) => error.message);
    stopWatching();
    assert.is(outcome, 'enough');
    await world.sleep(500);
    assert.equal((await client.getChildren('/barriers/room')).children, []);
    await room.enter();
    await room.leave();
  });
});

test('one whose session is over for the servers is told that it is lost, and may enter again in the next one', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const refused = alteredClient(client, {
      create: (path) => Promise.reject(new SessionExpiredError({ operation: 'create', path })),
    });
    const lost = await new DoubleBarrier(refused, 'room', { parties: 1 }).enter().catch((e: unknown) => e);
    assert.instance(lost, HoldLostError);
    await new DoubleBarrier(client, 'room', { parties: 1 }).enter();
  });
});

test('who comes back for the next round at once keeps nobody from leaving the last one', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = await Promise.all(Array.from({ length: 4 }, () => world.join()));
    await Promise.all(
      participants.map(async ({ client }, who) => {
        const slow = alteredClient(client, {
          getChildren: (path, options) => world.sleep(300).then(() => client.getChildren(path, options)),
        });
        const room = new DoubleBarrier(who === 0 ? slow : client, 'room', { parties: 4 });
        for (let round = 0; round < 10; round++) {
          await room.enter({ timeoutMs: 20_000 });
          await room.leave({ timeoutMs: 20_000 });
        }
      }),
    );
  });
});

test('a round whose parties all died inside lets nobody into the next one early', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const room = ({ client }: typeof one): DoubleBarrier => new DoubleBarrier(client, 'room', { parties: 2 });
    await Promise.all([room(one).enter(), room(other).enter()]);
    await Promise.all([world.expire(one), world.expire(other)]);
    assert.equal((await one.client.getChildren('/barriers/room')).children, ['ready']);

    const early = await room(one)
      .enter({ timeoutMs: 1000 })
      .catch((error: unknown) => error);

    assert.instance(early, AcquireTimeoutError);
    const rooms = [room(one), room(other)];
    await Promise.all(rooms.map((each) => each.enter()));
    await Promise.all(rooms.map((each) => each.leave()));
  });
});

test('a wait that ends at its limit while there is no connection ends at once, not with the session', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const room = new DoubleBarrier(one.client, 'room', { parties: 2 });
    const entering = room.enter({ timeoutMs: 500 }).catch((error: unknown) => error);
    await world.sleep(300);
    const cutAt = world.clock.now();
    one.line.cutOff();
    assert.instance(await entering, AcquireTimeoutError);
    assert.ok(world.clock.now() - cutAt < 1000, `it took ${world.clock.now() - cutAt} ms`);
    one.line.rejoin();
    await world.until(async () => (await other.client.getChildren('/barriers/room')).children.length === 0);
  });
});

test('a second call is refused while the first is under way', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const room = new DoubleBarrier(client, 'room', { parties: 1 });
    const outcomes = await Promise.allSettled([room.enter(), room.enter()]);
    assert.equal(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    const leaving = await Promise.allSettled([room.leave(), room.leave()]);
    assert.instance((leaving[1] as PromiseRejectedResult).reason, RecipeStateError);
    assert.equal((await client.getChildren('/barriers/room')).children, []);
  });
});

test('the connection may break at each request of one that enters and leaves', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const other = await world.join();
    const theirs = new DoubleBarrier(other.client, 'room', { parties: 2 });
    const room = new DoubleBarrier(client, 'room', { parties: 2 });
    const entering = theirs.enter();
    await world.sleep(100);
    plan();
    await Promise.all([entering, room.enter()]);
    await Promise.all([theirs.leave(), room.leave()]);
    await world.sleep(3000);
    assert.equal((await other.client.getChildren('/barriers/room')).children, []);
  });
  assert.ok(breaks >= 6, `only ${breaks} breaks`);
});

test.run();
