import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemClock } from '../../../core/runtime/index.js';

test('a timer longer than the platform can hold does not fire at once', async () => {
  const clock = new SystemClock();
  let hasFired = false;
  const timer = clock.setTimer(40 * 24 * 3600 * 1000, () => (hasFired = true));
  await new Promise((resolve) => setTimeout(resolve, 5));
  timer.cancel();
  assert.is(hasFired, false);
});

test('a cancelled timer never fires', async () => {
  const clock = new SystemClock();
  let hasFired = false;
  clock.setTimer(1, () => (hasFired = true)).cancel();
  await new Promise<void>((resolve) => clock.setTimer(10, resolve, { hold: true }));
  assert.is(hasFired, false);
});

test.run();
