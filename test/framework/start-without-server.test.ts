import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Config, ConfigStore, inject, LeaderOnly, Service } from '../../framework/index.js';
import { Fleet } from './fleet.js';

@Config({ name: 'billing', schema: { type: 'object', properties: { currency: { type: 'string' } } } })
class BillingConfig {
  currency = 'EUR';
}

@Service({ name: 'billing', port: 80 })
class Billing {
  constructor(@inject(BillingConfig) readonly config: BillingConfig) {}
}

@LeaderOnly({ name: 'job', every: '10s' })
class Job {
  run(): void {}
}

@Config({
  name: 'mail',
  schema: { properties: { password: { type: 'string', secret: true } } },
  env: { password: 'MAIL_PASSWORD' },
})
class MailConfig {
  host = 'localhost';
  password = '';
}

/** In real time, since files are read and written, with a directory of its own. */
function withDirectory(body: (fleet: Fleet, directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-start-'));
    const fleet = await Fleet.startInRealTime();
    await body(fleet, directory);
    await fleet.end();
    rmSync(directory, { recursive: true });
  };
}

test(
  'starts with the configuration it knew last, and takes up everything when a server is there',
  withDirectory(async (fleet, directory) => {
    const store = new ConfigStore(await fleet.client());
    await store.write('billing', { currency: 'USD' });
    const options = {
      declare: [BillingConfig, Billing, Job],
      lastKnownGood: directory,
      connectTimeoutMs: 50,
    };
    const before = await fleet.run({ ...options, connectTimeoutMs: 5000 });
    await before.application.stop();

    const machine = fleet.machine();
    machine.cut();
    await fleet.run(options, machine);
    const { config } = machine.application.get(Billing);
    assert.is(machine.application.state, 'running');
    assert.is(config.currency, 'USD');
    assert.is(machine.eventsOf('config-loaded')[0]?.source, 'disk');
    assert.not(machine.story.includes('service-registered'));

    await store.write('billing', { currency: 'GBP' });
    machine.heal();
    const awaited = ['service-registered', 'leader-acquired', 'config-reloaded'];
    await fleet.until(() => awaited.every((type) => machine.story.includes(type)));
    assert.is(config.currency, 'GBP');
  }),
);

test(
  'a configuration that was never loaded here fails the start',
  withDirectory(async (fleet, directory) => {
    const machine = fleet.machine();
    machine.cut();
    const error = await machine
      .start({ declare: [BillingConfig], lastKnownGood: directory, connectTimeoutMs: 50 })
      .catch((reason: Error) => reason);
    assert.match((error as Error).message, /^configuration 'billing' could not be loaded: no server answers/);
    assert.is(machine.story.at(-1), 'state failed');
  }),
);

test(
  'a value that is refused at the start gives way to the one on disk',
  withDirectory(async (fleet, directory) => {
    const client = await fleet.client();
    await client.create('/config/billing', '{"currency":5}', { createParents: true });
    writeFileSync(join(directory, 'billing.json'), '{"value":{"currency":"USD"}}');

    const machine = await fleet.run({ declare: [BillingConfig], lastKnownGood: directory });

    assert.is(machine.application.get(BillingConfig).currency, 'USD');
    assert.is(machine.eventsOf('config-loaded')[0]?.source, 'disk');
    assert.equal(machine.eventsOf('config-refused')[0]?.violations, ['/currency must be string']);
  }),
);

test(
  'a configuration that was kept without its secret starts only where the environment sets that',
  withDirectory(async (fleet, directory) => {
    const client = await fleet.client();
    await client.create('/config/mail', '{"password":"hunter2","host":"a"}', { createParents: true });
    const before = await fleet.run({ declare: [MailConfig], lastKnownGood: directory });
    assert.is(before.application.get(MailConfig).password, 'hunter2');
    await before.application.stop();

    const options = { declare: [MailConfig], lastKnownGood: directory, connectTimeoutMs: 50 };
    const without = fleet.machine();
    without.cut();
    const error = await without.start(options).catch((reason: unknown) => reason);
    assert.is((error as { code?: string }).code, 'CONFIG_UNKNOWN');
    const line = without.log.find(({ message }) => message.includes('kept without its secrets'));
    assert.equal(line?.fields['secrets'], ['password']);

    const machine = fleet.machine();
    machine.cut();
    await fleet.run({ ...options, environment: { MAIL_PASSWORD: 'from here' } }, machine);
    const { password, host } = machine.application.get(MailConfig);
    assert.equal([password, host], ['from here', 'a']);
  }),
);

test(
  'a value on disk that does not fit any more is not used',
  withDirectory(async (fleet, directory) => {
    writeFileSync(join(directory, 'billing.json'), '{"value":{"currency":5}}');
    const machine = fleet.machine();
    machine.cut();
    const error = await machine
      .start({ declare: [BillingConfig], lastKnownGood: directory, connectTimeoutMs: 50 })
      .catch((reason: Error) => reason);
    assert.is((error as { code?: string }).code, 'CONFIG_UNKNOWN');
    assert.ok(machine.log.some(({ message }) => message.includes('does not fit any more')));
  }),
);

test.run();
