import * as assert from 'uvu/assert';
import { Barrier, Counter, DoubleBarrier, KeptNode, SharedValue } from '../../../core/recipes/index.js';
import type { Behaviours } from '../behaviour.js';

const ADDITIONS = 10;

export const shared: Behaviours = {
  'a counter loses no change of anybody': async (place) => {
    const clients = await Promise.all([1, 2, 3].map(() => place.client()));
    const counters = clients.map((client) => new Counter(client, 'visits'));
    await Promise.all(
      counters.flatMap((counter) => Array.from({ length: ADDITIONS }, () => counter.add(2n))),
    );
    await clients[0]!.sync('/');
    assert.is(await counters[0]!.get(), BigInt(2 * 3 * ADDITIONS));
    assert.is(await counters[1]!.compareAndSet(-1n, 0n), false);
  },

  'a shared value is seen by all, and is not set over a change that was not seen': async (place) => {
    const codec = {
      encode: (value: string) => new TextEncoder().encode(value),
      decode: (bytes: Uint8Array | null) => new TextDecoder().decode(bytes ?? undefined),
    };
    const [one, other] = await Promise.all(
      [1, 2].map(async () => new SharedValue(await place.client(), 'sign', { codec, seed: 'none' })),
    );
    const seen: string[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const { value } of other!.values({ signal: stop.signal })) seen.push(value);
    })().catch(() => undefined);
    await place.until(() => seen.at(-1) === 'none');
    const first = await one!.set('open');
    await place.until(() => seen.at(-1) === 'open');
    await other!.set('closed');
    assert.is(await one!.trySet(first, 'late'), null);
    await place.until(() => seen.at(-1) === 'closed');
    stop.abort();
    await following;
  },

  'who waits at a barrier goes on when it is opened': async (place) => {
    const [keeper, ...others] = await Promise.all([1, 2, 3].map(() => place.client()));
    const gate = new Barrier(keeper!, 'gate');
    await gate.close();
    await Promise.all(others.map((client) => client.sync('/')));
    let passed = 0;
    const waiting = others.map((client) => new Barrier(client, 'gate').passed().then(() => passed++));
    await keeper!.sync('/');
    assert.is(passed, 0);
    await gate.open();
    await Promise.all(waiting);
  },

  'all enter a double barrier together, and leave it together': async (place) => {
    const clients = await Promise.all([1, 2, 3].map(() => place.client()));
    const rooms = clients.map((client) => new DoubleBarrier(client, 'room', { parties: 3 }));
    for (let round = 0; round < 2; round++) {
      let inside = 0;
      const entering = rooms.slice(1).map((room) => room.enter().then(() => inside++));
      await place.until(
        async () =>
          (await clients[0]!.getChildren('/barriers/room').catch(() => ({ children: [] }))).children
            .length === 2,
      );
      assert.is(inside, 0);
      await Promise.all([...entering, rooms[0]!.enter()]);
      await Promise.all(rooms.map((room) => room.leave()));
    }
  },

  'a node that is kept is there again after the session, and after somebody deleted it': async (place) => {
    const cut = place.participant();
    const client = await cut.client();
    const watcher = await place.client();
    const node = new KeptNode(client, { path: '/kept', data: 'x', isSequential: false });
    node.start();
    await node.ready();
    await watcher.sync('/');
    await watcher.delete('/kept');
    await place.until(async () => (await watcher.exists('/kept')) !== null);
    await place.expire(cut, client);
    await place.until(async () => (await watcher.exists('/kept'))?.ephemeralOwner === client.session.id);
    await node.close();
    await watcher.sync('/');
    assert.is(await watcher.exists('/kept'), null);
  },
};
