import type { Worker as Thread } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  currentHold,
  defineQueue,
  Locked,
  Queues,
  schema,
  Worker,
  type Constructor,
  type Job,
  type JobInvalidError,
  type WorkerOptions,
} from '../../framework/index.js';
import { Fleet, onFleet, SESSION_TIMEOUT_MS } from './fleet.js';

interface Invoice {
  readonly customer: string;
  readonly amount: number;
}

const invoices = defineQueue<Invoice>({
  name: 'invoices',
  schema: schema<Invoice>({
    type: 'object',
    required: ['customer'],
    properties: { customer: { type: 'string' }, amount: { type: 'number', default: 1 } },
    additionalProperties: false,
  }),
});

/** A worker class that does what the test says. */
function worker(
  handle: (job: Job<Invoice>) => unknown,
  options: Omit<WorkerOptions<Invoice>, 'queue' | 'batch' | 'isolated'> = {},
): Constructor {
  @Worker({ queue: invoices, ...options })
  class InvoiceWorker {
    handle(job: Job<Invoice>): unknown {
      return handle(job);
    }
  }
  return InvoiceWorker;
}

const never = (): Promise<never> => new Promise(() => undefined);

test(
  'jobs enqueued in one process are handled in another, and the result comes back',
  onFleet(async (fleet) => {
    const machine = await fleet.run({ declare: [worker((job) => ({ paid: job.data.amount }))] });
    const queue = (await fleet.run({ declare: [] })).application.get(Queues).of(invoices);
    const id = await fleet.wait(queue.enqueue({ customer: 'anna', amount: 5 }));
    assert.equal(await fleet.wait(queue.result(id)), { paid: 5 });
    await fleet.until(() => machine.eventsOf('job-done').length === 1);
    const [{ queue: name, id: done, attempt }] = machine.eventsOf('job-done') as [never];
    assert.equal([name, done, attempt], ['invoices', id, 1]);
  }),
);

test(
  'a payload that does not fit is refused where it is enqueued; defaults of the schema are filled in',
  onFleet(async (fleet) => {
    const seen: Invoice[] = [];
    const { application } = await fleet.run({ declare: [worker((job) => seen.push(job.data))] });
    const queue = application.get(Queues).of(invoices);
    const odd = { customer: 5, extra: true } as unknown as Invoice;
    const error = await fleet.wait(queue.enqueue(odd).catch((reason: JobInvalidError) => reason));
    assert.is((error as JobInvalidError).code, 'JOB_INVALID');
    assert.is((error as JobInvalidError).violations.length, 2);
    assert.is((await fleet.wait(queue.counts())).jobs, 0);

    const given = { customer: 'anna' } as Invoice;
    await fleet.wait(queue.enqueue(given));
    await fleet.until(() => seen.length === 1);
    assert.equal(seen, [{ customer: 'anna', amount: 1 }]);
    assert.equal(given, { customer: 'anna' });
  }),
);

test(
  'the schema of a worker is also checked when a queue of the same process is asked for by name',
  onFleet(async (fleet) => {
    const { application } = await fleet.run({ declare: [worker(() => undefined)] });
    const queue = application.get(Queues).of<unknown>('invoices');
    const error = await fleet.wait(queue.enqueue('text').catch((reason: JobInvalidError) => reason));
    assert.is((error as JobInvalidError).code, 'JOB_INVALID');
  }),
);

test(
  'a payload that does not fit never reaches the handler: it is a dead letter at once',
  onFleet(async (fleet) => {
    const seen: unknown[] = [];
    const machine = await fleet.run({ declare: [worker((job) => seen.push(job))] });
    const unchecked = (await fleet.run({ declare: [] })).application.get(Queues).of<unknown>('invoices');
    const id = await fleet.wait(unchecked.enqueue({ amount: 5 }));
    await fleet.until(() => machine.eventsOf('job-failed').length === 1);
    const [failed] = machine.eventsOf('job-failed');
    assert.equal([failed!.isFinal, failed!.attempt], [true, 1]);
    assert.equal(seen, []);
    assert.equal(await fleet.wait(unchecked.deadLetters()), [id]);
  }),
);

test(
  'a handler that throws is tried again as often as declared, then the job is a dead letter',
  onFleet(async (fleet) => {
    const attempts: number[] = [];
    const fail = (job: Job<Invoice>): void => {
      attempts.push(job.attempt);
      throw new Error('no money');
    };
    const machine = await fleet.run({ declare: [worker(fail, { retries: 2 })] });
    const queue = machine.application.get(Queues).of(invoices);
    const id = await fleet.wait(queue.enqueue({ customer: 'anna', amount: 5 }));
    await fleet.until(() => machine.eventsOf('job-failed').length === 3);
    assert.equal(attempts, [1, 2, 3]);
    assert.equal(
      machine.eventsOf('job-failed').map(({ isFinal }) => isFinal),
      [false, false, true],
    );
    const letter = await fleet.wait(queue.deadLetter(id));
    assert.match(letter!.failure, /no money/);
  }),
);

test(
  'as many jobs are in hand at once as declared, over all processes none twice',
  onFleet(async (fleet) => {
    const done: string[] = [];
    let inHand = 0;
    let most = 0;
    const handle = async (job: Job<Invoice>): Promise<void> => {
      most = Math.max(most, ++inHand);
      await new Promise<void>((resolve) => fleet.clock.setTimer(100, resolve));
      done.push(job.data.customer);
      inHand--;
    };
    const declare = [worker(handle, { concurrency: 3 })];
    const one = await fleet.run({ declare });
    await fleet.run({ declare });
    const queue = one.application.get(Queues).of(invoices);
    const customers = Array.from({ length: 30 }, (_, index) => `customer ${index}`);
    await fleet.wait(Promise.all(customers.map((customer) => queue.enqueue({ customer, amount: 1 }))));
    await fleet.until(() => done.length >= 30);
    assert.equal(done.toSorted(), customers.toSorted());
    assert.is(most, 6);
  }),
);

test(
  'a handler may settle the job itself',
  onFleet(async (fleet) => {
    const handle = async (job: Job<Invoice>): Promise<string> => {
      if (job.data.customer === 'anna') await job.complete('by the handler');
      else void job.complete('by the handler, not waited for');
      return 'ignored';
    };
    const machine = await fleet.run({ declare: [worker(handle)] });
    const queue = machine.application.get(Queues).of(invoices);
    for (const [customer, result] of [
      ['anna', 'by the handler'],
      ['bert', 'by the handler, not waited for'],
    ] as const) {
      const id = await fleet.wait(queue.enqueue({ customer, amount: 1 }));
      assert.is(await fleet.wait(queue.result(id)), result);
    }
    await fleet.until(() => machine.eventsOf('job-done').length === 2);
    assert.is(machine.eventsOf('job-failed').length, 0);
  }),
);

test(
  'in a drain the job in hand is finished and no other is begun',
  onFleet(async (fleet) => {
    const done: string[] = [];
    const handle = async (job: Job<Invoice>): Promise<void> => {
      await new Promise<void>((resolve) => fleet.clock.setTimer(3000, resolve));
      done.push(job.data.customer);
    };
    const machine = await fleet.run({ declare: [worker(handle)], drainDeadlineMs: 8000 });
    const other = await fleet.run({ declare: [] });
    const queue = other.application.get(Queues).of(invoices);
    for (const customer of ['anna', 'bert']) await fleet.wait(queue.enqueue({ customer, amount: 1 }));
    await fleet.time.advance(1000);
    await fleet.wait(machine.application.stop());
    assert.equal(done, ['anna']);
    assert.is(machine.eventsOf('job-done').length, 1);
    const left = await fleet.wait(queue.list());
    assert.equal(
      left.map(({ state }) => state),
      ['waiting'],
    );
  }),
);

test(
  'a job that is not finished at the drain deadline is aborted and done by another process',
  onFleet(async (fleet) => {
    let abortedAt = 0;
    const handleForEver = async (job: Job<Invoice>): Promise<void> => {
      job.signal.addEventListener('abort', () => (abortedAt = fleet.clock.now()));
      await never();
    };
    const machine = await fleet.run({ declare: [worker(handleForEver)], drainDeadlineMs: 4000 });
    const queue = machine.application.get(Queues).of(invoices);
    const id = await fleet.wait(queue.enqueue({ customer: 'anna', amount: 1 }));
    await fleet.time.advance(1000);
    const stoppedAt = fleet.clock.now();
    await fleet.wait(machine.application.stop());
    assert.is(abortedAt - stoppedAt, 4000);

    const other = await fleet.run({ declare: [worker(() => 'done by another')] });
    const result = other.application.get(Queues).of(invoices).result(id);
    assert.is(await fleet.wait(result), 'done by another');
  }),
);

test(
  'a process that is cut off loses its job before another has it, and cannot complete it any more',
  onFleet(async (fleet) => {
    const story: string[] = [];
    let finish = (): void => undefined;
    const slow = async (job: Job<Invoice>): Promise<string> => {
      job.signal.addEventListener('abort', () => story.push('lost'));
      await new Promise<void>((resolve) => (finish = resolve));
      return 'late';
    };
    const one = await fleet.run({ declare: [worker(slow)] });
    const queue = (await fleet.run({ declare: [] })).application.get(Queues).of(invoices);
    const id = await fleet.wait(queue.enqueue({ customer: 'anna', amount: 1 }));
    await fleet.time.advance(1000);
    await fleet.run({
      declare: [
        worker((job) => {
          story.push(`taken over at attempt ${job.attempt}`);
          return 'in time';
        }),
      ],
    });
    one.cut();
    assert.is(await fleet.wait(queue.result(id)), 'in time');
    one.heal();
    finish();
    await fleet.until(() => one.eventsOf('job-lost').length === 1);
    assert.equal(story, ['lost', 'taken over at attempt 2']);
    assert.is(one.eventsOf('job-done').length, 0);
    await fleet.time.advance(2 * SESSION_TIMEOUT_MS);
  }),
);

test(
  'a locked handler holds the lock that its job names, one job after the other',
  onFleet(async (fleet) => {
    const fences: bigint[] = [];
    @Worker({ queue: invoices, concurrency: 4 })
    class InvoiceWorker {
      @Locked<Invoice>((job) => `customers/${job.data.customer}`)
      async handle(_job: Job<Invoice>): Promise<void> {
        fences.push(currentHold().fence);
        await new Promise<void>((resolve) => fleet.clock.setTimer(1000, resolve));
      }
    }
    const machine = await fleet.run({ declare: [InvoiceWorker] });
    const queue = machine.application.get(Queues).of(invoices);
    const startedAt = fleet.clock.now();
    for (let count = 0; count < 3; count++) await fleet.wait(queue.enqueue({ customer: 'anna', amount: 1 }));
    await fleet.until(() => machine.eventsOf('job-done').length === 3);
    assert.ok(fleet.clock.now() - startedAt >= 3000, 'one after the other');
    assert.is(new Set(fences).size, 3);

    const { client } = machine.application;
    assert.equal((await fleet.wait(client.getChildren('/locks/customers/anna'))).children, []);
  }),
);

test(
  'a worker of batches gets several jobs in one call, each of them checked, and each has its own result',
  onFleet(async (fleet) => {
    const sizes: number[] = [];
    @Worker({ queue: invoices, batch: { size: 3, lingerMs: 100 } })
    class InvoiceBatches {
      handle(jobs: readonly Job<Invoice>[]): string[] {
        sizes.push(jobs.length);
        return jobs.map(({ data }) => `${data.customer} paid`);
      }
    }
    const machine = await fleet.run({ declare: [InvoiceBatches] });
    const queue = machine.application.get(Queues).of(invoices);
    const ids = await fleet.wait(
      queue.enqueueAll(['anna', 'bert', 'carl', 'dora'].map((customer) => ({ customer, amount: 1 }))),
    );
    const results = await fleet.wait(Promise.all(ids.map((id) => queue.result(id))));
    assert.equal(results, ['anna paid', 'bert paid', 'carl paid', 'dora paid']);
    assert.ok(sizes.length < 4, sizes.join());
    await fleet.until(() => machine.eventsOf('job-done').length === 4);
  }),
);

test(
  'a job that is cancelled while it is in hand is told of, and its signal has aborted',
  onFleet(async (fleet) => {
    let wasAborted = false;
    const wait = async ({ signal }: Job<Invoice>): Promise<void> => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      wasAborted = true;
    };
    const machine = await fleet.run({ declare: [worker(wait)] });
    const queue = machine.application.get(Queues).of(invoices);
    const id = await fleet.wait(queue.enqueue({ customer: 'anna', amount: 1 }));
    await fleet.time.advance(1000);
    assert.ok(await fleet.wait(queue.cancel(id)));
    await fleet.until(() => machine.eventsOf('job-cancelled').length === 1);
    assert.ok(wasAborted);
    assert.is(machine.eventsOf('job-lost').length, 0);
  }),
);

test(
  'limits that make no sense are refused at the start, naming the option',
  onFleet(async (fleet) => {
    for (const [options, option] of [
      [{ fleetConcurrency: 0 }, 'fleetConcurrency'],
      [{ rateLimit: { max: 1, perMs: 0 } }, 'rateLimit.perMs'],
      [{ groupRateLimit: { max: 1.5, perMs: 10 } }, 'groupRateLimit.max'],
    ] as const) {
      const error: unknown = await fleet
        .run({ declare: [worker(() => undefined, options)] })
        .catch((reason: unknown) => reason);
      assert.match(String(error), option);
    }
  }),
);

test('jobs of an isolated worker are done in threads by another module, and end with the application', async () => {
  @Worker({
    queue: 'pages',
    retries: 0,
    concurrency: 2,
    isolated: { module: new URL('./isolation/sample-work.js', import.meta.url), graceMs: 100 },
  })
  class Renderer {}
  const threads: Thread[] = [];
  const onThread = (thread: Thread): void => void threads.push(thread);
  process.on('worker', onThread);
  const fleet = await Fleet.startInRealTime();
  const machine = await fleet.run({ declare: [Renderer] });
  const queue = machine.application.get(Queues).of<string>('pages');
  const ids = await Promise.all(['where', 'where'].map((data) => queue.enqueue(data)));
  for (const id of ids) assert.ok(Number(await queue.result(id)) > 0, 'the main thread has number 0');
  const failed = await queue.result(await queue.enqueue('throw')).catch((reason: Error) => reason);
  assert.match(String(failed), 'too far');

  const endless = await queue.enqueue('for ever');
  await fleet.until(() => machine.eventsOf('job-started').some(({ id }) => id === endless));
  await machine.application.stop({ deadlineMs: 100 });
  process.off('worker', onThread);
  assert.ok(threads.length >= 2);
  // One that has ended has no number any more, as Node says.
  await fleet.until(() => threads.every(({ threadId }) => threadId === -1));
  await fleet.end();
});

test.run();
