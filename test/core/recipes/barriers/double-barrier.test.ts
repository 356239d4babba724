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

for (const how of ['died inside', 'gave up leaving'] as const) {
  test(`nobody enters a barrier of three with two there after two of a round ${how}`, async () => {
    await RecipeWorld.play(async (world) => {
      const participants = [await world.join(), await world.join(), await world.join()];
      const rooms = participants.map(({ client }) => new DoubleBarrier(client, 'room', { parties: 3 }));
      await Promise.all(rooms.map((room) => room.enter()));
      for (const at of [1, 2]) {
        if (how === 'died inside') await world.expire(participants[at]!);
        await rooms[at]!.leave({ timeoutMs: 500 }).catch(() => undefined);
      }
      const late = await rooms[1]!.enter({ timeoutMs: 3000 }).catch((error: unknown) => error);
      assert.instance(late, AcquireTimeoutError);

      // The first one leaves its round; then three are there again.
      const again = [1, 2].map((at) => rooms[at]!.enter());
      await world.sleep(1000);
      await rooms[0]!.leave();
      await Promise.all([...again, rooms[0]!.enter()]);
      await Promise.all(rooms.map((room) => room.leave()));
      assert.equal((await participants[0]!.client.getChildren('/barriers/room')).children, []);
    });
  });
}

test('a party whose last request on leaving was lost does not end the next round', async () => {
  for (const lose of ['loseNextRequest', 'loseNextReply'] as const)
    await RecipeWorld.play(async (world) => {
      const participants = [await world.join(), await world.join()];
      const rooms = participants.map(({ client }) => new DoubleBarrier(client, 'room', { parties: 2 }));
      for (let round = 0; round < 2; round++) {
        await Promise.all(rooms.map((room) => room.enter()));
        const lost = participants.map(({ line }) => line[lose]({ op: 'delete', path: /ready$/ }));
        await Promise.all(rooms.map((room) => room.leave()));
        await Promise.race(lost);
      }
      await Promise.all(rooms.map((room) => room.enter()));
      const { data } = await participants[0]!.client.getData('/barriers/room/ready');
      const { version, parties } = JSON.parse(new TextDecoder().decode(data)) as Record<string, unknown>;
      const { children } = await participants[0]!.client.getChildren('/barriers/room');
      assert.is(version, 1);
      assert.equal(
        parties,
        children.filter((name) => name !== 'ready'),
      );
    });
});

test('a ready that says nothing of its round, as other programs write it, lets everybody in', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const room = new DoubleBarrier(one.client, 'room', { parties: 2 });
    const entering = room.enter();
    await world.until(async () => (await other.client.exists('/barriers/room')) !== null);
    await other.client.create('/barriers/room/theirs', null, { mode: 'ephemeral' });
    await world.until(async () => (await other.client.exists('/barriers/room/ready')) !== null);
    await entering;
    await other.client.setData('/barriers/room/ready', '10.0.0.1');
    const late = new DoubleBarrier(other.client, 'room', { parties: 2 });
    await late.enter();
    await other.client.delete('/barriers/room/theirs');
    await Promise.all([room.leave(), late.leave()]);
    assert.equal((await other.client.getChildren('/barriers/room')).children, []);
  });
});

test.run();
