import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HoldLostError, LeaderLatch, RecipeStateError, type Hold } from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld, SESSION_TIMEOUT_MS } from '../recipe-world.js';

test('one participant leads, in the order of starting, and everybody can see who', async () => {
  await RecipeWorld.play(async (world) => {
    const latches: LeaderLatch[] = [];
    for (const id of ['one', 'two', 'three']) {
      latches.push(new LeaderLatch((await world.join()).client, 'close-books', { id }).start());
      await world.sleep(100);
    }

    const leaders = latches.filter((latch) => latch.leadership !== null);
    assert.equal(
      leaders.map(({ id }) => id),
      ['one'],
    );
    const participants = await latches[2]!.participants();
    assert.equal(
      participants.map(({ id, isLeader }) => [id, isLeader]),
      [
        ['one', true],
        ['two', false],
        ['three', false],
      ],
    );
    assert.match(participants[0]!.path, /^\/leaders\/close-books\/_c_[0-9a-f-]{36}-latch-\d{10}$/);
    assert.is((await latches[1]!.leader())?.id, 'one');

    await latches[0]!.close();
    await world.until(() => latches[1]!.leadership !== null);
    assert.is(latches[0]!.state, 'closed');
    assert.is(latches[2]!.leadership, null);
  });
});

test('leaderships come as a stream, the present one first; a released one goes to the next in line', async () => {
  await RecipeWorld.play(async (world) => {
    const one = new LeaderLatch((await world.join()).client, 'close-books').start();
    await world.until(() => one.leadership !== null);
    const two = new LeaderLatch((await world.join()).client, 'close-books').start();
    await world.sleep(200);
    const terms: Hold[] = [];
    const reading = (async () => {
      for await (const hold of one.leaderships()) terms.push(hold);
    })();
    await world.until(() => terms.length === 1);

    await terms[0]!.release();
    await world.until(() => two.leadership !== null);
    assert.is(one.leadership, null);
    await two.leadership!.release();
    await world.until(() => terms.length === 2);

    assert.ok(terms[1]!.fence > terms[0]!.fence);
    assert.not.ok(terms[1]!.signal.aborted);
    await one.close();
    await reading;
    assert.ok(terms[1]!.signal.aborted);
    await two.close();
  });
});

test('a latch survives the loss of the connection at each of its steps', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const other = new LeaderLatch((await world.join()).client, 'close-books', { id: 'other' }).start();
    await world.until(() => other.leadership !== null);
    const fence = other.leadership!.fence;
    plan();
    const latch = new LeaderLatch(client, 'close-books', { id: 'broken' }).start();
    await world.sleep(2000);
    assert.is(latch.leadership, null);
    assert.is((await other.participants()).length, 2);
    await other.leadership!.release();
    await world.until(() => latch.leadership !== null);
    assert.ok(latch.leadership!.fence > fence);
    await latch.close();
    await world.until(() => other.leadership !== null);
    assert.equal(
      (await other.participants()).map(({ id }) => id),
      ['other'],
    );
    await other.close();
  });
  assert.ok(breaks >= 8, `only ${breaks} breaks`);
});

test('a leader that loses its session stops before another leads, and stands again in the next session', async () => {
  await RecipeWorld.play(async (world) => {
    const leader = await world.join();
    const one = new LeaderLatch(leader.client, 'close-books', { id: 'one' }).start();
    await world.until(() => one.leadership !== null);
    const two = new LeaderLatch((await world.join()).client, 'close-books', { id: 'two' }).start();
    await world.sleep(200);
    const { signal, fence } = one.leadership!;
    let abortedAt = Infinity;
    signal.addEventListener('abort', () => (abortedAt = world.clock.now()));

    leader.line.cutOff();
    await world.until(() => two.leadership !== null);

    assert.ok(abortedAt < world.clock.now());
    assert.instance(signal.reason, HoldLostError);
    assert.is(one.leadership, null);
    assert.ok(two.leadership!.fence > fence);
    leader.line.rejoin();
    await world.until(async () => (await two.participants()).length === 2);
    await two.close();
    await world.until(() => one.leadership !== null);
  });
});

test('a candidate that loses its session stands again', async () => {
  await RecipeWorld.play(async (world) => {
    const one = new LeaderLatch((await world.join()).client, 'close-books', { id: 'one' }).start();
    await world.until(() => one.leadership !== null);
    const candidate = await world.join();
    const two = new LeaderLatch(candidate.client, 'close-books', { id: 'two' }).start();
    assert.not.ok(two.isStanding);
    await world.until(async () => (await one.participants()).length === 2);
    assert.ok(one.isStanding && two.isStanding);

    await world.expire(candidate);

    await world.until(async () => (await one.participants()).length === 2);
    assert.ok(two.isStanding);
    assert.not.ok(one.leadership!.signal.aborted);
    await one.close();
    await world.until(() => two.leadership !== null);
  });
});

test('a leader that is only suspended goes on leading', async () => {
  await RecipeWorld.play(async (world) => {
    const leader = await world.join();
    const latch = new LeaderLatch(leader.client, 'close-books').start();
    await world.until(() => latch.leadership !== null);
    const before = latch.leadership;

    leader.line.cutOff();
    await world.sleep(SESSION_TIMEOUT_MS / 2);
    leader.line.rejoin();
    await world.sleep(SESSION_TIMEOUT_MS);

    assert.is(latch.leadership, before);
    assert.not.ok(before!.signal.aborted);
  });
});

test('a leader whose znode is deleted stands again, at the end of the line', async () => {
  await RecipeWorld.play(async (world) => {
    const one = new LeaderLatch((await world.join()).client, 'close-books', { id: 'one' }).start();
    await world.until(() => one.leadership !== null);
    const other = await world.join();
    const two = new LeaderLatch(other.client, 'close-books', { id: 'two' }).start();
    await world.sleep(200);

    await other.client.delete(one.leadership!.path);

    await world.until(() => two.leadership !== null && one.leadership === null);
    await world.until(async () => (await two.participants()).length === 2);
  });
});

test('a latch is started once, and not after it was closed', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const latch = new LeaderLatch(client, 'close-books');
    assert.is(latch.state, 'latent');
    assert.equal(await latch.participants(), []);
    assert.is(await latch.leader(), null);
    latch.start();
    assert.throws(
      () => latch.start(),
      (error: unknown) => error instanceof RecipeStateError,
    );
    await latch.close();
    await latch.close();
    assert.throws(
      () => latch.start(),
      (error: unknown) => error instanceof RecipeStateError,
    );
    assert.equal(await client.getEphemerals(), []);
  });
});

test('the stream of leaderships ends when the client closes', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const latch = new LeaderLatch(client, 'close-books').start();
    let hasEnded = false;
    void (async () => {
      for await (const _ of latch.leaderships());
      hasEnded = true;
    })();
    await world.sleep(200);

    await client.close();

    await world.until(() => hasEnded);
    assert.is(latch.state, 'closed');
    await latch.close();
  });
});

test.run();
