import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WorkQueue } from '../../../../core/recipes/index.js';
import { RecipeWorld } from '../recipe-world.js';

test('a result is kept for its time, and then removed', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const queue = new WorkQueue<number>(client, 'sums', { resultTtlMs: 30_000 });
    queue.consume(({ data }) => data + 1);
    const id = await queue.enqueue(1);
    assert.is(await queue.result(id), 2);
    await world.sleep(20_000);
    assert.is((await queue.status(id))?.state, 'done');
    assert.is(await queue.result(id), 2);

    await world.sleep(180_000);
    assert.is(await queue.status(id), null);
    assert.is(await queue.result(id), undefined);
    assert.equal((await client.getChildren('/queues/sums/results')).children, []);
  });
});

test('where servers keep no znodes with a time to live, results are kept for their time all the same', async () => {
  await RecipeWorld.play(
    async (world) => {
      const { client } = await world.join();
      const queue = new WorkQueue<string>(client, 'sums', { resultTtlMs: 90_000 });
      const consumer = queue.consume(({ data }) => `${data}!`);
      const kept = async (): Promise<number> =>
        (await client.getChildren('/queues/sums/results')).children.length;
      const first = await queue.enqueue('first');
      assert.is(await queue.result(first), 'first!');
      await world.sleep(70_000);
      assert.is(await queue.result(await queue.enqueue('second')), 'second!');
      assert.is(await queue.result(first), 'first!');

      // A consumer that settles a job removes in passing what is old by then.
      await world.sleep(70_000);
      assert.is(await queue.result(await queue.enqueue('third')), 'third!');
      await world.until(async () => (await kept()) === 2);
      assert.is(await queue.result(first), undefined);
      await consumer.drain();
    },
    { ttlNodes: false },
  );
});

test.run();
