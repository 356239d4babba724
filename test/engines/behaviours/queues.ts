import * as assert from 'uvu/assert';
import { Queues, Worker, WorkQueue, type Job } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

const JOBS = 40;
const DELAY_MS = 1_500;
/** The clock of the wall may be set a little while a timer runs. */
const CLOCK_SLACK_MS = 20;

export const queues: Behaviours = {
  'every job is done once while all is well, and its result is told': async (place) => {
    const done: number[] = [];
    @Worker({ queue: 'squares', concurrency: 4 })
    class Squares {
      handle({ data }: Job<{ n: number }>): number {
        done.push(data.n);
        return data.n ** 2;
      }
    }
    await Promise.all([1, 2].map(() => place.participant().run({ declare: [Squares] })));
    const queue = new WorkQueue<{ n: number }>(await place.client(), 'squares');
    const numbers = Array.from({ length: JOBS }, (_, n) => n);
    const results = await Promise.all(numbers.map(async (n) => queue.result(await queue.enqueue({ n }))));
    assert.equal(
      results,
      numbers.map((n) => n ** 2),
    );
    assert.equal(
      done.toSorted((a, b) => a - b),
      numbers,
    );
    assert.is((await queue.counts()).jobs, 0);
  },

  'the job of a worker that is cut off is done by another, and the late worker changes nothing': async (
    place,
  ) => {
    const handledBy: string[] = [];
    const workerIn = (name: string): new () => object => {
      @Worker({ queue: 'invoices' })
      class Invoices {
        async handle({ signal }: Job<string>): Promise<string> {
          handledBy.push(name);
          if (name === 'first') await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return name;
        }
      }
      return Invoices;
    };
    const cut = place.participant();
    await cut.run({ declare: [workerIn('first')] });
    const queue = new WorkQueue<string>(await place.client(), 'invoices');
    const id = await queue.enqueue('Anna');
    await place.until(() => handledBy.length === 1);
    await place.participant().run({ declare: [workerIn('second')] });
    cut.cutOff();

    assert.is(await queue.result(id), 'second');
    assert.equal(handledBy, ['first', 'second']);
    cut.rejoin();
    await place.until(() => cut.eventsOf('job-lost').length === 1);
    assert.is((await queue.counts()).jobs, 0);
  },

  'a job that fails is tried again, and after its last attempt is a dead letter that can be revived': async (
    place,
  ) => {
    let isBroken = true;
    @Worker({ queue: 'payments', retries: 1 })
    class Payments {
      handle({ data }: Job<string>): string {
        if (isBroken) throw new Error(`the card of ${data} is declined`);
        return 'paid';
      }
    }
    const worker = place.participant();
    const app = await worker.run({ declare: [Payments] });
    const queue = app.get(Queues).of<string>('payments');
    const id = await queue.enqueue('Bert');
    const failure = await queue.result(id).catch((error: unknown) => error);
    assert.is((failure as { code?: unknown }).code, 'JOB_DEAD');
    assert.equal(
      worker.eventsOf('job-failed').map(({ attempt, isFinal }) => [attempt, isFinal]),
      [
        [1, false],
        [2, true],
      ],
    );
    assert.match((await queue.deadLetter(id))!.failure, /the card of Bert is declined/);

    isBroken = false;
    assert.is(await queue.result(await queue.revive(id)), 'paid');
  },

  'urgent jobs go first, delayed ones wait, and a key is there once': async (place) => {
    const queue = new WorkQueue<string>(await place.client(), 'letters');
    await queue.pause();
    await queue.enqueue('plain');
    const delayedAt = Date.now();
    await queue.enqueue('delayed', { delayMs: DELAY_MS, priority: 9 });
    await queue.enqueue('urgent', { priority: 9 });
    const first = await queue.enqueue('once', { key: 'one/key' });
    assert.is(await queue.enqueue('twice', { key: 'one/key' }), first);
    const done: string[] = [];
    let delayedForMs = 0;
    const consumer = queue.consume(({ data }) => {
      done.push(data);
      if (data === 'delayed') delayedForMs = Date.now() - delayedAt;
    });
    await queue.resume();
    await place.until(() => done.length === 4);
    // Where it stands among the others is a matter of how fast the machine is.
    assert.equal(
      done.filter((data) => data !== 'delayed'),
      ['urgent', 'plain', 'once'],
    );
    assert.ok(delayedForMs >= DELAY_MS - CLOCK_SLACK_MS, `begun ${delayedForMs} ms after it was enqueued`);
    await place.until(async () => (await queue.counts()).jobs === 0);
    assert.is.not(await queue.enqueue('later', { key: 'one/key' }), first);
    await consumer.drain();
  },

  'a job is cancelled from anywhere: one in hand is aborted, one that waits is never begun': async (
    place,
  ) => {
    const begun: string[] = [];
    @Worker({ queue: 'reports' })
    class Reports {
      async handle({ data, signal }: Job<string>): Promise<void> {
        begun.push(data);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
    }
    const worker = place.participant();
    await worker.run({ declare: [Reports] });
    const queue = new WorkQueue<string>(await place.client(), 'reports');
    const active = await queue.enqueue('active');
    await place.until(() => begun.length === 1);
    const waiting = await queue.enqueue('waiting');
    assert.ok(await queue.cancel(waiting, { reason: 'nobody reads it' }));
    const failure = await queue.result(waiting).catch((error: unknown) => error);
    assert.is((failure as { code?: unknown }).code, 'JOB_CANCELLED');
    assert.ok(await queue.cancel(active));
    await place.until(() => worker.eventsOf('job-cancelled').length === 1);
    assert.equal(begun, ['active']);
  },

  'a job waits for others, and sees their results': async (place) => {
    @Worker({ queue: 'books', concurrency: 3, retries: 0 })
    class Books {
      async handle(job: Job<string>): Promise<unknown> {
        if (job.data === 'book') return await job.childResults();
        await job.progress('typing');
        return job.data.toUpperCase();
      }
    }
    await place.participant().run({ declare: [Books] });
    const queue = new WorkQueue<string>(await place.client(), 'books');
    const children = ['one', 'two'].map((page) => queue.draft(page));
    const id = await queue.enqueue('book', { children });
    assert.equal(await queue.result(id), ['ONE', 'TWO']);
  },

  'a handler takes several jobs at once; the fleet does not do more at once than it may': async (place) => {
    let inHand = 0;
    let most = 0;
    let calls = 0;
    @Worker({ queue: 'parcels', fleetConcurrency: 4, batch: { size: 4, lingerMs: 20 } })
    class Parcels {
      async handle(jobs: readonly Job<number>[]): Promise<number[]> {
        calls++;
        most = Math.max(most, (inHand += jobs.length));
        await new Promise((resolve) => setTimeout(resolve, 20));
        inHand -= jobs.length;
        return jobs.map(({ data }) => data + 1);
      }
    }
    await Promise.all([1, 2].map(() => place.participant().run({ declare: [Parcels] })));
    const queue = new WorkQueue<number>(await place.client(), 'parcels');
    const numbers = Array.from({ length: 24 }, (_, n) => n);
    const ids = await queue.enqueueAll(numbers);
    const results = await Promise.all(ids.map((id) => queue.result(id)));
    assert.equal(
      results,
      numbers.map((n) => n + 1),
    );
    assert.ok(most <= 4, `${most} at once`);
    assert.ok(calls < 24, `${calls} calls`);
  },
};
