import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WorkQueue, type ConsumeOptions } from '../../../../core/recipes/index.js';
import { RecipeWorld, type Participant } from '../recipe-world.js';

const FIRST = { fleetConcurrency: 1 } as const;

/** Numbers of the jobs that were begun, and how many at most were at it at once. */
class Work {
  readonly done: number[] = [];
  most = 0;
  #active = 0;

  constructor(readonly world: RecipeWorld) {}

  consume({ client }: Participant, options: ConsumeOptions = FIRST, forMs = 2) {
    const handle = async (job: { readonly data: number }): Promise<void> => {
      this.most = Math.max(this.most, ++this.#active);
      await this.world.sleep(forMs);
      this.#active--;
      this.done.push(job.data);
    };
    return new WorkQueue<number>(client, 'mail').consume(handle, options);
  }
}

async function enqueue({ client }: Participant, numbers: readonly number[]): Promise<void> {
  const queue = new WorkQueue<number>(client, 'mail');
  await Promise.all(numbers.map((number) => queue.enqueue(number)));
}

test('a slot of the fleet is free again although the delete of its znode was lost', async () => {
  for (const lose of ['loseNextRequest', 'loseNextReply'] as const)
    await RecipeWorld.play(async (world) => {
      const [producer, one, other] = [await world.join(), await world.join(), await world.join()];
      const work = new Work(world);
      const first = work.consume(one);
      await world.until(() => first.isReady);
      const lost = one.line[lose]({ op: 'delete', path: /\/slots\// });
      await enqueue(producer, [1]);
      await lost;
      const second = work.consume(other);
      await world.until(() => second.isReady);
      await enqueue(producer, [2, 3, 4, 5]);
      await world.until(() => work.done.length === 5, 60_000);
      assert.is(work.most, 1);
      await Promise.all([first.drain(), second.drain()]);
      assert.equal((await producer.client.getChildren('/queues/mail/slots')).children, []);
    });
});

test('a consumer that drains while the delete of its slot is in doubt leaves no slot behind', async () => {
  await RecipeWorld.play(async (world) => {
    const [producer, one] = [await world.join(), await world.join()];
    const work = new Work(world);
    const consumer = work.consume(one);
    await world.until(() => consumer.isReady);
    await enqueue(producer, [1]);
    await world.until(() => work.done.length === 1);
    const lost = one.line.loseNextRequest({ op: 'delete', path: /\/slots\// });
    await consumer.drain();
    await lost;
    assert.equal((await producer.client.getChildren('/queues/mail/slots')).children, []);
  });
});

test('two consumers of one session never share a slot whose creation was in doubt', async () => {
  for (const lose of ['loseNextRequest', 'loseNextReply'] as const)
    await RecipeWorld.play(async (world) => {
      const [producer, one] = [await world.join(), await world.join()];
      const work = new Work(world);
      const consumers = [work.consume(one, FIRST, 50), work.consume(one, FIRST, 50)];
      await world.until(() => consumers.every(({ isReady }) => isReady));
      const lost = one.line[lose]({ op: 'multi' });
      await enqueue(producer, [1, 2, 3, 4, 5, 6]);
      await lost;
      await world.until(() => work.done.length === 6, 60_000);
      assert.is(work.most, 1);
      await Promise.all(consumers.map((consumer) => consumer.drain()));
    });
});

test('a limit of the fleet costs one request when work begins, and none between two jobs', async () => {
  const requests = new Map<number | undefined, number>();
  const numbers = Array.from({ length: 100 }, (_, number) => number);
  for (const fleetConcurrency of [undefined, 1, 50])
    await RecipeWorld.play(async (world) => {
      const [producer, one] = [await world.join(), await world.join()];
      const work = new Work(world);
      const consumer = work.consume(one, { fleetConcurrency, concurrency: 1 });
      await world.until(() => consumer.isReady);
      const before = one.requests.length;
      const begunAt = world.clock.now();
      await enqueue(producer, numbers);
      await world.until(() => work.done.length === numbers.length);
      requests.set(fleetConcurrency, one.requests.length - before);
      assert.ok(
        world.clock.now() - begunAt < 5 * numbers.length,
        'no job waits for anything but the one before',
      );
      await consumer.drain();
    });
  for (const limit of [1, 50]) assert.ok(requests.get(limit)! <= requests.get(undefined)! + 2);
});

test('consumers that share one slot of the fleet take turns under load that does not end', async () => {
  await RecipeWorld.play(async (world) => {
    const [producer, one, other] = [await world.join(), await world.join(), await world.join()];
    const [mine, theirs] = [new Work(world), new Work(world)];
    const consumers = [mine.consume(one, FIRST, 50), theirs.consume(other, FIRST, 50)];
    await world.until(() => consumers.every(({ isReady }) => isReady));
    await enqueue(
      producer,
      Array.from({ length: 200 }, (_, number) => number),
    );
    await world.until(() => mine.done.length + theirs.done.length >= 100);
    assert.ok(mine.done.length > 20 && theirs.done.length > 20, `${mine.done.length}, ${theirs.done.length}`);
    await Promise.all(consumers.map((consumer) => consumer.drain()));
  });
});

test.run();
