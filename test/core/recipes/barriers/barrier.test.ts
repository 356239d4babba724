import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SessionExpiredError } from '../../../../core/client/index.js';
import { AcquireTimeoutError, Barrier } from '../../../../core/recipes/index.js';
import { alteredClient } from '../altered-client.js';
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

test('a wait whose session is over for the servers, and not yet for the client, asks no more until there is another', async () => {
  await RecipeWorld.play(async (world) => {
    const participant = await world.join();
    const { client } = participant;
    await new Barrier(client, 'gate').close();
    const { epoch } = client.session;
    let refusals = 0;
    const refused = alteredClient(client, {
      async getData(path, options) {
        if (client.session.epoch !== epoch) return client.getData(path, options);
        if (++refusals > 3) throw new Error('asked again and again');
        throw new SessionExpiredError({ operation: 'getData', path });
      },
    });
    let isThrough = false;
    const waiting = new Barrier(refused, 'gate').passed().then(() => (isThrough = true));

    await world.sleep(1000);
    await world.expire(participant);
    await world.sleep(100);
    assert.not.ok(isThrough);
    await new Barrier(client, 'gate').open();
    await waiting;

    assert.is(refusals, 1);
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

test('a close or an open in doubt is not repeated when another has undone it meanwhile', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const [gate, theirs] = [new Barrier(one.client, 'gate'), new Barrier(other.client, 'gate')];
    await theirs.close();

    const openLost = one.line.loseNextReply({ op: 'delete' });
    const opening = gate.open();
    await world.until(async () => (await other.client.exists('/barriers/gate')) === null);
    await theirs.close();
    await openLost;
    await opening;
    assert.ok((await other.client.exists('/barriers/gate')) !== null, 'it was closed after it was opened');

    await theirs.open();
    const closeLost = one.line.loseNextReply({ op: 'create' });
    const closing = gate.close().catch((error: { code: string }) => error.code);
    await world.until(async () => (await other.client.exists('/barriers/gate')) !== null);
    await theirs.open();
    await closeLost;
    assert.is(await closing, 'OUTCOME_UNKNOWN');
    assert.is(await other.client.exists('/barriers/gate'), null, 'it was opened after it was closed');
  });
});

test('a close or an open whose request was lost is repeated, unless its session is over', async () => {
  await RecipeWorld.play(async (world) => {
    const one = await world.join();
    const gate = new Barrier(one.client, 'gate');
    await gate.close();
    for (const call of [() => gate.open(), () => gate.close()]) {
      const lost = one.line.loseNextRequest({ op: ['delete', 'create'], path: '/barriers/gate' });
      await Promise.all([call(), lost]);
    }
    const lost = one.line.loseNextRequest({ op: 'delete', path: '/barriers/gate' });
    const opening = gate.open().catch((error: { code: string }) => error.code);
    await lost;
    await world.expire(one);
    assert.is(await opening, 'OUTCOME_UNKNOWN');
    assert.ok((await one.client.exists('/barriers/gate')) !== null);
  });
});

test.run();
