import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import {
  BadArgumentsError,
  ConnectionLossError,
  NoNodeError,
  exponentialBackoff,
  neverAgain,
  retry,
} from '../../../core/client/index.js';
import { SeededRandom } from '../../../core/runtime/index.js';
import { VirtualClock } from '../../../core/testing/index.js';

const random = new SeededRandom(1);

function failing(times: number, error: Error): { readonly task: () => Promise<string>; calls: number } {
  const state = {
    calls: 0,
    task: (): Promise<string> => (++state.calls <= times ? Promise.reject(error) : Promise.resolve('done')),
  };
  return state;
}

test('delays grow by the factor from the shortest to the longest', () => {
  const policy = exponentialBackoff({ minMs: 10, maxMs: 70, factor: 2, jitter: 0 });
  const delays = [1, 2, 3, 4, 50].map((failures) => policy.delayMs(failures, 0, random));
  assert.equal(delays, [10, 20, 40, 70, 70]);
});

test('chance shortens a delay by no more than its share and never lengthens it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, jitter) => {
        const full = exponentialBackoff({ jitter: 0 }).delayMs(failures, 0, random)!;
        const delay = exponentialBackoff({ jitter }).delayMs(failures, 0, random)!;
        return delay <= full && delay >= full * (1 - jitter);
      },
    ),
  );
});

test('a policy gives up after its attempts, and at its deadline', () => {
  const attempts = exponentialBackoff({ attempts: 3, jitter: 0 });
  assert.is(attempts.delayMs(2, 0, random), 100);
  assert.is(attempts.delayMs(3, 0, random), null);

  const deadline = exponentialBackoff({ minMs: 10, deadlineMs: 100, jitter: 0 });
  assert.is(deadline.delayMs(1, 90, random), 10);
  assert.is(deadline.delayMs(1, 91, random), null);
  assert.is(neverAgain.delayMs(1, 0, random), null);
});

test('numbers that make no policy are refused', () => {
  for (const options of [
    { minMs: -1 },
    { minMs: 5, maxMs: 4 },
    { factor: 0.5 },
    { jitter: 2 },
    { attempts: 0 },
  ]) {
    assert.throws(
      () => exponentialBackoff(options),
      (error: unknown) => error instanceof BadArgumentsError,
    );
  }
});

test('what may be retried is retried, after the delays of the policy', async () => {
  const clock = new VirtualClock();
  const work = failing(3, new ConnectionLossError());
  const result = await clock.waitFor(
    retry(work.task, exponentialBackoff({ jitter: 0 }), { clock, random }),
    10_000,
  );
  assert.is(result, 'done');
  assert.is(work.calls, 4);
  assert.is(clock.now(), 50 + 100 + 200);
});

test('what may not be retried is passed on at once', async () => {
  const work = failing(1, new NoNodeError());
  const failure = await retry(work.task, exponentialBackoff()).catch((error: unknown) => error);
  assert.instance(failure, NoNodeError);
  assert.is(work.calls, 1);
});

test('the last failure is passed on when the policy gives up', async () => {
  const clock = new VirtualClock();
  const lost = new ConnectionLossError();
  const work = failing(9, lost);
  const failure = await clock.waitFor(
    retry(work.task, exponentialBackoff({ attempts: 2 }), { clock, random }).catch((error: unknown) => error),
    10_000,
  );
  assert.is(failure, lost);
  assert.is(work.calls, 2);
});

test('a signal ends the waiting at once, and no timer is left', async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const why = new Error('enough');
  const work = failing(9, new ConnectionLossError());
  const waiting = retry(work.task, exponentialBackoff(), { clock, random, signal: stop.signal }).catch(
    (error: unknown) => error,
  );
  await clock.settle();

  stop.abort(why);

  assert.is(await clock.waitFor(waiting, 1), why);
  assert.is(clock.pendingTimers, 0);
});

test.run();
