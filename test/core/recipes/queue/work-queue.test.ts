import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Permission } from '../../../../core/client/index.js';
import {
  ClaimLostError,
  JobDeadError,
  JobTooLargeError,
  QueueFullError,
  WorkQueue,
  type Job,
} from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld } from '../recipe-world.js';

test('every job is done, by whichever consumer, and the queue is empty then', async () => {
  await RecipeWorld.play(async (world) => {
    const producer = new WorkQueue<number>((await world.join()).client, 'mail');
    const done: number[] = [];
    const workers: string[] = [];
    for (const id of ['one', 'two', 'three']) {
      const queue = new WorkQueue<number>((await world.join()).client, 'mail');
      const work = async ({ data }: Job<number>): Promise<void> => {
        await world.sleep(50);
        done.push(data);
        workers.push(id);
      };
      queue.consume(work, { concurrency: 2, id });
    }
    await world.sleep(500);

    for (let number = 0; number < 60; number++) await producer.enqueue(number);
    await world.until(() => done.length >= 60);
    await world.sleep(1000);

    assert.equal(
      done.toSorted((a, b) => a - b),
      Array.from({ length: 60 }, (_, number) => number),
    );
    assert.is(new Set(workers).size, 3);
    assert.equal(await producer.counts(), { jobs: 0, delayed: 0, dead: 0, consumers: 3, isPaused: false });
  });
});

test('a queue survives the loss of the connection at each step of producer and worker', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const queue = new WorkQueue<string>(client, 'mail');
    const observer = new WorkQueue<string>((await world.join()).client, 'mail');
    const done: string[] = [];
    plan();
    const ids = await Promise.all(['a', 'b', 'c'].map((data) => queue.enqueue(data)));
    const consumer = queue.consume(
      ({ data, attempt }) => {
        if (data === 'b' && attempt === 1) throw new Error('not yet');
        done.push(data);
        return `${data}!`;
      },
      { backoffMs: () => 100 },
    );
    const results = await Promise.all(ids.map((id) => observer.result(id)));
    await consumer.drain();
    assert.equal(results, ['a!', 'b!', 'c!']);
    assert.equal(done.toSorted(), ['a', 'b', 'c']);
    await world.sleep(100);
    assert.equal(await observer.counts(), { jobs: 0, delayed: 0, dead: 0, consumers: 0, isPaused: false });
  });
  assert.ok(breaks >= 20, `only ${breaks} breaks`);
});

test('a job of a worker that is gone is done by another after its session timeout, as the next attempt', async () => {
  await RecipeWorld.play(async (world) => {
    const gone = await world.join();
    const other = await world.join();
    const attempts: [string, number, bigint][] = [];
    const signals: AbortSignal[] = [];
    new WorkQueue(gone.client, 'mail').consume(async ({ attempt, fence, signal }) => {
      attempts.push(['gone', attempt, fence]);
      signals.push(signal);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const id = await new WorkQueue(other.client, 'mail').enqueue('x');
    await world.until(() => attempts.length === 1);
    let lostAt = Infinity;
    signals[0]!.addEventListener('abort', () => (lostAt = world.clock.now()));

    gone.line.cutOff();
    let takenAt = 0;
    new WorkQueue(other.client, 'mail').consume(({ attempt, fence }) => {
      takenAt = world.clock.now();
      attempts.push(['other', attempt, fence]);
      return 'done';
    });

    assert.is(await new WorkQueue(other.client, 'mail').result(id), 'done');
    assert.is(attempts[1]![0], 'other');
    assert.is(attempts[1]![1], 2);
    assert.ok(attempts[1]![2] > attempts[0]![2]);
    assert.ok(lostAt < takenAt);
    assert.instance(signals[0]!.reason, ClaimLostError);
  });
});

test('a worker that comes late cannot complete a job that was given to another', async () => {
  await RecipeWorld.play(async (world) => {
    const late = await world.join();
    const other = await world.join();
    const held: Job[] = [];
    let finish = (): void => undefined;
    new WorkQueue(late.client, 'mail').consume(async (job) => {
      held.push(job);
      await new Promise<void>((resolve) => (finish = resolve));
    });
    const queue = new WorkQueue(other.client, 'mail');
    const id = await queue.enqueue('x');
    await world.until(() => held.length === 1);

    const { children } = await other.client.getChildren('/queues/mail/consumers');
    await other.client.delete(`/queues/mail/consumers/${children[0]!}`);
    let isDoneByOther = false;
    let letGo = (): void => undefined;
    queue.consume(async () => {
      await new Promise<void>((resolve) => (letGo = resolve));
      isDoneByOther = true;
      return 'by the other';
    });
    await world.until(() => held[0]!.signal.aborted);
    const failure = await held[0]!.complete('by the late one').catch((error: unknown) => error);
    finish();

    assert.instance(failure, ClaimLostError);
    assert.not.ok(isDoneByOther);
    letGo();
    assert.is(await queue.result(id), 'by the other');
  });
});

test('a job that fails is tried again after its delay, and becomes a dead letter in the end', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    const startedAt: number[] = [];
    const options = { retries: 2, backoffMs: (attempt: number) => attempt * 1000 };
    queue.consume(() => {
      startedAt.push(world.clock.now());
      throw new Error('no such address');
    }, options);

    const id = await queue.enqueue('x');
    const failure = await queue.result(id).catch((error: unknown) => error);

    assert.instance(failure, JobDeadError);
    assert.is(startedAt.length, 3);
    assert.ok(startedAt[1]! - startedAt[0]! >= 1000);
    assert.ok(startedAt[2]! - startedAt[1]! >= 2000);
    assert.equal(await queue.deadLetters(), [id]);
    const letter = await queue.deadLetter(id);
    assert.is(letter?.data, 'x');
    assert.is(letter?.attempts, 3);
    assert.match(letter?.failure ?? '', 'no such address');
    assert.equal(await queue.counts(), { jobs: 0, delayed: 0, dead: 1, consumers: 1, isPaused: false });
  });
});

test('a dead letter can be revived or removed', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    let isBroken = true;
    queue.consume(
      ({ attempt }) => {
        if (isBroken) throw new Error('broken');
        return attempt;
      },
      { retries: 0 },
    );
    const [first, second] = [await queue.enqueue('x'), await queue.enqueue('y')];
    await world.until(async () => (await queue.counts()).dead === 2);

    isBroken = false;
    const revived = await queue.revive(first);
    await queue.removeDeadLetter(second);

    assert.is(await queue.result(revived), 1);
    assert.equal(await queue.deadLetters(), []);
    assert.is(await queue.deadLetter(second), null);
  });
});

test('fail without retry gives a job up at once; a job that was settled cannot be settled again', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    const codes: unknown[] = [];
    queue.consume(async (job) => {
      await job.fail('nobody can do this', { retry: false });
      await job.complete().catch((error: { code: string }) => codes.push(error.code));
    });

    const id = await queue.enqueue('x');
    await queue.result(id).catch(() => undefined);
    await world.until(() => codes.length === 1);

    assert.equal(codes, ['RECIPE_STATE']);
    assert.is((await queue.deadLetter(id))?.failure, 'nobody can do this');
  });
});

test('a job that kills its worker every time ends as a dead letter', async () => {
  await RecipeWorld.play(async (world) => {
    const observer = await world.join();
    const queue = new WorkQueue(observer.client, 'mail');
    const id = await queue.enqueue('poison');

    for (let attempt = 1; attempt <= 2; attempt++) {
      const victim = await world.join();
      let hasStarted = false;
      new WorkQueue(victim.client, 'mail').consume(
        async () => {
          hasStarted = true;
          await world.sleep(100_000);
        },
        { retries: 1, drainDeadlineMs: 0 },
      );
      await world.until(() => hasStarted);
      victim.line.cutOff();
      await world.until(async () => (await queue.counts()).consumers === 0);
    }
    let wasDone = false;
    queue.consume(() => (wasDone = true), { retries: 1 });

    const failure = await queue.result(id).catch((error: unknown) => error);
    assert.instance(failure, JobDeadError);
    assert.match((failure as Error).message, 'without an answer');
    assert.not.ok(wasDone);
  });
});

test('a dead letter counts the attempts that were begun and keeps the last known error', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other, producer] = [await world.join(), await world.join(), await world.join()];
    const queue = new WorkQueue<string>(producer.client, 'mail');
    const begun: number[] = [];
    new WorkQueue<string>(one.client, 'mail').consume(
      async (job) => {
        begun.push(job.attempt);
        if (job.attempt === 1) throw new Error('the printer is on fire');
        await new Promise((resolve) => job.signal.addEventListener('abort', resolve));
      },
      { backoffMs: () => 50 },
    );
    const id = await queue.enqueue('a letter', { retries: 1 });
    await world.until(() => begun.length === 2);
    one.line.cutOff();
    new WorkQueue<string>(other.client, 'mail').consume((job) => void begun.push(job.attempt));
    await world.until(async () => (await queue.deadLetters()).length === 1);
    const letter = await queue.deadLetter(id);
    assert.equal(begun, [1, 2]);
    assert.is(letter!.attempts, 2);
    assert.match(letter!.failure, /^attempt 2 ended without an answer.*Error: the printer is on fire$/);

    await producer.client.create('/queues/mail/jobs/job-', 'no JSON', { mode: 'persistent-sequential' });
    await world.until(async () => (await queue.deadLetters()).length === 2);
    const undecodable = (await queue.deadLetters()).find((name) => name !== id)!;
    assert.is((await queue.deadLetter(undecodable))!.attempts, 0, 'no handler was called');
    one.line.rejoin();
  });
});

test('a completion in doubt is no success when the job was cancelled meanwhile', async () => {
  await RecipeWorld.play(async (world) => {
    const [worker, other] = [await world.join(), await world.join()];
    const queue = new WorkQueue<string>(other.client, 'mail');
    let outcome: string | null = null;
    const consumer = new WorkQueue<string>(worker.client, 'mail').consume(async (job) => {
      const lost = worker.line.loseNextRequest({ op: 'delete', path: /jobs/ });
      const completing = job.complete('sent').then(
        () => 'completed',
        (error: { code: string }) => error.code,
      );
      await lost;
      assert.ok(await queue.cancel(job.id));
      outcome = await completing;
    });
    await queue.enqueue('a letter');
    await world.until(() => outcome !== null);
    assert.is(outcome, 'CLAIM_LOST');
    await consumer.drain();
  });
});

test('progress is told again when the request with the first of it was lost', async () => {
  await RecipeWorld.play(async (world) => {
    const [worker, reader] = [await world.join(), await world.join()];
    const queue = new WorkQueue<string>(reader.client, 'mail');
    let isSecondTold = false;
    const stop = new AbortController();
    const consumer = new WorkQueue<string>(worker.client, 'mail').consume(async (job) => {
      const lost = worker.line.loseNextRequest();
      await job.progress(1);
      await lost;
      await job.progress(2);
      isSecondTold = true;
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
    });
    const id = await queue.enqueue('a letter');
    await world.until(() => isSecondTold);
    await reader.client.sync('/');
    assert.is((await queue.status(id))!.progress, 2);
    stop.abort();
    await consumer.drain();
  });
});

test('data that cannot be decoded becomes a dead letter; a job made by hand is done', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail');
    const done: string[] = [];
    const consumer = queue.consume(({ data }) => void done.push(data));
    await world.until(async () => (await queue.counts()).consumers === 1);

    await client.create('/queues/mail/jobs/job-', 'no JSON', { mode: 'persistent-sequential' });
    await client.create('/queues/mail/jobs/job-', '"by hand"', { mode: 'persistent-sequential' });
    await world.until(async () => done.length === 1 && (await queue.counts()).dead === 1);

    assert.equal(done, ['by hand']);
    await consumer.drain();
  });
});

test('a queue that is full refuses; a job that is too large is refused', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<string>(client, 'mail', { maxJobs: 3, maxJobBytes: 100 });
    for (const data of ['a', 'b', 'c']) await queue.enqueue(data);

    const full = await queue.enqueue('d').catch((error: unknown) => error);
    const tooLarge = await queue.enqueue('x'.repeat(200)).catch((error: unknown) => error);

    assert.instance(full, QueueFullError);
    assert.equal((full as QueueFullError).fields, {
      queue: 'mail',
      jobs: 3,
      dead: 0,
      maxJobs: 3,
      bytes: 300,
      maxBytes: 64 * 1024 * 1024,
    });
    assert.instance(tooLarge, JobTooLargeError);
    assert.is((await queue.counts()).jobs, 3);
  });
});

test('consumers go on in the next session', async () => {
  await RecipeWorld.play(async (world) => {
    const worker = await world.join();
    const producer = await world.join();
    const queue = new WorkQueue<number>(producer.client, 'mail');
    const done: number[] = [];
    new WorkQueue<number>(worker.client, 'mail').consume(({ data }) => void done.push(data));
    await queue.enqueue(1);
    await world.until(() => done.length === 1);

    await world.expire(worker);
    await queue.enqueue(2);

    await world.until(() => done.length === 2);
    await world.until(async () => (await queue.counts()).consumers === 1);
  });
});

test('a job whose completion the servers refuse is put off, not kept', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue(client, 'mail');
    const attempts: number[] = [];
    const consumer = queue.consume(({ attempt }) => void attempts.push(attempt), { backoffMs: () => 500 });
    await world.until(async () => (await queue.counts()).consumers === 1);
    const { acl } = await client.getAcl('/queues/mail/jobs');
    await client.setAcl('/queues/mail/jobs', [{ ...acl[0]!, perms: Permission.all & ~Permission.delete }]);

    const id = await queue.enqueue('x');
    await world.until(() => attempts.length === 2);
    await client.setAcl('/queues/mail/jobs', acl);
    await queue.result(id);

    assert.equal(attempts, [1, 2, 3]);
    await consumer.drain();
  });
});

test('a queue whose znodes somebody removed is made again', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<number>(client, 'mail');
    await queue.enqueue(1);
    for (const path of [
      `jobs/${(await client.getChildren('/queues/mail/jobs')).children[0]}`,
      'jobs',
      'delays',
    ])
      await client.delete(`/queues/mail/${path}`);

    const done: number[] = [];
    queue.consume(({ data, attempt }) => {
      if (attempt === 1) throw new Error('once more');
      done.push(data);
    });
    await queue.enqueue(2);

    await world.until(() => done.length === 1);
    assert.equal(done, [2]);
  });
});

test('no herd: a job makes the consumers together send what one consumer sends', async () => {
  const requestsPerJob: number[] = [];
  for (const consumers of [2, 10]) {
    await RecipeWorld.play(async (world) => {
      const producer = await world.join();
      const workers = await Promise.all(Array.from({ length: consumers }, () => world.join()));
      let done = 0;
      for (const { client } of workers)
        new WorkQueue(client, 'mail').consume(async () => {
          await world.sleep(300);
          done++;
        });
      const queue = new WorkQueue(producer.client, 'mail');
      await world.until(async () => (await queue.counts()).consumers === consumers);
      await world.sleep(100);
      const sum = (): number => workers.reduce((total, { requests }) => total + requests.length, 0);

      const before = sum();
      await queue.enqueue('x');
      await world.until(() => done === 1);
      await world.sleep(100);
      requestsPerJob.push(sum() - before);
    });
  }
  assert.is(requestsPerJob[0], requestsPerJob[1]);
  assert.ok(requestsPerJob[0]! <= 3, `${requestsPerJob[0]} requests`);
});

test.run();
