import * as assert from 'uvu/assert';
import { defineQueue, Queues, Worker, WorkQueue, type Job } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

interface Begun {
  readonly at: number;
  readonly group: string | null;
}

const SPAN_MS = 600;
/** Timers and clocks do not agree to the millisecond. */
const SLACK_MS = 50;

/** Applications that share a queue of jobs, each of which only notes when it was begun. */
function noting(): { readonly begun: Begun[]; readonly declare: [new () => object] } {
  const begun: Begun[] = [];
  @Worker({
    queue: 'calls',
    concurrency: 10,
    rateLimit: { max: 4, perMs: SPAN_MS },
    groupRateLimit: { max: 1, perMs: SPAN_MS },
  })
  class Calls {
    handle({ group }: Job<number>): void {
      begun.push({ at: performance.now(), group });
    }
  }
  return { begun, declare: [Calls] };
}

/**
 * Until the last was begun, in milliseconds, from a moment at which none could be. From the first on would be less than the
 * limit makes of it wherever that one was let in, and begun late.
 */
function durationFrom(from: number, begun: readonly Begun[]): number {
  return Math.max(...begun.map(({ at }) => at)) - from;
}

export const jobLimits: Behaviours = {
  'the fleet begins no more jobs in a span of time than it may': async (place) => {
    const { begun, declare } = noting();
    await Promise.all([1, 2].map(() => place.participant().run({ declare })));
    const queue = new WorkQueue<number>(await place.client(), 'calls');
    const from = performance.now();
    await queue.enqueueAll(Array.from({ length: 12 }, (_, n) => n));
    await place.until(() => begun.length === 12);
    const durationMs = durationFrom(from, begun);
    assert.ok(durationMs > 2 * SPAN_MS - SLACK_MS, `12 jobs within ${durationMs} ms`);
  },

  'each group of jobs has a rate of its own, and does not hold up the others': async (place) => {
    const { begun, declare } = noting();
    await Promise.all([1, 2].map(() => place.participant().run({ declare })));
    const queue = new WorkQueue<number>(await place.client(), 'calls');
    await queue.pause();
    await queue.enqueueAll([1, 2, 3], { group: 'anna' });
    await queue.enqueueAll([4], { group: 'bert' });
    const from = performance.now();
    await queue.resume();
    await place.until(() => begun.length === 4);
    const annas = begun.filter(({ group }) => group === 'anna');
    const durationMs = durationFrom(from, annas);
    assert.ok(durationMs > 2 * SPAN_MS - SLACK_MS, `3 jobs within ${durationMs} ms`);
    const bert = begun.findIndex(({ group }) => group === 'bert');
    assert.ok(bert < 3, 'one group waited for another');
  },

  'a queue takes so many jobs and bytes and no more, and says which': async (place) => {
    const queue = new WorkQueue<string>(await place.client(), 'small', {
      maxJobs: 3,
      maxBytes: 1_000,
      maxJobBytes: 500,
    });
    const code = (adding: Promise<unknown>): Promise<unknown> =>
      adding.then(
        () => null,
        (error: unknown) => (error as { code?: unknown }).code,
      );
    assert.is(await code(queue.enqueue('x'.repeat(600))), 'JOB_TOO_LARGE');
    await queue.enqueue('x'.repeat(400));
    await queue.enqueue('x'.repeat(400));
    assert.is(await code(queue.enqueue('x'.repeat(400))), 'WORK_QUEUE_FULL');
    await queue.enqueue('x');
    assert.is(await code(queue.enqueue('x')), 'WORK_QUEUE_FULL');
    assert.is((await queue.counts()).jobs, 3);
  },

  'a payload that does not fit its schema is refused where it is enqueued, and never handled': async (
    place,
  ) => {
    const handled: number[] = [];
    const invoices = defineQueue<{ amount: number }>({
      name: 'checked',
      schema: {
        type: 'object',
        required: ['amount'],
        properties: { amount: { type: 'number', minimum: 0 } },
      },
    });
    @Worker({ queue: invoices })
    class Invoices {
      handle({ data }: Job<{ amount: number }>): void {
        handled.push(data.amount);
      }
    }
    const app = await place.participant().run({ declare: [Invoices] });
    const queue = app.get(Queues).of(invoices);
    const refusal = await queue.enqueue({ amount: -1 }).catch((error: unknown) => error);
    assert.is((refusal as { code?: unknown }).code, 'JOB_INVALID');

    const unchecked = new WorkQueue<unknown>(await place.client(), 'checked');
    const id = await unchecked.enqueue({ amount: 'much' });
    await queue.result(await queue.enqueue({ amount: 5 }));
    await place.until(async () => (await unchecked.status(id))?.state === 'dead');
    assert.equal(handled, [5]);
  },
};
