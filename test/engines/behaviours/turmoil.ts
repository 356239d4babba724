import * as assert from 'uvu/assert';
import { FairLock, writeFenced } from '../../../core/recipes/index.js';
import { Worker, WorkQueue, type Job } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';
import type { Participant } from '../participant.js';

const JOBS = 60;
/** A client that loses one connection right after the other waits longer each time: that is not what is tried here. */
const DISTURBANCE_MS = 400;

/** Breaks the connections of one after the other until told to stop. */
async function disturb(participants: readonly Participant[], over: AbortSignal): Promise<void> {
  for (let turn = 0; !over.aborted; turn++) {
    participants[turn % participants.length]!.loseConnections();
    await new Promise((resolve) => setTimeout(resolve, DISTURBANCE_MS));
  }
}

export const turmoil: Behaviours = {
  'a lock excludes while connections break and a server dies': async (place) => {
    const participants = [1, 2, 3].map(() => place.participant());
    const clients = await Promise.all(participants.map((participant) => participant.client()));
    const over = new AbortController();
    let turns = 0;
    let fence = 0n;
    const contend = async (client: (typeof clients)[number]): Promise<void> => {
      const lock = new FairLock(client, 'contended');
      while (!over.signal.aborted) {
        await using hold = await lock.acquire();
        assert.ok(hold.fence > fence, 'a fence that did not grow');
        fence = hold.fence;
        await writeFenced(client, hold, '/written', `${hold.fence}`).catch((error: unknown) => {
          if (!hold.signal.aborted) throw error;
        });
        turns++;
      }
    };
    const scenario = async (): Promise<void> => {
      await place.until(() => turns >= 20);
      await place.engine.restartServer();
      const before = turns;
      await place.until(() => turns >= before + 20);
    };
    const scenes = scenario().finally(() => over.abort());
    await Promise.all([scenes, disturb(participants, over.signal), ...clients.map(contend)]);
    await clients[0]!.sync('/');
    const { data } = await clients[0]!.getData('/written');
    assert.ok(BigInt(Buffer.from(data!).toString()) <= fence);
  },

  'no job is lost while connections break and a server dies': async (place) => {
    const handled = new Map<number, number>();
    @Worker({ queue: 'rough', concurrency: 3 })
    class Rough {
      handle({ data }: Job<number>): number {
        handled.set(data, (handled.get(data) ?? 0) + 1);
        return data;
      }
    }
    const workers = [1, 2].map(() => place.participant());
    await Promise.all(workers.map((worker) => worker.run({ declare: [Rough] })));
    const producer = place.participant();
    const queue = new WorkQueue<number>(await producer.client(), 'rough');
    const over = new AbortController();
    const numbers = Array.from({ length: JOBS }, (_, job) => job);
    const results: unknown[] = [];
    const scenario = async (): Promise<void> => {
      const restarting = place.engine.restartServer();
      const ids: string[] = [];
      for (const job of numbers) ids.push(await queue.enqueue(job));
      await restarting;
      results.push(...(await Promise.all(ids.map((id) => queue.result(id)))));
    };
    const scenes = scenario().finally(() => over.abort());
    await Promise.all([scenes, disturb([...workers, producer], over.signal)]);
    assert.equal(results, numbers);
    assert.is(handled.size, JOBS);
    await place.until(async () => (await queue.counts()).jobs === 0);
  },
};
