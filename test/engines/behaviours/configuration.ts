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
};
