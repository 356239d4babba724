import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leastLoaded, Service, Services, type ServiceUnavailableError } from '../../framework/index.js';
import { hostAddress } from '../../framework/runtime/host-address.js';
import { onFleet, SESSION_TIMEOUT_MS, type Fleet } from './fleet.js';

@Service({ name: 'billing', port: (service: Billing) => service.boundPort, payload: { region: 'eu' } })
class Billing {
  boundPort = 0;

  async start(): Promise<void> {
    this.boundPort = 8080;
  }
}

test(
  'a service is registered once it has started, with what its instance then knows',
  onFleet(async (fleet) => {
    await fleet.run({ declare: [Billing] });
    const { application } = await fleet.run({ declare: [] });
    const found = await fleet.wait(application.get(Services).find<{ region: string }>('billing'));
    assert.is(found.length, 1);
    const [{ name, address, port, payload }] = found as [(typeof found)[number]];
    assert.equal([name, address, port, payload], ['billing', hostAddress(), 8080, { region: 'eu' }]);
  }),
);

test(
  'it is found no more when its process has stopped, or when its session is over',
  onFleet(async (fleet) => {
    const [one, other] = [await fleet.run({ declare: [Billing] }), await fleet.run({ declare: [Billing] })];
    const services = (await fleet.run({ declare: [] })).application.get(Services);
    const count = async (): Promise<number> => (await fleet.wait(services.find('billing'))).length;
    assert.is(await count(), 2);

    await fleet.wait(one.application.stop());
    await fleet.settle();
    assert.is(await count(), 1);
    other.cut();
    await fleet.time.advance(2 * SESSION_TIMEOUT_MS);
    assert.is(await count(), 0);
    other.heal();
    await fleet.time.advance(SESSION_TIMEOUT_MS);
    assert.is(await count(), 1);
  }),
);

test(
  'pick takes each instance in turn, and says so when there is none',
  onFleet(async (fleet) => {
    for (let count = 0; count < 3; count++) await fleet.run({ declare: [Billing] });
    const services = (await fleet.run({ declare: [] })).application.get(Services);
    const picked: string[] = [];
    for (let count = 0; count < 6; count++) picked.push((await fleet.wait(services.pick('billing'))).id);
    assert.is(new Set(picked.slice(0, 3)).size, 3);
    assert.equal(picked.slice(3), picked.slice(0, 3));

    const error = await fleet.wait(
      services.pick('shipping').catch((reason: ServiceUnavailableError) => reason),
    );
    assert.is((error as ServiceUnavailableError).code, 'SERVICE_UNAVAILABLE');
  }),
);

test(
  'what was found is remembered while the servers are out of reach',
  onFleet(async (fleet) => {
    await fleet.run({ declare: [Billing] });
    const looking = await fleet.run({ declare: [] });
    const services = looking.application.get(Services);
    await fleet.wait(services.find('billing'));
    looking.cut();
    await fleet.time.advance(3 * SESSION_TIMEOUT_MS);
    assert.is((await fleet.wait(services.find('billing'))).length, 1);
  }),
);

test(
  'watch gives the instances now and after every change, until its signal aborts',
  onFleet(async (fleet) => {
    const services = (await fleet.run({ declare: [] })).application.get(Services);
    const counts: number[] = [];
    const controller = new AbortController();
    const watching = (async () => {
      for await (const instances of services.watch('billing', { signal: controller.signal }))
        counts.push(instances.length);
    })();
    await fleet.until(() => counts.length === 1);
    const first = await fleet.run({ declare: [Billing] });
    await fleet.until(() => counts.at(-1) === 1);
    await fleet.run({ declare: [Billing] });
    await fleet.until(() => counts.at(-1) === 2);
    await fleet.wait(first.application.stop());
    await fleet.until(() => counts.at(-1) === 1);
    controller.abort();
    await fleet.wait(watching);
    assert.equal(counts, [0, 1, 2, 1]);
  }),
);

test('the address of a machine is an external one, IPv4 first', () => {
  const info = (address: string, family: 'IPv4' | 'IPv6', internal = false) =>
    ({ address, family, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }) as never;
  const loopback = info('127.0.0.1', 'IPv4', true);
  assert.is(hostAddress({ lo: [loopback] }), '127.0.0.1');
  assert.is(hostAddress({ lo: [loopback], eth0: [info('fe80::1', 'IPv6')] }), '127.0.0.1');
  assert.is(hostAddress({ eth0: [info('fe80::1', 'IPv6'), info('2001:db8::1', 'IPv6')] }), '2001:db8::1');
  assert.is(hostAddress({ eth0: [info('2001:db8::1', 'IPv6'), info('10.0.0.7', 'IPv4')] }), '10.0.0.7');
});

test(
  'a service that says it is not healthy is not found until it is again, under the same id',
  onFleet(async (fleet) => {
    let answer: () => unknown = () => true;
    @Service({ name: 'moody', port: 1, health: { every: '1s', timeout: '500ms', failures: 2 } })
    class Moody {
      healthy(): unknown {
        return answer();
      }
    }
    const machine = await fleet.run({ declare: [Moody] });
    const services = (await fleet.run({ declare: [] })).application.get(Services);
    const ids = async (): Promise<string[]> => (await fleet.wait(services.find('moody'))).map(({ id }) => id);
    const before = await ids();
    assert.is(before.length, 1);
    let wake = (): void => undefined;
    for (const illness of [
      () => false,
      () => Promise.reject(new Error('no database')),
      () => new Promise<void>((resolve) => (wake = resolve)),
    ]) {
      answer = illness;
      await fleet.time.advance(900);
      assert.is((await ids()).length, 1, 'once is not enough');
      await fleet.time.advance(3000);
      assert.equal(await ids(), []);
      answer = () => undefined;
      wake();
      await fleet.time.advance(2000);
      assert.equal(await ids(), before);
    }
    assert.equal(
      machine.story.filter((step) => /healthy/.test(step)),
      Array.from({ length: 3 }, () => ['service-unhealthy', 'service-healthy']).flat(),
    );
  }),
);

test(
  'zone and weight stand in the payload, and a payload that has no room for them is refused',
  onFleet(async (fleet) => {
    @Service({ name: 'near', port: 1, zone: 'eu-1', weight: 2, payload: { note: 'x' } })
    class Near {}
    @Service({ name: 'wrong', port: 1, zone: 'eu-1', payload: 'text' })
    class Wrong {}
    const { application } = await fleet.run({ declare: [Near] });
    const [found] = await fleet.wait(application.get(Services).find('near'));
    assert.equal(found?.payload, { note: 'x', zone: 'eu-1', weight: 2 });
    const refused = await fleet.wait(
      fleet
        .machine()
        .start({ declare: [Wrong] })
        .catch((error: { code: string }) => error.code),
    );
    assert.is(refused, 'SERVICE_PAYLOAD_INVALID');
  }),
);

/** What a scripted network does with a call, by the port that is called. */
type Script = Readonly<Record<number, (url: string, init: RequestInit) => Promise<Response>>>;

const refusedConnection = (): Promise<Response> =>
  Promise.reject(
    new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) }),
  );
const brokenConnection = (): Promise<Response> =>
  Promise.reject(
    new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNRESET' }) }),
  );
const answered = (text: string) => (): Promise<Response> => Promise.resolve(new Response(text));
const silent = (_url: string, { signal }: RequestInit): Promise<Response> =>
  new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));

/** Instances of `orders` on ports 1, 2, …, and services that call them by a script. */
async function scripted(fleet: Fleet, script: Script): Promise<{ services: Services; called: number[] }> {
  for (const port of Object.keys(script).map(Number)) {
    @Service({ name: 'orders', port, address: 'localhost' })
    class Orders {}
    await fleet.run({ declare: [Orders] });
  }
  const called: number[] = [];
  const services = new Services(await fleet.client(), {
    fetch: (url, init) => {
      const port = Number(new URL(url).port === '' ? 80 : new URL(url).port);
      called.push(port);
      return script[port]!(url, init);
    },
  });
  return { services, called };
}

test(
  'fetch asks another instance when one cannot be reached, and leaves that one for the last for a while',
  onFleet(async (fleet) => {
    const { services, called } = await scripted(fleet, {
      1: refusedConnection,
      2: answered('two'),
      3: answered('three'),
    });
    const post = { method: 'POST', body: 'x' };
    const texts: string[] = [];
    for (let call = 0; call < 4; call++)
      texts.push(await (await fleet.wait(services.fetch('orders', '/pay', post))).text());
    assert.equal(texts.toSorted(), ['three', 'three', 'two', 'two']);
    assert.is(called.filter((port) => port === 1).length, 1);
    await fleet.wait(services[Symbol.asyncDispose]());
  }),
);

test(
  'a connection that broke in the middle is tried again only if that does no harm',
  onFleet(async (fleet) => {
    const { services, called } = await scripted(fleet, { 1: brokenConnection, 2: brokenConnection });
    const outcome = (init: RequestInit): Promise<string> =>
      fleet.wait(
        services.fetch('orders', 'list', { method: init.method ?? 'GET' }).then(
          () => 'answered',
          (error: { code: string }) => error.code,
        ),
      );
    assert.is(await outcome({ method: 'POST' }), 'SERVICE_CALL_FAILED');
    assert.is(called.length, 1);
    assert.is(await outcome({ method: 'GET' }), 'SERVICE_CALL_FAILED');
    assert.equal(new Set(called.slice(1)), new Set([1, 2]));
    await fleet.wait(services[Symbol.asyncDispose]());
  }),
);

test(
  'a call ends at its deadline, or when its caller gives up, and says whom it asked',
  onFleet(async (fleet) => {
    const { services } = await scripted(fleet, { 1: silent });
    const late = await fleet.wait(
      services.fetch('orders', '/', { deadlineMs: 700 }).catch((error: Error & { code?: string }) => error),
    );
    assert.is((late as { code?: string }).code, 'SERVICE_DEADLINE');
    const stop = new AbortController();
    const given = services.fetch('orders', '/', { signal: stop.signal });
    stop.abort(new Error('enough'));
    assert.is(await fleet.wait(given.catch((error: Error) => error.message)), 'enough');
    const none = await fleet.wait(
      services.fetch('nobody', '/').catch((error: { code: string }) => error.code),
    );
    assert.is(none, 'SERVICE_UNAVAILABLE');
    await fleet.wait(services[Symbol.asyncDispose]());
  }),
);

test(
  'the deadline of a call covers the search for instances, and so does the signal of its caller',
  onFleet(async (fleet) => {
    const looking = await fleet.run({ declare: [] });
    const services = looking.application.get(Services);
    looking.cut();
    const begunAt = fleet.clock.now();
    const calling = services.fetch('orders', '/', { deadlineMs: 700 });

    const late = await fleet.wait(calling.catch((error: Error & { code?: string }) => error));

    assert.is((late as { code?: string }).code, 'SERVICE_DEADLINE');
    assert.match((late as Error).message, /within 700 ms; no instance was reached/);
    assert.is(fleet.clock.now() - begunAt, 700);
    const stop = new AbortController();
    const given = services.fetch('orders', '/', { signal: stop.signal });
    stop.abort(new Error('enough'));
    assert.is(await fleet.wait(given.catch((error: Error) => error.message)), 'enough');
  }),
);

test(
  'an instance outside of what is allowed, or without an address, is left out everywhere',
  onFleet(async (fleet) => {
    for (const [port, address] of [
      [1, '10.0.0.1'],
      [2, '192.168.0.1'],
      [3, 'user@10.0.0.1'],
    ] as const) {
      @Service({ name: 'orders', port, address })
      class Orders {}
      await fleet.run({ declare: [Orders] });
    }
    const { application } = await fleet.run({ declare: [], services: { allow: ['10.0.0.0/8'] } });
    const services = application.get(Services);
    const portsOf = (found: readonly { readonly port: number | null }[]): unknown =>
      found.map(({ port }) => port);
    assert.equal(portsOf(await fleet.wait(services.find('orders'))), [1]);
    for await (const found of services.watch('orders')) {
      assert.equal(portsOf(found), [1]);
      break;
    }
    const all = (await fleet.run({ declare: [] })).application.get(Services);
    assert.is((await fleet.wait(all.find('orders'))).length, 3);
    const error = await fleet.wait(
      all.fetch('orders', '/', { strategy: (found) => found[2]! }).catch((reason: unknown) => reason),
    );
    assert.is((error as { code?: string }).code, 'SERVICE_NOT_CALLABLE');
  }),
);

test(
  'use counts who is busy, for the least loaded',
  onFleet(async (fleet) => {
    const { services } = await scripted(fleet, { 1: answered(''), 2: answered('') });
    const strategy = leastLoaded();
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    const ports: (number | null)[] = [];
    const busy = services.use('orders', async ({ port }) => {
      ports.push(port);
      await left;
    });
    await fleet.until(() => ports.length === 1);
    for (let call = 0; call < 4; call++)
      await fleet.wait(services.use('orders', ({ port }) => void ports.push(port), { strategy }));
    assert.is(new Set(ports.slice(1)).size, 1);
    assert.is.not(ports[1], ports[0]);
    leave();
    await fleet.wait(busy);
    await fleet.wait(services[Symbol.asyncDispose]());
  }),
);

test.run();
