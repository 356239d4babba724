import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { VirtualClock } from '../../../core/testing/index.js';
import { HealthWatch } from '../../../framework/runtime/health-watch.js';

const settings = { everyMs: 1000, timeoutMs: 500, failures: 2 };

test('a check that does not answer counts as failed at each interval, and is not called again while it is pending', async () => {
  const clock = new VirtualClock();
  const changes: string[] = [];
  let calls = 0;
  let answer: (isHealthy: boolean) => void = () => undefined;
  const watch = new HealthWatch({
    ...settings,
    clock,
    check: () => {
      calls++;
      return new Promise<boolean>((resolve) => (answer = resolve));
    },
    changed: async (isHealthy, error) => {
      changes.push(isHealthy ? 'healthy' : `not healthy: ${(error as Error).message}`);
    },
  });
  watch.start();

  await clock.advance(100_000);
  assert.is(calls, 1);
  assert.equal(changes, ['not healthy: it did not say within 500 ms whether it is healthy']);

  answer(true);
  await clock.settle();
  assert.is(changes.length, 1, 'what it says so late says nothing of now');
  await clock.runUntil(() => calls === 2, 1000);
  answer(true);
  await clock.settle();
  assert.equal(changes.slice(1), ['healthy']);

  await watch.stop();
  assert.is(clock.pendingTimers, 0);
});

test('a check hears when nobody waits for its answer any more, and is asked again when it has ended', async () => {
  const clock = new VirtualClock();
  const changes: boolean[] = [];
  const reasons: string[] = [];
  const watch = new HealthWatch({
    ...settings,
    clock,
    check: (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push((signal.reason as Error).message);
          reject(signal.reason as Error);
        });
      }),
    changed: async (isHealthy) => void changes.push(isHealthy),
  });
  watch.start();

  await clock.advance(1000 + 500 + 1000 + 500);
  assert.equal(reasons, Array(2).fill('it did not say within 500 ms whether it is healthy'));
  assert.equal(changes, [false]);

  await clock.advance(1000);
  const stopped = watch.stop();
  await clock.settle();
  await stopped;
  assert.is(reasons.length, 3, 'nobody waits when the watch has stopped');
});

test('a check that fails late is asked anew, and harms nobody', async () => {
  const clock = new VirtualClock();
  const changes: boolean[] = [];
  const answers: ((error: Error) => void)[] = [];
  const watch = new HealthWatch({
    ...settings,
    clock,
    check: () => new Promise((_, reject) => answers.push(reject)),
    changed: async (isHealthy) => void changes.push(isHealthy),
  });
  watch.start();

  for (let count = 0; count < 5; count++) {
    await clock.advance(3000);
    answers.at(-1)!(new Error('no database'));
    await clock.settle();
  }

  assert.is(answers.length, 5);
  assert.equal(changes, [false]);
  await watch.stop();
});

test.run();
