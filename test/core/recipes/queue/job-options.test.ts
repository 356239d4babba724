import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  EnqueueBacklogError,
  InvalidJobOptionsError,
  JobCancelledError,
  QueueFullError,
  WorkQueue,
  type Job,
  type QueueEvent,
} from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld, SESSION_TIMEOUT_MS } from '../recipe-world.js';

test('jobs go by priority, then by age; a delayed one waits for its time', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    await queue.enqueue('second');
    await queue.enqueue('third');
    await queue.enqueue('first', { priority: 9 });
    await queue.enqueue('last', { priority: -1 });
    await queue.enqueue('later', { delayMs: 5000, priority: 9 });
    const enqueuedAt = world.clock.now();
    const done: string[] = [];
    let laterAt = 0;
    queue.consume(({ data }) => {
      done.push(data);
      if (data === 'later') laterAt = world.clock.now();
    });
    await world.until(() => done.length === 5);
    assert.equal(done, ['first', 'second', 'third', 'last', 'later']);
    assert.ok(laterAt - enqueuedAt >= 5000 && laterAt - enqueuedAt < 6000);
  });
});

test('a job with a key is there once, until it is done, also when connections break', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const queue = new WorkQueue<number>(client, 'mail');
    await queue.enqueue(0);
    plan();
    const first = await queue.enqueue(1, { key: 'a/b' });
    assert.is(await queue.enqueue(2, { key: 'a/b' }), first);
    assert.is.not(await queue.enqueue(3, { key: 'other' }), first);
    const done: number[] = [];
    queue.consume(({ data, key }) => {
      done.push(data);
      return key;
    });
    assert.is(await queue.result(first), 'a/b');
    const again = await queue.enqueue(4, { key: 'a/b' });
    assert.is(await queue.result(again), 'a/b');
    await world.until(() => done.length >= 4);
    assert.equal(
      done.toSorted((one, other) => one - other),
      [0, 1, 3, 4],
    );
  });
  assert.ok(breaks >= 8, `only ${breaks} breaks`);
});

test('options that make no sense are refused, and nothing is added', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    for (const options of [
      { priority: 1.5 },
      { priority: 1000 },
      { delayMs: -1 },
      { delayMs: Number.NaN },
      { retries: -1 },
      { key: '' },
      { group: 'x'.repeat(300) },
    ]) {
      const error = await queue.enqueue('x', options).catch((reason: unknown) => reason);
      assert.instance(error, InvalidJobOptionsError, JSON.stringify(options));
    }
    assert.is((await queue.counts()).jobs, 0);
  });
});

test('a queue takes no more bytes than it may, and no more jobs wait for the servers than may', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail', { maxBytes: 1000, maxJobBytes: 400 });
    await queue.enqueue('x'.repeat(300));
    await queue.enqueue('y'.repeat(300));
    await queue.enqueue('z'.repeat(300));
    const full = await queue.enqueue('!'.repeat(300)).catch((reason: unknown) => reason);
    assert.instance(full, QueueFullError);
    assert.is((full as QueueFullError).fields['bytes'], 3 * 302);

    const hasty = new WorkQueue<number>(client, 'hasty', { maxBacklog: 10 });
    await hasty.enqueue(0);
    const outcomes = await Promise.allSettled(Array.from({ length: 2000 }, (_, n) => hasty.enqueue(n)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    for (const { reason } of refused) assert.instance(reason, EnqueueBacklogError);
    assert.is((await hasty.counts()).jobs, 1 + outcomes.length - refused.length);
  });
});

test('many jobs are added in few transactions, and worked off in few', async () => {
  await RecipeWorld.play(async (world) => {
    const participant = await world.join();
    const queue = new WorkQueue<number>(participant.client, 'mail');
    await queue.enqueue(-1);
    const transactions = (): number => participant.requests.filter(({ op }) => op === 'multi').length;
    const before = transactions();
    await queue.enqueueAll(Array.from({ length: 400 }, (_, n) => n));
    assert.ok(transactions() - before <= 8, `${transactions() - before} transactions to add 400 jobs`);

    const begun = transactions();
    let done = 0;
    queue.consume(() => void done++, { concurrency: 50 });
    await world.until(async () => done === 401 && (await queue.counts()).jobs === 0);
    assert.ok(transactions() - begun <= 120, `${transactions() - begun} transactions to do 401 jobs`);
  });
});

test('a job that waits is cancelled and never begun; of one in hand the signal aborts', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const elsewhere = new WorkQueue<string>((await world.join()).client, 'mail');
    const queue = new WorkQueue<string>(client, 'mail');
    const begun: string[] = [];
    let reason: unknown;
    let late: unknown;
    queue.consume(async (job) => {
      begun.push(job.data);
      await new Promise<void>((resolve) => job.signal.addEventListener('abort', () => resolve()));
      reason = job.signal.reason;
      late = await job.complete('late').catch((error: unknown) => error);
    });
    const active = await queue.enqueue('active', { key: 'k' });
    await world.until(() => begun.length === 1);
    const waiting = await queue.enqueue('waiting');

    assert.ok(await elsewhere.cancel(waiting, { reason: 'not needed' }));
    assert.ok(await elsewhere.cancel(active));
    assert.not.ok(await elsewhere.cancel(active));

    const failure = await elsewhere.result(waiting).catch((error: unknown) => error);
    assert.instance(failure, JobCancelledError);
    assert.match((failure as Error).message, 'not needed');
    await world.until(() => late !== undefined);
    assert.instance(reason, JobCancelledError);
    assert.instance(late, JobCancelledError);
    assert.equal(begun, ['active']);
    assert.is((await queue.status(waiting))?.state, 'cancelled');
    assert.is.not(await queue.enqueue('again', { key: 'k' }), active);
  });
});

test('a paused queue begins no job, in no process, until it is resumed', async () => {
  await RecipeWorld.play(async (world) => {
    const producer = new WorkQueue<number>((await world.join()).client, 'mail');
    const done: number[] = [];
    await producer.pause();
    for (let worker = 0; worker < 2; worker++)
      new WorkQueue<number>((await world.join()).client, 'mail').consume(({ data }) => void done.push(data));
    await producer.enqueue(1);
    await world.sleep(3000);
    assert.equal(done, []);
    assert.ok((await producer.counts()).isPaused);
    await producer.resume();
    await world.until(() => done.length === 1);
    await producer.pause();
    await producer.enqueue(2);
    await world.sleep(3000);
    assert.equal(done, [1]);
  });
});

test('who watches sees what happens to a job, how far it is, and how it is now', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    const watcher = new WorkQueue<string>((await world.join()).client, 'mail');
    const seen: QueueEvent[] = [];
    const stop = new AbortController();
    await queue.pause();
    await queue.resume();
    const watching = (async () => {
      for await (const event of watcher.events({ signal: stop.signal })) seen.push(event);
    })();
    await world.sleep(100);
    const states: unknown[] = [];
    queue.consume(
      async (job) => {
        await job.progress({ done: job.attempt });
        states.push((await watcher.status(job.id))?.state, (await watcher.status(job.id))?.progress);
        if (job.attempt === 1) throw new Error('once more');
      },
      { backoffMs: () => 2000 },
    );
    const id = await queue.enqueue('x');
    await world.until(() => states.length === 2);
    await world.sleep(500);
    const delayed = await watcher.status(id);
    assert.is(delayed?.state, 'delayed');
    assert.match(delayed?.failure ?? '', 'once more');
    await queue.result(id);
    await world.sleep(100);
    stop.abort();
    await watching;

    assert.equal(states, ['active', { done: 1 }, 'active', { done: 2 }]);
    const types = seen.map(({ type }) => type);
    for (const type of ['added', 'changed', 'progress', 'delayed', 'over'])
      assert.ok(types.includes(type as QueueEvent['type']), `${type} among ${types.join()}`);
    assert.is(await watcher.status(id), null);
    assert.equal((await client.getChildren('/queues/mail/progress')).children, []);
  });
});

test('a handler of batches gets several jobs at once; one that it failed does not take the others along', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<number>(client, 'mail');
    const ids = await queue.enqueueAll([0, 1, 2, 3, 4, 5, 6]);
    const sizes: number[] = [];
    queue.consumeBatches(
      async (jobs) => {
        sizes.push(jobs.length);
        const odd = jobs.find(({ data }) => data === 3);
        if (odd !== undefined) await odd.fail('not this one', { retry: false });
        return jobs.map(({ data }) => data * 2);
      },
      { batchSize: 3 },
    );
    const results = await Promise.all(ids.map((id) => queue.result(id).catch(() => 'failed')));
    assert.equal(results, [0, 2, 4, 'failed', 8, 10, 12]);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      7,
    );
    assert.ok(sizes.length <= 4, sizes.join());
  });
});

test('a job waits for its children, also of other queues, and sees their results', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const pages = new WorkQueue<string>(client, 'pages');
    const books = new WorkQueue<string>(client, 'books');
    const order: string[] = [];
    plan();
    const id = await books.enqueue('book', {
      children: [pages.draft('one'), pages.draft('two'), books.draft('cover')],
    });
    const work = async (job: Job<string>): Promise<unknown> => {
      order.push(job.data);
      await world.sleep(100);
      return job.data === 'book' ? await job.childResults() : job.data.toUpperCase();
    };
    books.consume(work, { concurrency: 3 });
    await world.sleep(500);
    pages.consume(work);
    assert.equal(await books.result(id), ['ONE', 'TWO', 'COVER']);
    assert.is(order.at(-1), 'book');
    assert.is(order.length, 4);
    assert.equal((await client.getChildren('/queues/books/children')).children, []);
  });
  assert.ok(breaks >= 15, `only ${breaks} breaks`);
});

test('a parent waits for a child that was given up until it is revived, unless the child is optional', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    let isBroken = true;
    queue.consume(
      (job) => {
        if (job.data.startsWith('child') && isBroken) throw new Error('broken');
        return job.data;
      },
      { retries: 0 },
    );
    const patient = await queue.enqueue('patient', { children: [queue.draft('child 1')] });
    const bold = await queue.enqueue('bold', { children: [queue.draft('child 2', { isOptional: true })] });
    assert.is(await queue.result(bold), 'bold');
    await world.sleep(2000);
    assert.is((await queue.status(patient))?.state, 'blocked');
    isBroken = false;
    assert.is(await queue.reviveAll(), 2);
    assert.is(await queue.result(patient), 'patient');
  });
});

test('a job may have a number of retries of its own', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    const attempts: number[] = [];
    queue.consume(
      ({ attempt }) => {
        attempts.push(attempt);
        throw new Error('no');
      },
      { retries: 7, backoffMs: () => 10 },
    );
    const id = await queue.enqueue('x', { retries: 1 });
    await queue.result(id).catch(() => undefined);
    assert.equal(attempts, [1, 2]);
  });
});

test('no more jobs are in hand in the whole fleet than it may have, also when a worker is lost', async () => {
  await RecipeWorld.play(async (world) => {
    const producer = new WorkQueue<number>((await world.join()).client, 'mail');
    let inHand = 0;
    let most = 0;
    let done = 0;
    const workers = [await world.join(), await world.join(), await world.join()];
    for (const { client } of workers)
      new WorkQueue<number>(client, 'mail').consume(
        async ({ signal }) => {
          most = Math.max(most, ++inHand);
          let isIn = true;
          const leave = (): void => {
            if (isIn) inHand--;
            isIn = false;
          };
          signal.addEventListener('abort', leave);
          await world.sleep(300);
          if (!signal.aborted) done++;
          leave();
        },
        { concurrency: 5, fleetConcurrency: 4 },
      );
    await producer.enqueueAll(Array.from({ length: 40 }, (_, n) => n));
    await world.until(() => done > 5);
    workers[0]!.line.cutOff();
    await world.until(async () => (await producer.counts()).jobs === 0);
    assert.is(most, 4);
    await world.sleep(SESSION_TIMEOUT_MS);
    assert.equal((await workers[1]!.client.getChildren('/queues/mail/slots')).children, []);
  });
});

test('no more jobs are begun in any span of time than may be, in all and per group', async () => {
  await RecipeWorld.play(async (world) => {
    const producer = new WorkQueue<string>((await world.join()).client, 'mail');
    const begun: { at: number; group: string | null }[] = [];
    for (let worker = 0; worker < 2; worker++)
      new WorkQueue<string>((await world.join()).client, 'mail').consume(
        ({ group }) => void begun.push({ at: world.clock.now(), group }),
        {
          concurrency: 10,
          rateLimit: { max: 6, perMs: 1000 },
          groupRateLimit: { max: 2, perMs: 1000 },
        },
      );
    for (const group of ['a', 'b', 'c', 'd'])
      await producer.enqueueAll(['1', '2', '3', '4', '5', '6'], { group });
    await world.until(() => begun.length === 24);
    const most = (events: typeof begun): number =>
      Math.max(
        ...events.map(({ at }) => events.filter((other) => other.at >= at && other.at < at + 990).length),
      );
    assert.ok(most(begun) <= 6, `${most(begun)} in a second`);
    for (const group of ['a', 'b', 'c', 'd']) {
      const own = begun.filter((event) => event.group === group);
      assert.ok(most(own) <= 2, `${most(own)} of ${group} in a second`);
    }
    assert.ok(begun.at(-1)!.at - begun[0]!.at < 15_000);
  });
});

test.run();
