/** What a client keeps of requests, watches, streams, connections and sessions that have ended, counted in everything that it reaches. */
import { getEventListeners } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../../core/client/index.js';
import { OpCode } from '../../../core/protocol/index.js';
import { type Census, censusOf, differences } from '../census.js';
import { ClientWorld } from './client-world.js';
import { failureOf, swallow } from './request-scenes.js';
import { listen, noting } from './watch-scenes.js';

/** Moments, numbers that only grow, places of queues, and what the world of the test owns. */
const PAST =
  /#(head|places)$|clock|dialer|random|logger|connection|writer|xid|epoch|\.id$|At$|next(Address|Number)|#search|signal/i;

/** Each round takes another place, so that nothing that is kept of the one before is used again. */
interface Round {
  readonly signal: AbortSignal;
  readonly path: string;
}

type Act = (world: ClientWorld, client: Client, round: Round) => Promise<void>;

const ACTS: Readonly<Record<string, Act>> = {
  'requests that were answered, refused and given up': async (world, client, { signal, path }) => {
    await world.get(client.setData(path, 'data', { signal }));
    await world.failure(client.getData(`${path}/missing`, { signal }));
    const held = swallow(world, ({ op }) => op === OpCode.getData);
    const stop = new AbortController();
    const failure = failureOf(client.getData(path, { signal: stop.signal }));
    const repeated = client.getData(path, { signal });
    await world.clock.settle();
    stop.abort();
    world.server.link.cut();
    held.release();
    await world.get(failure);
    await world.get(repeated);
    await world.until(() => client.state === 'connected');
  },
  'requests that waited in a large number and were given up': async (world, client, { path }) => {
    world.server.down();
    await world.until(() => client.state === 'suspended');
    const stop = new AbortController();
    const failures = Array.from({ length: 600 }, () => failureOf(client.sync(path, { signal: stop.signal })));
    stop.abort();
    await world.get(Promise.all(failures));
    world.server.up();
    await world.until(() => client.state === 'connected');
    await world.get(client.sync(path));
  },
  'watches that fired, were taken back, or belonged to a read that failed': async (
    world,
    client,
    { path },
  ) => {
    const watch = noting([]);
    await world.get(client.getData(path, { watch }));
    await world.get(client.getChildren(path, { watch }));
    await world.get(client.exists(`${path}/b`, { watch }));
    await world.failure(client.getData(`${path}/missing`, { watch }));
    for (const type of ['dataChanged', 'childrenChanged'] as const) world.server.link.notify(type, path);
    world.server.link.notify('created', `${path}/b`);
    await world.clock.settle();
    await world.get(client.getData(path, { watch }));
    await world.get(client.exists(`${path}/b`, { watch }));
    await world.get(client.unwatch(path, watch));
    await world.get(client.unwatch(`${path}/b`, watch));
  },
  'streams that were ended by their signal, by their consumer, and while there was no connection': async (
    world,
    client,
    { path },
  ) => {
    const stop = new AbortController();
    const streams = [path, `${path}/b`, '/'].map((at) =>
      listen(client.watch(at, { recursive: at !== path, signal: stop.signal })),
    );
    const broken = client.watch(path);
    await world.clock.settle();
    for (let count = 0; count < 3; count++) world.server.link.notify('dataChanged', `${path}/b`);
    await world.clock.settle();
    await broken[Symbol.asyncIterator]().return!();
    world.server.down();
    await world.until(() => client.state === 'suspended');
    stop.abort();
    await world.get(Promise.all(streams.map(({ done }) => done)));
    world.server.up();
    await world.until(() => client.state === 'connected');
  },
  'identities that were accepted again and refused': async (world, client, { path }) => {
    await world.get(client.addAuth('digest', 'a:b'));
    world.server.respond = ({ op }) => (op === OpCode.auth ? { err: -115 } : undefined);
    await world.failure(client.addAuth('digest', `c:${path}`));
    world.server.respond = () => undefined;
  },
  'a session that was lost with all that it had': async (world, client, { path }) => {
    const watch = noting([]);
    await world.get(client.getData(path, { watch }));
    const held = swallow(world, ({ op }) => op === OpCode.setData);
    const failure = failureOf(client.setData(path, 'lost'));
    await world.clock.settle();
    for (const session of world.world.sessions.keys()) world.world.end(session);
    world.server.link.cut();
    held.release();
    await world.get(failure);
    await world.until(() => client.state === 'connected');
  },
  'listeners of its state that left': async (world, client) => {
    const stop = new AbortController();
    const stopListening = client.onState(() => undefined);
    const states = client.states({ signal: stop.signal })[Symbol.asyncIterator]();
    await world.get(states.next());
    await world.get(client.connected({ signal: stop.signal }));
    stop.abort();
    stopListening();
  },
};

for (const [what, act] of Object.entries(ACTS))
  test(`a client keeps nothing of ${what}`, async () => {
    const world = new ClientWorld();
    world.world.put('/a');
    const client = await world.connected();
    const { signal } = new AbortController();
    const censuses: Census[] = [];
    for (let round = 0; round < 3; round++) {
      const path = `/a${round}`;
      world.world.put(path);
      // A connection that broke soon after it was made would count as one that did not last.
      const from = world.clock.now();
      await world.until(() => world.clock.now() >= from + 1500);
      await act(world, client, { signal, path });
      await world.clock.settle();
      censuses.push(censusOf(client));
      assert.is(getEventListeners(signal, 'abort').length, 0, 'listeners on a signal of the caller');
    }
    assert.equal(differences(censuses[1]!, censuses[2]!, PAST), []);
    await world.close();
  });

test('a client that is closed has no timer, no stream and no request left', async () => {
  const world = new ClientWorld();
  world.world.put('/a');
  const client = await world.connected({ auth: [{ scheme: 'digest', auth: 'a:b' }] });
  for (const act of Object.values(ACTS))
    await act(world, client, { signal: new AbortController().signal, path: '/a' });
  const { done } = listen(client.watch('/a'));
  swallow(world, ({ op }) => op === OpCode.sync);
  const failures = ['/a', '/b'].map((path) => failureOf(client.sync(path)));
  await world.close();
  await world.get(Promise.all([done, ...failures]));
  const fresh = new ClientWorld().client({ auth: [{ scheme: 'digest', auth: 'a:b' }] });
  const closed = fresh.close();
  await closed;
  const ignored = new RegExp(
    `${PAST.source}|address|session|lastError|#closing|password|timeoutMs|loop`,
    'i',
  );
  assert.equal(differences(censusOf(fresh), censusOf(client), ignored), []);
});

test.run();
