import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as assert from 'uvu/assert';
import { Client, Config, ConfigStore } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

const schema = {
  type: 'object',
  properties: { currency: { enum: ['EUR', 'USD'] }, dailyLimit: { type: 'number', minimum: 0 } },
  additionalProperties: false,
};

@Config({ name: 'billing', schema })
class Billing {
  currency = 'EUR';
  dailyLimit = 1000;
}

export const configuration: Behaviours = {
  'a value that is written reaches every application that runs': async (place) => {
    const apps = await Promise.all([1, 2].map(() => place.participant().run({ declare: [Billing] })));
    assert.is(apps[0]!.get(Billing).dailyLimit, 1000);
    for (const dailyLimit of [250, 300, 350]) {
      await apps[0]!.get(ConfigStore).write('billing', { dailyLimit });
      await place.until(() => apps.every((app) => app.get(Billing).dailyLimit === dailyLimit));
    }
  },

  'a value that does not fit is refused when it is written, and when it is read': async (place) => {
    const participant = place.participant();
    const app = await participant.run({ declare: [Billing] });
    const store = app.get(ConfigStore);
    await store.write('billing', { currency: 'USD' });
    await place.until(() => app.get(Billing).currency === 'USD');

    const refusal = await store.write('billing', { currency: 'DM' }).catch((error: unknown) => error);
    assert.is((refusal as { code?: unknown }).code, 'CONFIG_REFUSED');
    await app.get(Client).setData('/config/billing', '{"currency":"DM"}');
    await place.until(() => participant.eventsOf('config-refused').length === 1);
    assert.is(app.get(Billing).currency, 'USD');
    await app.get(Client).setData('/config/billing', '{"currency":"EUR"}');
    await place.until(() => app.get(Billing).currency === 'EUR');
  },

  'two writers of one version do not overwrite each other, and the history tells both values': async (
    place,
  ) => {
    const apps = await Promise.all([1, 2].map(() => place.participant().run({ declare: [Billing] })));
    const [store, other] = apps.map((app) => app.get(ConfigStore)) as [ConfigStore, ConfigStore];
    const { version } = await store.write('billing', { dailyLimit: 1 });
    await other.write('billing', { dailyLimit: 2 }, { version });
    const late = await store
      .write('billing', { dailyLimit: 3 }, { version })
      .catch((error: unknown) => error);
    assert.is((late as { code?: unknown }).code, 'BAD_VERSION');
    assert.is((await store.history('billing')).length, 2);
  },

  'what was written while an application was cut off arrives when it is back': async (place) => {
    const cut = place.participant();
    const app = await cut.run({ declare: [Billing] });
    const writer = await place.participant().run({ declare: [Billing] });
    cut.cutOff();
    await writer.get(ConfigStore).write('billing', { dailyLimit: 7 });
    assert.is(app.get(Billing).dailyLimit, 1000);
    cut.rejoin();
    await place.until(() => app.get(Billing).dailyLimit === 7);
  },

  'what refers to another configuration changes with it': async (place) => {
    @Config({ name: 'limits' })
    class Limits {
      daily = 0;
    }
    const app = await place.participant().run({ declare: [Billing, Limits] });
    const store = app.get(ConfigStore);
    await store.write('limits', { daily: 5 });
    await store.write('billing', { dailyLimit: { $config: 'limits/daily' } });
    await place.until(() => app.get(Billing).dailyLimit === 5);
    await store.write('limits', { daily: 6 });
    await place.until(() => app.get(Limits).daily === 6);
    assert.is(app.get(Billing).dailyLimit, 6);
    const refusal = await store.write('limits', { daily: -1 }).catch((error: unknown) => error);
    assert.is((refusal as { code?: unknown }).code, 'CONFIG_REFUSED');
  },

  'an earlier value is written again, and everybody sees who uses which version': async (place) => {
    const apps = await Promise.all([1, 2].map(() => place.participant().run({ declare: [Billing] })));
    const store = apps[0]!.get(ConfigStore);
    await store.write('billing', { dailyLimit: 1 });
    await store.write('billing', { dailyLimit: 2 });
    assert.equal(await store.diff('billing'), [{ path: '/dailyLimit', before: 1, after: 2 }]);
    const { version } = await store.rollback('billing');
    await place.until(() => apps.every((app) => app.get(Billing).dailyLimit === 1));
    await place.until(async () => {
      const applied = await store.applied('billing');
      return applied.length === 2 && applied.every((one) => one.version === version);
    });
  },

  'the environment is above what all share, and that above the file': async (place) => {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-engines-'));
    try {
      const file = join(directory, 'billing.json');
      await writeFile(file, '{"currency":"USD","dailyLimit":1}');
      @Config({ name: 'billing', schema, file, env: { dailyLimit: 'LIMIT' } })
      class Layered {
        currency = 'EUR';
        dailyLimit = 1000;
      }
      const app = await place.participant().run({ declare: [Layered], environment: { LIMIT: '7' } });
      const config = app.get(Layered);
      assert.equal(Object.fromEntries(Object.entries(config)), { currency: 'USD', dailyLimit: 7 });
      await app.get(ConfigStore).write('billing', { currency: 'EUR', dailyLimit: 50 });
      await place.until(() => config.currency === 'EUR');
      assert.is(config.dailyLimit, 7);
    } finally {
      await rm(directory, { recursive: true });
    }
  },

  'an application that finds no server starts with what it knew last, and takes up the rest later': async (
    place,
  ) => {
    const lastKnownGood = await mkdtemp(join(tmpdir(), 'quorate-engines-'));
    try {
      const machine = place.participant();
      const writer = (await place.participant().run({ declare: [Billing] })).get(ConfigStore);
      await writer.write('billing', { dailyLimit: 7 });
      const before = await machine.run({ declare: [Billing], lastKnownGood });
      await before.stop();
      machine.cutOff();
      const app = await machine.run({ declare: [Billing], lastKnownGood, connectTimeoutMs: 100 });
      assert.is(app.get(Billing).dailyLimit, 7);
      await writer.write('billing', { dailyLimit: 8 });
      machine.rejoin();
      await place.until(() => app.get(Billing).dailyLimit === 8);
    } finally {
      // The application writes there whenever a configuration is loaded.
      await place.end();
      await rm(lastKnownGood, { recursive: true });
    }
  },

  'a secret reaches the application, and nothing that is told of the configuration': async (place) => {
    @Config({
      name: 'mail',
      schema: {
        type: 'object',
        properties: { host: { type: 'string' }, password: { type: 'string', secret: true } },
      },
    })
    class Mail {
      host = '';
      password = '';
    }
    const machine = place.participant();
    const app = await machine.run({ declare: [Mail] });
    await app.get(ConfigStore).write('mail', { host: 'a', password: 'open sesame' });
    await place.until(() => app.get(Mail).password === 'open sesame');
    await app.get(Client).setData('/config/mail', '{"host":5,"password":"open sesame"}');
    await place.until(() => machine.eventsOf('config-refused').length === 1);
    assert.not.match(inspect(machine.events, { depth: null }), 'sesame');
  },
};
