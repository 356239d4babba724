import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LiveConfig, onReload } from '../../../framework/config/live-config.js';

class BillingConfig {
  currency = 'EUR';
  limit = 1000;
  note?: string;

  get label(): string {
    return `${this.limit} ${this.currency}`;
  }
}

test('the injected object stays the same and shows the new values', () => {
  const live = new LiveConfig(BillingConfig);
  const config = live.instance as BillingConfig;

  live.swap({ currency: 'USD', limit: 5, note: 'new' });

  assert.is(live.instance, config);
  assert.instance(config, BillingConfig);
  assert.equal(Object.entries(config), [
    ['currency', 'USD'],
    ['limit', 5],
    ['note', 'new'],
  ]);
  assert.is(config.label, '5 USD');
});

test('a field that the new value does not have is gone', () => {
  const live = new LiveConfig(BillingConfig);
  live.swap({ currency: 'USD', limit: 5, note: 'new' });
  live.swap({ currency: 'EUR', limit: 6 });
  assert.is((live.instance as BillingConfig).note, undefined);
});

test('the application cannot assign to a loaded configuration', () => {
  const live = new LiveConfig(BillingConfig);
  live.swap({ currency: 'USD', limit: 5 });
  assert.throws(() => ((live.instance as BillingConfig).limit = 9), TypeError);
});

test('listeners hear of a reload with the fields as they were; one that throws disturbs no other', () => {
  const live = new LiveConfig(BillingConfig);
  const config = live.instance as BillingConfig;
  const heard: string[] = [];
  onReload(config, () => {
    throw new Error('careless');
  });
  const stop = onReload(config, (now, previous) => heard.push(`${previous.limit} → ${now.limit}`));

  live.swap({ currency: 'EUR', limit: 5 });
  const errors = live.announce({ currency: 'EUR', limit: 1000 });
  stop();
  live.announce({ currency: 'EUR', limit: 5 });

  assert.equal(heard, ['1000 → 5']);
  assert.is(errors.length, 1);
});

test('only an injected configuration can be listened to', () => {
  assert.throws(
    () => onReload(new BillingConfig(), () => undefined),
    (error: { code?: string }) => error.code === 'NOT_A_CONFIG',
  );
});

test.run();
