import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AcquireTimeoutError, Barrier } from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld, SESSION_TIMEOUT_MS } from '../recipe-world.js';

test('all who come wait while it is closed, and go on when it is opened', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = await Promise.all([world.join(), world.join(), world.join()]);
    const gate = new Barrier(participants[0].client, 'gate');
    await gate.passed();
    await gate.close();
    await gate.close();
    let through = 0;
    const waiting = participants.map(async ({ client }) => {
      await new Barrier(client, 'gate').passed();
      through++;
    });
    await world.sleep(3000);
    assert.is(through, 0);
    await gate.open();
    await Promise.all(waiting);
    await gate.open();
    await gate.passed({ timeoutMs: 100 });
  });
});

test('a wait ends at its limit or by its signal, and goes on over a lost session', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const gate = new Barrier(one.client, 'gate');
    await gate.close();
    const limited = await new Barrier(other.client, 'gate')
      .passed({ timeoutMs: 500 })
      .catch((error: unknown) => error);
    assert.instance(limited, AcquireTimeoutError);
    const stop = new AbortController();
    const stopped = new Barrier(other.client, 'gate').passed({ signal: stop.signal });
    stop.abort(new Error('enough'));
    assert.is(await stopped.catch((error: Error) => error.message), 'enough');

    let isThrough = false;
    const waiting = new Barrier(other.client, 'gate').passed().then(() => (isThrough = true));
    await world.expire(other);
    await world.sleep(SESSION_TIMEOUT_MS);
    assert.not.ok(isThrough);
    await gate.open();
    await waiting;
  });
});

test('the connection may break at each request of who closes, waits and opens', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const gate = new Barrier(client, 'gate');
    plan();
    await gate.close();
    const waiting = gate.passed();
    await world.sleep(500);
    await gate.open();
    await waiting;
  });
  assert.ok(breaks >= 5, `only ${breaks} breaks`);
});

test.run();
