import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VirtualClock } from '../../core/testing/index.js';
import { ServiceFailures } from '../../framework/service-failures.js';

test('an instance that failed is remembered for a while, counted from its last failure', async () => {
  const clock = new VirtualClock();
  const failures = new ServiceFailures(clock);

  failures.add('orders/1');
  await clock.advance(3000);
  failures.add('orders/1');
  await clock.advance(3000);
  assert.ok(failures.has('orders/1'));
  assert.not.ok(failures.has('orders/2'));
  await clock.advance(2000);

  assert.not.ok(failures.has('orders/1'));
});

test('instances that are gone, and never asked for again, do not pile up', async () => {
  const clock = new VirtualClock();
  const failures = new ServiceFailures(clock);

  for (let count = 0; count < 1000; count++) {
    failures.add(`orders/${count}`);
    await clock.advance(1000);
  }

  assert.ok(failures.size <= 5, String(failures.size));
});

test.run();
