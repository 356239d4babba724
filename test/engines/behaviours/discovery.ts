import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import {
  leastLoaded,
  nearestZone,
  Service,
  ServiceRegistry,
  Services,
  sticky,
  weighted,
  type PickOptions,
} from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';
import { LASTING_SESSION_MS } from '../engine.js';

@Service({ name: 'billing', address: '127.0.0.1', port: 8080, payload: { region: 'eu' } })
class Billing {}

export const discovery: Behaviours = {
  'a service is found by its name while its application runs, and gone at once when that stops': async (
    place,
  ) => {
    const lasting = { sessionTimeoutMs: LASTING_SESSION_MS };
    const billing = await place.participant().run({ declare: [Billing], ...lasting });
    const shop = await place.participant().run({ declare: [] });
    const services = shop.get(Services);
    await place.until(async () => (await services.find('billing')).length === 1);
    const { address, port, payload } = await services.pick<{ region: string }>('billing');
    assert.equal({ address, port, payload }, { address: '127.0.0.1', port: 8080, payload: { region: 'eu' } });

    const stoppedAt = performance.now();
    await billing.stop();
    await place.until(async () => (await services.find('billing')).length === 0);
    assert.ok(performance.now() - stoppedAt < billing.client.session.timeoutMs, 'its session had to expire');
  },

  'instances of several machines are all found, by recipes and by applications': async (place) => {
    await Promise.all([1, 2, 3].map(() => place.participant().run({ declare: [Billing] })));
    const registry = new ServiceRegistry(await place.client());
    await place.until(async () => (await registry.instances('billing')).length === 3);
    assert.equal(await registry.names(), ['billing']);
    await using directory = registry.directory('billing');
    await directory.ready();
    assert.is(new Set(directory.instances().map(({ id }) => id)).size, 3);
    await registry.close();
  },

  'a machine that is cut off is no longer found after its session, and is found again once it is back':
    async (place) => {
      const cut = place.participant();
      const billing = await cut.run({ declare: [Billing] });
      const shop = await place.participant().run({ declare: [] });
      const counts: number[] = [];
      const following = (async () => {
        for await (const instances of shop.get(Services).watch('billing')) counts.push(instances.length);
      })();
      await place.until(() => counts.at(-1) === 1);
      cut.cutOff();
      await place.until(() => counts.at(-1) === 0);
      cut.rejoin();
      await place.until(() => counts.at(-1) === 1);
      assert.is(billing.client.session.epoch, 2);
      await shop.stop();
      await following;
    },

  'a service is called by its name, and another instance when one does not answer': async (place) => {
    const server = createServer((_request, response) => response.end('paid'));
    const gone = createServer();
    const [port, closed] = [await portOf(server), await portOf(gone)];
    await new Promise((resolve) => gone.close(resolve));
    try {
      for (const own of [closed, port]) {
        @Service({ name: 'till', address: '127.0.0.1', port: own })
        class Till {}
        await place.participant().run({ declare: [Till] });
      }
      const services = (await place.participant().run({ declare: [] })).get(Services);
      for (let call = 0; call < 4; call++)
        assert.is(await (await services.fetch('till', '/pay', { method: 'POST' })).text(), 'paid');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },

  'an instance that is not well is not found until it is': async (place) => {
    let isWell = true;
    @Service({ name: 'moody', port: 1, health: { every: '20ms', failures: 2 } })
    class Moody {
      healthy(): boolean {
        return isWell;
      }
    }
    const services = (await place.participant().run({ declare: [Moody] })).get(Services);
    assert.is((await services.find('moody')).length, 1);
    isWell = false;
    await place.until(async () => (await services.find('moody')).length === 0);
    isWell = true;
    await place.until(async () => (await services.find('moody')).length === 1);
  },

  'calls are divided by the strategy that the caller chooses': async (place) => {
    for (const [zone, weight] of [
      ['east', 3],
      ['west', 0],
    ] as const) {
      @Service({ name: 'zoned', address: '127.0.0.1', port: 80, payload: { zone, weight } })
      class Zoned {}
      await place.participant().run({ declare: [Zoned] });
    }
    const services = (await place.participant().run({ declare: [] })).get(Services);
    await place.until(async () => (await services.find('zoned')).length === 2);
    const zones = async (options: PickOptions<Zone>): Promise<string> => {
      const picked: string[] = [];
      // So many that a strategy that goes by chance leaves one of the two out once in 2⁶³ runs.
      for (let call = 0; call < 64; call++)
        picked.push((await services.pick<Zone>('zoned', options)).payload!.zone);
      return [...new Set(picked)].toSorted().join();
    };
    assert.is(await zones({}), 'east,west');
    assert.is(await zones({ strategy: leastLoaded() }), 'east,west');
    assert.is(await zones({ strategy: weighted() }), 'east');
    assert.is(await zones({ strategy: nearestZone('west') }), 'west');
    const customer = await zones({ strategy: sticky(), key: 'customer-7' });
    assert.is(await zones({ strategy: sticky(), key: 'customer-7' }), customer);
    assert.not.match(customer, ',');
  },

  'what was found is known through an outage': async (place) => {
    await place.participant().run({ declare: [Billing] });
    const cut = place.participant();
    const app = await cut.run({ declare: [] });
    const services = app.get(Services);
    await place.until(async () => (await services.find('billing')).length === 1);
    cut.cutOff();
    await place.until(() => app.client.state !== 'connected');
    assert.is((await services.pick('billing')).port, 8080);
    cut.rejoin();
  },
};

interface Zone {
  readonly zone: string;
  readonly weight: number;
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
