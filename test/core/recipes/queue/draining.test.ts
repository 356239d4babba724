import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DrainDeadlineError, WorkQueue } from '../../../../core/recipes/index.js';
import { RecipeWorld, SESSION_TIMEOUT_MS } from '../recipe-world.js';

test('a drain lets jobs in hand finish and takes no more', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<number>(client, 'mail');
    const done: number[] = [];
    const stop = new AbortController();
    const consumer = queue.consume(
      async ({ data }) => {
        await world.sleep(1000);
        done.push(data);
      },
      { concurrency: 2, signal: stop.signal },
    );
    for (const data of [1, 2, 3, 4]) await queue.enqueue(data);
    await world.until(() => consumer.inHand.size === 2);

    stop.abort();
    assert.is(consumer.state, 'draining');
    await consumer.closed;

    assert.is(consumer.state, 'closed');
    assert.equal(
      done.toSorted((a, b) => a - b),
      [1, 2],
    );
    assert.equal(await queue.counts(), { jobs: 2, delayed: 0, dead: 0, consumers: 0, isPaused: false });
  });
});

test('at the drain deadline jobs in hand are aborted and go back without an attempt counted', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    let reason: unknown;
    const consumer = queue.consume(async ({ signal }) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      await world.sleep(100_000);
    });
    const id = await queue.enqueue('x');
    await world.until(() => consumer.inHand.size === 1);
    const startedAt = world.clock.now();

    await consumer.drain({ deadlineMs: 500 });

    assert.ok(world.clock.now() - startedAt < 700);
    assert.instance(reason, DrainDeadlineError);
    const attempts: number[] = [];
    queue.consume(({ attempt }) => void attempts.push(attempt));
    assert.is(await queue.result(id), undefined);
    assert.equal(attempts, [1]);
  });
});

test('a consumer drains and closes when its client closes', async () => {
  await RecipeWorld.play(async (world) => {
    const worker = await world.join();
    const other = await world.join();
    const queue = new WorkQueue(other.client, 'mail');
    let wasAborted = false;
    const consumer = new WorkQueue(worker.client, 'mail').consume(async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      wasAborted = true;
    });
    await queue.enqueue('x');
    await world.until(() => consumer.inHand.size === 1);

    await worker.client.close();
    await consumer.closed;

    assert.ok(wasAborted);
    assert.is(consumer.state, 'closed');
    assert.equal(await queue.counts(), { jobs: 1, delayed: 0, dead: 0, consumers: 0, isPaused: false });
  });
});

test('a consumer that never reached a server can be drained', async () => {
  await RecipeWorld.play(async (world) => {
    const worker = await world.join();
    worker.line.cutOff();
    await world.sleep(3 * SESSION_TIMEOUT_MS);
    const consumer = new WorkQueue(worker.client, 'mail').consume(() => undefined);
    await world.sleep(100);

    await consumer.drain();

    assert.is(consumer.state, 'closed');
  });
});

test('nothing is left behind by a closed consumer: no watch, no znode', async () => {
  await RecipeWorld.play(async (world) => {
    const worker = await world.join();
    const { client } = worker;
    const queue = new WorkQueue(client, 'mail');
    const consumer = queue.consume(() => undefined);
    await world.sleep(SESSION_TIMEOUT_MS / 4);
    await consumer.drain();
    await world.sleep(10);
    const other = await world.join();
    const before = worker.receivedMessages;

    await new WorkQueue(other.client, 'mail').enqueue('x');
    await world.sleep(50);

    assert.is(worker.receivedMessages, before);
    assert.equal(await client.getEphemerals(), []);
  });
});

test.run();
