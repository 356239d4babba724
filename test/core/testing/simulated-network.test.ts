import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom, SimulatedNetwork, VirtualClock } from '../../../core/testing/index.js';
import type { Connection } from '../../../core/transport/index.js';

interface End {
  readonly connection: Connection;
  readonly got: number[];
  readonly closed: () => boolean;
}

interface World {
  readonly clock: VirtualClock;
  readonly network: SimulatedNetwork;
  readonly connect: () => Promise<{ near: End; far: End }>;
}

function world(seed = 1): World {
  const clock = new VirtualClock({ promisesOnly: true });
  const network = new SimulatedNetwork(clock, {
    random: new SeededRandom(seed),
    quality: { latencyMs: 5, jitterMs: 20 },
  });
  const accepted: Connection[] = [];
  network.host('b').listen('sim://b:1', (connection) => accepted.push(connection));
  const { signal } = new AbortController();
  return {
    clock,
    network,
    connect: async () => {
      const near = await clock.waitFor(network.host('a').dial('sim://b:1', { signal }), 1000);
      return { near: watched(near), far: watched(accepted.at(-1)!) };
    },
  };
}

function watched(connection: Connection): End {
  const got: number[] = [];
  let isClosed = false;
  connection.handle({
    message: (bytes) => got.push(bytes[0]!),
    closed: () => (isClosed = true),
  });
  return { connection, got, closed: () => isClosed };
}

const message = (number: number, length = 1): Uint8Array => new Uint8Array(length).fill(number);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('messages of one connection arrive in order, each after its time', async () => {
  const { clock, connect } = world();
  const { near, far } = await connect();

  for (const number of numbers(20)) near.connection.send(message(number));
  await clock.advance(4);
  assert.equal(far.got, []);
  await clock.advance(30);

  assert.equal(far.got, numbers(20));
});

test('messages of different connections overtake each other', async () => {
  const { clock, connect } = world();
  const first = await connect();
  const second = await connect();
  const order: number[] = [];
  for (let round = 0; round < 20; round++) {
    first.far.got.length = second.far.got.length = 0;
    first.near.connection.send(message(1));
    second.near.connection.send(message(2));
    await clock.runUntil(() => first.far.got.length + second.far.got.length > 0, 100);
    order.push(first.far.got[0] ?? 2);
    await clock.advance(50);
  }

  assert.equal(new Set(order).size, 2);
});

test('a cut line is silent in its direction only, and what was sent meanwhile arrives when it is whole again', async () => {
  const { clock, network, connect } = world();
  const { near, far } = await connect();

  network.block('a', 'b');
  near.connection.send(message(1));
  far.connection.send(message(2));
  await clock.advance(60_000);

  assert.equal(far.got, []);
  assert.equal(near.got, [2]);
  assert.not.ok(near.closed() || far.closed());

  network.heal();
  await clock.advance(50);
  assert.equal(far.got, [1]);
});

test('a reset lets the front of what is under way arrive, then tells both ends', async () => {
  const fronts = new Set<number>();
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, network, connect } = world(seed);
    const { near, far } = await connect();
    for (const number of numbers(6)) near.connection.send(message(number));
    network.reset('a', 'b');
    await clock.advance(100);

    assert.ok(near.closed() && far.closed());
    assert.equal(far.got, numbers(far.got.length));
    fronts.add(far.got.length);
  }
  assert.ok(fronts.size > 3, `only fronts of ${[...fronts].join(', ')} messages arrived`);
});

test('the other end of a half-open connection thinks that it is alive until it sends', async () => {
  const { clock, network, connect } = world();
  const { near, far } = await connect();

  network.halfOpen('a', 'b');
  await clock.advance(60_000);
  assert.ok(near.closed());
  assert.not.ok(far.closed());

  far.connection.send(message(1));
  await clock.advance(100);
  assert.ok(far.closed());
  assert.equal(near.got, []);
});

test('a host without power says nothing; who sends to it after it is back learns that nobody is there', async () => {
  const { clock, network, connect } = world();
  const { near, far } = await connect();

  network.host('b').losePower();
  near.connection.send(message(1));
  await clock.advance(60_000);
  assert.not.ok(near.closed());

  network.host('b').restorePower();
  await clock.advance(100);
  assert.ok(near.closed());
  assert.equal(far.got, []);
});

test('a dial over a cut line waits until the line is whole, or until it is given up', async () => {
  const { clock, network } = world();
  network.block('b', 'a');
  const attempt = new AbortController();
  const givenUp = network.host('a').dial('sim://b:1', attempt);
  const dial = network.host('a').dial('sim://b:1', new AbortController());
  const refusal = givenUp.catch((error: unknown) => (error as { code: string }).code);
  await clock.advance(60_000);

  attempt.abort();
  assert.is(await clock.waitFor(refusal, 0), 'CONNECT_FAILED');
  network.heal();
  assert.ok((await clock.waitFor(dial, 1000)).isOpen);
});

test('a dial to an address at which nobody listens is refused', async () => {
  const { clock, network } = world();
  const dial = network.host('a').dial('sim://b:2', new AbortController());

  const code = await clock.waitFor(
    dial.catch((error: unknown) => (error as { code: string }).code),
    1000,
  );

  assert.is(code, 'CONNECT_FAILED');
});

test('a narrow line takes its time, and the sender sees what waits until it has drained', async () => {
  const { clock, network, connect } = world();
  const { near, far } = await connect();
  network.setLineQuality('a', 'b', { latencyMs: 1, jitterMs: 0, bytesPerMs: 100 });

  for (const number of numbers(10)) near.connection.send(message(number, 20_000));
  assert.ok(near.connection.bufferedBytes > 100_000);
  await clock.advance(1000);

  assert.equal(far.got, numbers(5).slice(0, 4));
  await clock.advance(1100);
  assert.equal(far.got, numbers(10));
  assert.is(near.connection.bufferedBytes, 0);
});

test('an end that does not read holds back what comes, in order, and the news of the end too', async () => {
  const { clock, connect } = world();
  const { near, far } = await connect();

  far.connection.pause();
  near.connection.send(message(1));
  near.connection.send(message(2));
  near.connection.close();
  await clock.advance(1000);
  assert.equal(far.got, []);
  assert.not.ok(far.closed());

  far.connection.resume();
  await clock.advance(100);
  assert.equal(far.got, [1, 2]);
  assert.ok(far.closed());
});

test('nothing is left of connections that are over', async () => {
  const { clock, network, connect } = world();
  for (let round = 0; round < 5; round++) {
    const { near, far } = await connect();
    if (round % 2 === 0) near.connection.close();
    else far.connection.terminate();
    near.connection.send(message(1));
    await clock.advance(200);
  }

  assert.is(network.connections, 0);
  assert.is(clock.pendingTimers, 0);
});

test.run();
