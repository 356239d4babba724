import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WorkQueue, type Job } from '../../../../core/recipes/index.js';
import type { LogFields } from '../../../../core/runtime/index.js';
import { RecipeWorld } from '../recipe-world.js';

/** The warnings that a client logs from now on. */
function warningsOf(client: { readonly logger: object }): LogFields[] {
  const warnings: LogFields[] = [];
  Object.assign(client, {
    logger: {
      ...client.logger,
      warn: (_message: string, fields: LogFields = {}) => void warnings.push(fields),
    },
  });
  return warnings;
}

const NEVER = /no worker has ever registered/;
const NONE_NOW = /no worker of the queue runs now/;
const PAUSED = /the queue is paused: quorate queue resume mail/;

test('whoever waits for a result of a queue that no worker has ever used is warned after five seconds, once a minute', () =>
  RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const warnings = warningsOf(client);
    const queue = new WorkQueue(client, 'mail');
    const id = await queue.enqueue(1);
    const abort = new AbortController();
    for (let waiter = 0; waiter < 3; waiter++)
      queue.result(id, { signal: abort.signal }).catch(() => undefined);
    await world.sleep(4_900);
    assert.equal(warnings, []);
    await world.sleep(1_000);
    assert.is(warnings.length, 1);
    const { queue: name, job, waitedMs, cause } = warnings[0]!;
    assert.equal({ name, job, waitedMs }, { name: 'mail', job: id, waitedMs: 5_000 });
    assert.match(String(cause), NEVER);
    abort.abort();
  }));

test('the warning tells a worker that is gone from one that never was, and a queue that is paused', () =>
  RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const warnings = warningsOf(client);
    const gone = new WorkQueue(client, 'gone');
    const consumer = gone.consume(() => undefined);
    await world.sleep(500);
    await consumer.drain();
    const paused = new WorkQueue(client, 'mail');
    await paused.pause();
    const abort = new AbortController();
    for (const queue of [gone, paused])
      queue.result(await queue.enqueue(1), { signal: abort.signal }).catch(() => undefined);
    await world.sleep(6_000);
    abort.abort();
    assert.is(warnings.length, 2);
    assert.match(String(warnings[0]!['cause']), NONE_NOW);
    assert.match(String(warnings[1]!['cause']), PAUSED);
  }));

test('nobody is warned while a worker is there, be it slow, or when the wait was short', () =>
  RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const warnings = warningsOf(client);
    const queue = new WorkQueue<number>(client, 'mail');
    const id = await queue.enqueue(1);
    await queue.result(id, { signal: AbortSignal.abort() }).catch(() => undefined);
    const consumer = queue.consume(async (job: Job<number>) => {
      await world.sleep(8_000);
      return job.data;
    });
    assert.is(await queue.result(id), 1);
    await world.sleep(6_000);
    await consumer.drain();
    assert.equal(warnings, []);
  }));

test.run();
