import * as assert from 'uvu/assert';
import { Worker, WorkQueue, type Job, type QueueEvent } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

export const jobInspection: Behaviours = {
  'whoever looks on sees what happens in a queue, how far a job is, and what is left of it': async (
    place,
  ) => {
    let goOn = (): void => undefined;
    @Worker({ queue: 'films', retries: 1, backoffMs: () => 50 })
    class Films {
      async handle(job: Job<string>): Promise<string> {
        await job.progress({ percent: 50 * job.attempt });
        await new Promise<void>((resolve) => (goOn = resolve));
        if (job.attempt === 1) throw new Error('the film is torn');
        return 'seen';
      }
    }
    const queue = new WorkQueue<string>(await place.client(), 'films');
    await queue.pause();
    const stop = new AbortController();
    const seen: QueueEvent[] = [];
    const watching = (async () => {
      for await (const event of queue.events({ signal: stop.signal })) seen.push(event);
    })();
    await place.participant().run({ declare: [Films] });
    const id = await queue.enqueue('Metropolis');
    await place.until(() => seen.some(({ type }) => type === 'added'));
    assert.equal(
      (await queue.list()).map(({ state, data }) => [state, data]),
      [['waiting', 'Metropolis']],
    );

    await queue.resume();
    for (const attempt of [1, 2]) {
      const isAt = async (): Promise<boolean> => {
        const status = await queue.status(id);
        return (status?.progress as { percent?: number } | undefined)?.percent === 50 * attempt;
      };
      await place.until(isAt);
      assert.is((await queue.status(id))!.state, 'active');
      goOn();
    }
    assert.is(await queue.result(id), 'seen');
    await place.until(() => seen.some(({ type }) => type === 'over'));
    stop.abort();
    await watching;

    const told = seen.flatMap((event) => (event.type === 'progress' ? [event.progress] : []));
    assert.equal(told, [{ percent: 50 }, { percent: 100 }]);
    const types = new Set(seen.map(({ type }) => type));
    for (const type of ['added', 'changed', 'delayed', 'resumed', 'over'] as const)
      assert.ok(types.has(type), `${type} among ${[...types].join()}`);
  },

  'all dead letters are to be done again at one word, and one can be thrown away': async (place) => {
    let isBroken = true;
    const done: string[] = [];
    @Worker({ queue: 'drafts', retries: 0, concurrency: 4 })
    class Drafts {
      handle({ data }: Job<string>): void {
        if (isBroken) throw new Error('out of ink');
        done.push(data);
      }
    }
    await place.participant().run({ declare: [Drafts] });
    const queue = new WorkQueue<string>(await place.client(), 'drafts');
    const ids = await queue.enqueueAll(['a', 'b', 'c', 'd']);
    await place.until(async () => (await queue.counts()).dead === 4);
    assert.equal([...(await queue.deadLetters())].toSorted(), [...ids].toSorted());
    const letter = (await queue.deadLetter(ids[0]!))!;
    assert.is(letter.data, 'a');
    assert.match(letter.failure, 'out of ink');

    await queue.removeDeadLetter(ids[0]!);
    isBroken = false;
    assert.is(await queue.reviveAll(), 3);
    await place.until(() => done.length === 3);
    assert.equal(done.toSorted(), ['b', 'c', 'd']);
    await place.until(async () => {
      const { jobs, dead } = await queue.counts();
      return jobs + dead === 0;
    });
  },

  'a result is kept for all who ask, also when the worker is gone': async (place) => {
    @Worker({ queue: 'sums' })
    class Sums {
      handle({ data }: Job<number[]>): number {
        return data.reduce((sum, n) => sum + n, 0);
      }
    }
    const app = await place.participant().run({ declare: [Sums] });
    const queue = new WorkQueue<number[]>(await place.client(), 'sums');
    const id = await queue.enqueue([1, 2, 3]);
    assert.is(await queue.result(id), 6);
    await app.stop();

    const other = new WorkQueue<number[]>(await place.client(), 'sums');
    for (const _ of [1, 2]) assert.is(await other.result(id), 6);
    assert.is((await other.status(id))?.state, 'done');
  },
};
