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

test('what is due soon runs in order after the present task, also where there is no setImmediate', async () => {
  const immediate = globalThis.setImmediate;
  Object.assign(globalThis, { setImmediate: undefined });
  try {
    const clock = new SystemClock();
    const ran: string[] = [];
    const done = new Promise<void>((resolve) => {
      clock.soon(() => ran.push('first'));
      clock.soon(() => {
        ran.push('second');
        resolve();
      });
      ran.push('present');
    });
    await done;
    assert.equal(ran, ['present', 'first', 'second']);
  } finally {
    Object.assign(globalThis, { setImmediate: immediate });
  }
});

test.run();
