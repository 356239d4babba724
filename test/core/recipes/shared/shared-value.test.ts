import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestQueueFullError, type Client } from '../../../../core/client/index.js';
import {
  Counter,
  LayoutConflictError,
  SharedValue,
  type ValueCodec,
} from '../../../../core/recipes/index.js';
import { alteredClient } from '../altered-client.js';
import { breakEverywhere, RecipeWorld } from '../recipe-world.js';

const text: ValueCodec<string> = {
  encode: (value) => new TextEncoder().encode(value),
  decode: (data) => new TextDecoder().decode(data),
};

test('it is the seed until somebody sets it, and only the newest version can be replaced', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const mine = new SharedValue(one.client, 'greeting', { seed: 'hello', codec: text });
    const theirs = new SharedValue(other.client, 'greeting', { seed: 'hello', codec: text });
    const seed = await mine.get();
    assert.equal(seed, { value: 'hello', version: -1, czxid: 0n });
    const first = await mine.trySet(seed, 'salut');
    assert.equal([first?.value, first?.version], ['salut', 0]);
    assert.is(await theirs.trySet(seed, 'hallo'), null);
    assert.equal(await theirs.trySet(first!, 'hallo'), { value: 'hallo', version: 1, czxid: first!.czxid });
    assert.is(await mine.trySet(first!, 'ciao'), null);
    assert.is((await mine.set('ciao')).version, 2);
    assert.is((await theirs.update((value) => `${value}!`)).value, 'ciao!');
    assert.is((await mine.get()).value, 'ciao!');
  });
});

test('no change of many at the same time is lost', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = await Promise.all([world.join(), world.join(), world.join()]);
    await Promise.all(
      participants.map(async ({ client }) => {
        const counter = new Counter(client, 'visits');
        for (let round = 0; round < 10; round++) await counter.increment();
      }),
    );
    assert.is(await new Counter(participants[0].client, 'visits').get(), 30n);
  });
});

test('its consumers see the value now and the last one always', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const counter = new Counter(other.client, 'visits', { seed: 5n });
    const seen: bigint[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const { value } of new Counter(one.client, 'visits', { seed: 5n }).values({
        signal: stop.signal,
      }))
        seen.push(value);
    })();
    await world.until(() => seen.length === 1);
    assert.equal(seen, [5n]);
    await counter.add(3n);
    await world.until(() => seen.at(-1) === 8n);
    one.line.loseConnection();
    for (let round = 0; round < 20; round++) await counter.decrement();
    await world.until(() => seen.at(-1) === -12n);
    stop.abort();
    await reading;
  });
});

test('a counter is written as Curator and kazoo write theirs, and wraps around', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const bytes = async (name: string): Promise<number[]> => [
      ...((await client.getData(`/counters/${name}`)).data ?? []),
    ];
    await new Counter(client, 'long').add(-2n);
    assert.equal(await bytes('long'), [255, 255, 255, 255, 255, 255, 255, 254]);
    const int = new Counter(client, 'int', { format: 'int' });
    await int.set(2147483647n);
    assert.is(await int.increment(), -2147483648n);
    assert.equal(await bytes('int'), [128, 0, 0, 0]);
    const digits = new Counter(client, 'text', { format: 'text' });
    await digits.set(41n);
    assert.is(await digits.increment(), 42n);
    assert.equal(await bytes('text'), [52, 50]);
    assert.not.ok(await digits.compareAndSet(41n, 1n));
    assert.ok(await digits.compareAndSet(42n, 1n));
    const wrong = await new Counter(client, 'text').get().catch((error: unknown) => error);
    assert.instance(wrong, LayoutConflictError);
  });
});

test('setting waits while the client has no room for a request, and until the next session, or its signal', async () => {
  await RecipeWorld.play(async (world) => {
    const participant = await world.join();
    const { client } = participant;
    let tries = 0;
    const failing = (error: () => Error): Client =>
      alteredClient(client, {
        async setData(path, data, options) {
          if (++tries <= 5) throw error();
          return client.setData(path, data, options);
        },
      });
    const value = (through: Client): SharedValue<string> =>
      new SharedValue(through, 'greeting', { seed: '', codec: text });

    const askedAt = world.clock.now();
    await value(failing(() => new RequestQueueFullError())).set('hello');
    assert.is(tries, 6);
    assert.ok(world.clock.now() - askedAt > 100, 'it tried again without a pause');

    participant.line.cutOff();
    const setting = value(client).set('salut');
    await world.expire(participant);
    assert.is((await setting).value, 'salut');
    assert.is((await value(client).get()).value, 'salut');

    participant.line.cutOff();
    const stop = new AbortController();
    const stopped = value(client).set('ciao', { signal: stop.signal });
    stop.abort(new Error('enough'));
    assert.is(await stopped.catch((error: Error) => error.message), 'enough');
  });
});

test('a change whose outcome is unknown says so, and setting goes on', async () => {
  await RecipeWorld.play(async (world) => {
    const { client, line } = await world.join();
    const counter = new Counter(client, 'visits');
    await counter.set(1n);
    const lost = line.loseNextReply({ op: 'setData' });
    const outcome = await counter.increment().catch((error: { code: string }) => error.code);
    await lost;
    assert.is(outcome, 'OUTCOME_UNKNOWN');
    assert.is(await counter.get(), 2n);
  });
  await breakEverywhere(async (_world, { client }, plan) => {
    plan();
    await new Counter(client, 'visits').set(7n);
    assert.is(await new Counter(client, 'visits').get(), 7n);
  });
});

test('values ends, and does not fail, when its signal aborts or the client closes while it reads', async () => {
  await RecipeWorld.play(async (world) => {
    const participant = await world.join();
    const stop = new AbortController();
    let isReading = false;
    const held = alteredClient(participant.client, {
      async getData(path, options) {
        isReading = true;
        participant.line.pause();
        return participant.client.getData(path, options);
      },
    });
    const read = async (signal?: AbortSignal): Promise<number> => {
      isReading = false;
      let seen = 0;
      for await (const _ of new SharedValue(held, 'greeting', { seed: '', codec: text }).values({ signal }))
        seen++;
      return seen;
    };

    const first = read(stop.signal);
    await world.until(() => isReading);
    stop.abort(new Error('enough'));
    assert.is(await first, 0);
    participant.line.rejoin();
    const second = read();
    await world.until(() => isReading);
    await participant.client.close();
    assert.is(await second, 0);
  });
});

test('a znode that was removed and made again is another value, whatever its version', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const mine = new SharedValue(one.client, 'greeting', { seed: '', codec: text });
    const theirs = new SharedValue(other.client, 'greeting', { seed: '', codec: text });
    const first = await mine.set('one');
    const seen: string[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const { value } of mine.values({ signal: stop.signal })) seen.push(value);
    })();
    await world.until(() => seen.length === 1);
    one.line.pause();
    await other.client.delete(mine.path);
    await theirs.set('two');
    one.line.rejoin();

    await world.until(() => seen.at(-1) === 'two');
    assert.is(await theirs.trySet(first, 'three'), null);
    assert.is((await theirs.get()).value, 'two');
    stop.abort();
    await following;
  });
});

test('a value that was set and then changed by another is not set a second time when the reply was lost', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const value = (client: Client) => new SharedValue(client, 'greeting', { seed: '', codec: text });
    await value(other.client).set('hello');
    for (const wasLost of ['reply', 'request'] as const) {
      const pattern = { op: 'setData', path: '/shared/greeting' } as const;
      const lost = wasLost === 'reply' ? one.line.loseNextReply(pattern) : one.line.loseNextRequest(pattern);
      const setting = value(one.client)
        .set(`mine ${wasLost}`)
        .catch((error: { code: string }) => error.code);
      if (wasLost === 'reply') {
        await world.until(async () => (await value(other.client).get()).value === 'mine reply');
        await value(other.client).set('theirs');
      }
      await lost;
      const outcome = await setting;
      const { value: now } = await value(other.client).get();
      if (wasLost === 'reply') assert.equal([outcome, now], ['OUTCOME_UNKNOWN', 'theirs']);
      else assert.is(now, 'mine request');
    }
  });
});

test.run();
