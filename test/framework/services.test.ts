import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Service, Services, type ServiceUnavailableError } from '../../framework/index.js';
import { hostAddress } from '../../framework/runtime/host-address.js';
import { onFleet, SESSION_TIMEOUT_MS } from './fleet.js';

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

test.run();
