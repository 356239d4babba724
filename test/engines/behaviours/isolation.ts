import * as assert from 'uvu/assert';
import { IsolatedHandler, Worker, WorkQueue, type Job } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';
import type { IsolatedOrder } from './isolated-work.js';

/** A worker whose jobs are done in threads; what is thrown there comes back here. */
function isolating(handler: IsolatedHandler<IsolatedOrder>): [new () => object] {
  @Worker({ queue: 'heavy', concurrency: 2, retries: 2, backoffMs: () => 20 })
  class Heavy {
    handle(job: Job<IsolatedOrder>): Promise<unknown> {
      return handler.run(job);
    }
  }
  return [Heavy];
}

const MODULE = new URL('./isolated-work.js', import.meta.url);

export const isolation: Behaviours = {
  'a job is done in a thread of its own; one that ends its thread fails, is tried again, and takes no other along':
    async (place) => {
      await using handler = new IsolatedHandler<IsolatedOrder>(MODULE, { threads: 2 });
      const worker = place.participant();
      await worker.run({ declare: isolating(handler) });
      const queue = new WorkQueue<IsolatedOrder>(await place.client(), 'heavy');
      const [crashing, plain] = await queue.enqueueAll(['crash once', 'facts']);

      const facts = (await queue.result(plain!)) as { thread: number; fence: string };
      assert.ok(facts.thread > 0);
      assert.ok(BigInt(facts.fence) > 0n);
      assert.is(await queue.result(crashing!), 'attempt 2');
      const [failure] = worker.eventsOf('job-failed');
      assert.is((failure!.error as { code?: unknown }).code, 'ISOLATION_FAILED');
    },

  'cancelling reaches the thread, and ends one that does not listen; progress comes out of it': async (
    place,
  ) => {
    await using handler = new IsolatedHandler<IsolatedOrder>(MODULE, { threads: 2, graceMs: 100 });
    const worker = place.participant();
    await worker.run({ declare: isolating(handler) });
    const queue = new WorkQueue<IsolatedOrder>(await place.client(), 'heavy');
    const ids = await queue.enqueueAll(['until cancelled', 'for ever']);
    for (const id of ids) await place.until(async () => (await queue.status(id))?.progress === 'begun');

    for (const id of ids) assert.ok(await queue.cancel(id));
    await place.until(() => worker.eventsOf('job-cancelled').length === 2);
    // Both threads are free again, or replaced.
    const next = await queue.enqueueAll(['facts', 'facts']);
    for (const id of next) assert.ok(await queue.result(id));
  },
};
