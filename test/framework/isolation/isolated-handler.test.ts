import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { IsolatedHandler, IsolationError, type Job } from '../../../framework/index.js';
import type { Order } from './sample-work.js';

const MODULE = new URL('./sample-work.js', import.meta.url);

/** A job as a worker has it in hand, on no queue. */
function jobOf(data: Order): { readonly job: Job<Order>; readonly abort: AbortController; told: unknown[] } {
  const abort = new AbortController();
  const told: unknown[] = [];
  const job: Job<Order> = {
    id: `job of ${data}`,
    data,
    attempt: 1,
    enqueuedAt: 5,
    priority: 0,
    group: null,
    key: null,
    signal: abort.signal,
    fence: 7n,
    complete: () => Promise.resolve(),
    fail: () => Promise.resolve(),
    progress: async (value) => void told.push(value),
    childResults: () => Promise.resolve([]),
  };
  return { job, abort, told };
}

test('jobs are done in other threads, as many at once as there are threads', async () => {
  await using handler = new IsolatedHandler<Order>(MODULE, { threads: 2 });
  const results = await Promise.all([1, 2, 3, 4, 5].map(() => handler.run(jobOf('where').job)));
  for (const result of results) assert.ok(typeof result === 'number' && result > 0);
  assert.ok(new Set(results).size <= 2);
});

test('what the function throws comes back, and its thread goes on', async () => {
  await using handler = new IsolatedHandler<Order>(MODULE);
  const error = await handler.run(jobOf('throw').job).catch((reason: unknown) => reason);
  assert.instance(error, RangeError);
  assert.is((error as Error).message, 'too far');
  assert.type(await handler.run(jobOf('where').job), 'number');
});

test('a job that ends its thread fails alone; the next has a new thread', async () => {
  await using handler = new IsolatedHandler<Order>(MODULE);
  const failing = handler.run(jobOf('exit').job).catch((reason: unknown) => reason);
  const next = handler.run(jobOf('where').job);
  assert.instance(await failing, IsolationError);
  assert.type(await next, 'number');
});

test('the signal of a job aborts in the thread too; what does not listen is ended after the grace', async () => {
  await using handler = new IsolatedHandler<Order>(MODULE, { graceMs: 1_000, threads: 2 });
  const polite = jobOf('until aborted');
  const deaf = jobOf('for ever');
  const outcomes = Promise.all([
    handler.run(polite.job),
    handler.run(deaf.job).catch((reason: unknown) => reason),
  ]);
  while (polite.told.length + deaf.told.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  polite.abort.abort(new Error('not needed'));
  deaf.abort.abort(new Error('not needed'));
  const [answer, error] = await outcomes;
  assert.match(String(answer), 'not needed');
  assert.instance(error, IsolationError);
});

test('a job that is aborted while it waits for a thread is never begun, and disturbs nobody', async () => {
  await using handler = new IsolatedHandler<Order>(MODULE);
  const [first, second] = [jobOf('until aborted'), jobOf('where')];
  const outcome = handler.run(first.job);
  while (first.told.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const waiting = handler.run(second.job).catch((reason: unknown) => reason);
  second.abort.abort(new Error('changed my mind'));
  assert.match(String(await waiting), 'changed my mind');
  first.abort.abort(new Error('enough'));
  assert.match(String(await outcome), 'enough');
});

test('a job that needs more memory than its thread may have fails alone', async () => {
  await using handler = new IsolatedHandler<Order>(MODULE, { maxMemoryMb: 32 });
  const error = await handler.run(jobOf('hoard').job).catch((reason: unknown) => reason);
  assert.instance(error, IsolationError);
  assert.is(((error as Error).cause as { code?: unknown }).code, 'ERR_WORKER_OUT_OF_MEMORY');
  assert.type(await handler.run(jobOf('where').job), 'number');
});

test('a result and an error that cannot leave the thread fail the job', async () => {
  await using handler = new IsolatedHandler<Order>(MODULE);
  const failure = await handler.run(jobOf('no answer').job).catch((reason: unknown) => reason);
  assert.match(String(failure), 'could not be cloned');
  const error = await handler.run(jobOf('odd error').job).catch((reason: unknown) => reason);
  assert.match(String(error), 'odd');
});

test('what waits and what is under way fails when the handler closes, and nothing is begun after it', async () => {
  const handler = new IsolatedHandler<Order>(MODULE);
  const first = jobOf('until aborted');
  const outcomes = [first, jobOf('where')].map(({ job }) =>
    handler.run(job).catch((reason: unknown) => reason),
  );
  while (first.told.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await handler.close();
  for (const outcome of await Promise.all(outcomes)) assert.instance(outcome, IsolationError);
  assert.instance(await handler.run(jobOf('where').job).catch((reason: unknown) => reason), IsolationError);
  await handler.close();
});

test('memory too small for a thread to start at all fails the job', async () => {
  await using handler = new IsolatedHandler<Order>(MODULE, { maxMemoryMb: 1 });
  for (const _ of [1, 2]) {
    const error = await handler.run(jobOf('where').job).catch((reason: unknown) => reason);
    assert.instance(error, IsolationError);
  }
});

test('progress is passed on; a module that cannot be loaded fails the job', async () => {
  await using handler = new IsolatedHandler<Order>(MODULE);
  const { job, told } = jobOf('progress');
  assert.is(await handler.run(job), 'whole');
  assert.equal(told, ['half']);
  await using odd = new IsolatedHandler<Order>(new URL('./no-such-work.js', import.meta.url));
  const error = await odd.run(jobOf('where').job).catch((reason: unknown) => reason);
  assert.match(String(error), 'no-such-work');
});

test.run();
