import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AcquireTimeoutError,
  DoubleBarrier,
  HoldLostError,
  InvalidPartiesError,
  RecipeStateError,
} from '../../../../core/recipes/index.js';
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
