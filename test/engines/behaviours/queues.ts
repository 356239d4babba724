import * as assert from 'uvu/assert';
import { Queues, Worker, WorkQueue, type Job } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

const JOBS = 40;

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
};
