import {
  FairLock,
  LeaderLatch,
  TreeCache,
  TryLock,
  WorkQueue,
  type Hold,
} from '../../../core/recipes/index.js';
import type { Actor } from '../actor.js';
import { check } from '../checkers/referee.js';

/** Holds a fair or a plain lock for a while, and uses what it guards. */
export async function locks(actor: Actor): Promise<void> {
  const lines = [new FairLock(actor.client, 'line'), new TryLock(actor.client, 'plain')];
  while (!actor.isOver) {
    const lock = actor.pick(lines);
    const timeoutMs = actor.world.plan.sessionMs * 3;
    const acquired = await actor.attempt(`acquire ${lock.path}`, () =>
      lock.acquire({ timeoutMs, signal: actor.signal }),
    );
    if (acquired.type === 'done') await use(actor, lock.path, acquired.value);
    await actor.think();
  }
}

/** Stands for a leadership, and uses what it guards while it leads; gives it back now and then. */
export async function latches(actor: Actor): Promise<void> {
  const latch = new LeaderLatch(actor.client, 'only', { id: actor.name }).start();
  while (!actor.isOver) {
    const { leadership } = latch;
    if (leadership !== null && !leadership.signal.aborted) await use(actor, latch.path, leadership);
    await actor.think();
  }
  await actor.attempt(`close ${latch.path}`, () => latch.close());
}

/** Works with what is guarded until the hold ends, or long enough. */
async function use(actor: Actor, thing: string, hold: Hold): Promise<void> {
  const { holds, referee } = actor.world;
  referee.watch(() => holds.acquired(actor.name, actor.client, hold));
  const { signal } = actor.client.session;
  const times = 1 + Math.floor(actor.random.next() * (actor.chance(0.2) ? 60 : 5));
  for (let time = 0; time < times && !hold.signal.aborted; time++) {
    referee.watch(() => {
      holds.used(actor.name, thing, hold);
      check(!signal.aborted, () => `${actor.name} still holds ${thing}, though its session is over`);
    });
    await actor.sleep(actor.world.plan.tickMs * actor.random.next());
  }
  actor.world.note(actor.name, hold.signal.aborted ? `lost ${thing}` : `gives ${thing} back`);
  await actor.attempt(`release ${thing}`, () => hold.release());
}

/** Enqueues jobs and does those of others. */
export async function queue(actor: Actor): Promise<void> {
  const { jobs, referee, plan } = actor.world;
  const work = new WorkQueue<string>(actor.client, 'work');
  const consumer = work.consume(
    async (job) => {
      referee.watch(() => jobs.begun(job.data, job.fence));
      await actor.sleep(plan.tickMs * actor.random.next());
      if (actor.chance(0.1)) throw new Error('a handler that fails');
      if (job.signal.aborted) return;
      jobs.done(job.data);
      const completion = await actor.attempt(`complete ${job.data}`, () => job.complete());
      if (completion.type === 'done') referee.watch(() => jobs.completed(job.data, job.fence));
    },
    { concurrency: 2, retries: 100, backoffMs: () => plan.tickMs, signal: actor.signal },
  );
  while (!actor.isOver) {
    const value = actor.value();
    jobs.tried(value);
    const enqueued = await actor.attempt(`enqueue ${value}`, () =>
      work.enqueue(value, { signal: actor.signal }),
    );
    if (enqueued.type === 'done') jobs.acknowledged(value);
    await actor.think();
    await actor.think();
  }
  // Until all is done: somebody else's jobs may come back when their session ends.
  while (jobs.left.length > 0 && actor.client.state !== 'closed') await actor.sleep(plan.tickMs);
  await actor.attempt('drain', () => consumer.drain());
}

/** Counts up by compare-and-set, and by nothing else. */
export async function counter(actor: Actor): Promise<void> {
  const { client } = actor;
  while (!actor.isOver) {
    await actor.attempt('count', async () => {
      const { data, stat } = await client.getData('/n', { signal: actor.signal });
      const count = Number(new TextDecoder().decode(data ?? new Uint8Array()));
      await client.setData('/n', String(count + 1), { version: stat.version });
    });
    await actor.think();
  }
}

/** Keeps a copy of what the registers are, through everything that happens. */
export async function caches(actor: Actor): Promise<void> {
  const cache = new TreeCache(actor.client, '/r').start();
  actor.caches.push(cache);
  while (!actor.isOver) await actor.think();
}

export const COUNTER_PATHS: readonly string[] = ['/n'];
