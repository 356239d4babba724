import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WorkQueue, type Job } from '../../../../core/recipes/index.js';
import { RecipeWorld } from '../recipe-world.js';

/** A worker with one slot that is taken by the job 'first' until `go` is called; jobs added after that can be read ahead. */
async function busyWorker(world: RecipeWorld): Promise<{
  readonly queue: WorkQueue<string>;
  readonly worker: Awaited<ReturnType<RecipeWorld['join']>>;
  readonly begun: string[];
  /** How many requests the worker had sent when it began each of them. */
  readonly sentBefore: number[];
  readonly go: () => void;
}> {
  const worker = await world.join();
  const queue = new WorkQueue<string>((await world.join()).client, 'mail');
  const begun: string[] = [];
  const sentBefore: number[] = [];
  let go = (): void => undefined;
  const gone = new Promise<void>((resolve) => (go = resolve));
  new WorkQueue<string>(worker.client, 'mail').consume(async ({ data }: Job<string>) => {
    begun.push(data);
    sentBefore.push(worker.requests.length);
    if (data === 'first') await gone;
  });
  await queue.enqueue('first');
  await world.until(() => begun.length === 1);
  return { queue, worker, begun, sentBefore, go };
}

test('the next job is read while the slot is taken, and claimed in the transaction that settles the last one', async () => {
  await RecipeWorld.play(async (world) => {
    const { queue, worker, begun, sentBefore, go } = await busyWorker(world);
    const from = worker.requests.length;
    await queue.enqueue('next');
    await world.sleep(500);
    assert.equal(
      worker.requests.slice(from).map(({ op }) => op),
      ['getData'],
    );

    go();
    await world.until(() => begun.length === 2);
    assert.equal(begun, ['first', 'next']);
    assert.equal(
      worker.requests.slice(from, sentBefore[1]).map(({ op }) => op),
      ['getData', 'multi'],
    );
    await world.until(async () => (await queue.counts()).jobs === 0);
  });
});

test('a job that was read ahead is not begun once it is cancelled, nor while the queue is paused', async () => {
  await RecipeWorld.play(async (world) => {
    const { queue, begun, go } = await busyWorker(world);
    const cancelled = await queue.enqueue('cancelled');
    await queue.enqueue('kept');
    await world.sleep(500);
    assert.ok(await queue.cancel(cancelled));
    await queue.pause();
    await world.sleep(500);
    go();
    await world.sleep(5_000);
    assert.equal(begun, ['first']);

    await queue.resume();
    await world.until(() => begun.length === 2);
    assert.equal(begun, ['first', 'kept']);
  });
});

test('a job of higher priority goes before those that were read ahead', async () => {
  await RecipeWorld.play(async (world) => {
    const { queue, begun, go } = await busyWorker(world);
    await queue.enqueue('plain');
    await world.sleep(500);
    await queue.enqueue('urgent', { priority: 1 });
    await world.sleep(500);
    go();
    await world.until(() => begun.length === 3);
    assert.equal(begun, ['first', 'urgent', 'plain']);
  });
});

test('a job that was read ahead is free to others; who took it keeps it', async () => {
  await RecipeWorld.play(async (world) => {
    const { queue, begun, go } = await busyWorker(world);
    const ids = await queue.enqueueAll(['a', 'b', 'c']);
    await world.sleep(100);
    const taken: string[] = [];
    const other = new WorkQueue<string>((await world.join()).client, 'mail');
    other.consume(async ({ data }) => {
      taken.push(data);
      await world.sleep(10);
    });
    await Promise.all(ids.map((id) => queue.result(id)));
    assert.equal(taken.toSorted(), ['a', 'b', 'c']);
    go();
    await world.sleep(1_000);
    assert.equal(begun, ['first']);
    assert.is((await queue.counts()).jobs, 0);
  });
});

test.run();
