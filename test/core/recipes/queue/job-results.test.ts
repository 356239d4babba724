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

test.run();
