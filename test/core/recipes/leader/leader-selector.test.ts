import { AsyncResource } from 'node:async_hooks';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LeaderSelector, RecipeStateError } from '../../../../core/recipes/index.js';
import { RecipeWorld } from '../recipe-world.js';

test('they lead in turns, one at a time, for as long as their task runs', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = await Promise.all([world.join(), world.join(), world.join()]);
    const order: number[] = [];
    let leaders = 0;
    const selectors = participants.map(({ client }, who) =>
      new LeaderSelector(client, 'chair', async () => {
        order.push(who);
        assert.is(++leaders, 1);
        await world.sleep(1000);
        leaders--;
      }).start(),
    );
    await world.until(() => order.length >= 7);
    await Promise.all(selectors.map((selector) => selector.close()));
    assert.equal(
      order.slice(0, 3).sort((one, other) => one - other),
      [0, 1, 2],
    );
    assert.equal(order.slice(3, 6), order.slice(0, 3));
    assert.equal((await participants[0].client.getChildren('/leaders/chair')).children, []);
  });
});

test('without requeue it leads once; what the task throws ends the leadership', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    let led = 0;
    const once = new LeaderSelector(
      one.client,
      'chair',
      () => {
        led++;
        throw new Error('out of luck');
      },
      { requeue: false },
    ).start();
    await world.until(() => once.state === 'closed');
    const next = new LeaderSelector(other.client, 'chair', () => world.sleep(1)).start();
    await world.until(() => next.leadership !== null);
    await world.sleep(5000);
    assert.is(led, 1);
    assert.throws(
      () => once.start(),
      (error: unknown) => error instanceof RecipeStateError,
    );
    await next.close();
  });
});

test('a lost session tells the task, and another leads after that', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    let toldAt = Infinity;
    const first = new LeaderSelector(one.client, 'chair', async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      toldAt = world.clock.now();
    }).start();
    await world.until(() => first.leadership !== null);
    let ledAt = 0;
    const second = new LeaderSelector(other.client, 'chair', async () => {
      ledAt = world.clock.now();
      await world.sleep(60_000);
    }).start();
    one.line.cutOff();
    await world.until(() => ledAt > 0);
    assert.ok(toldAt < ledAt, `${toldAt} is before ${ledAt}`);
    one.line.rejoin();
    await second.close();
    await first.close();
  });
});

test('one that closes is followed by another only when its task, which is told, has ended', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    let toldAt = 0;
    let endedAt = 0;
    let ledAt = 0;
    const first = new LeaderSelector(one.client, 'chair', async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      toldAt = world.clock.now();
      await world.sleep(2000);
      endedAt = world.clock.now();
    }).start();
    await world.until(() => first.leadership !== null);
    const second = new LeaderSelector(other.client, 'chair', async () => {
      ledAt = world.clock.now();
      await world.sleep(10);
    }).start();
    await world.sleep(100);

    const closedAt = world.clock.now();
    await first.close();
    await world.until(() => ledAt > 0);

    assert.is(toldAt, closedAt);
    assert.ok(ledAt >= endedAt, `led at ${ledAt}, the other's task ended at ${endedAt}`);
    await second.close();
  });
});

test('a task that fails again and again is not begun again without a pause', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    let led = 0;
    const selector = new LeaderSelector(client, 'chair', () => {
      led++;
      throw new Error('out of luck');
    }).start();
    await world.sleep(20_000);
    assert.ok(led > 5 && led < 40, `it led ${led} times in 20 s`);
    await selector.close();
  });
});

test('a task may wait for the close of its own selector: the next one leads when it has ended', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    let endedAt = 0;
    let ledAt = 0;
    let closeLater = (): Promise<void> => Promise.resolve();
    const first: LeaderSelector = new LeaderSelector(one.client, 'chair', async () => {
      closeLater = AsyncResource.bind(() => first.close());
      await first.close();
      await world.sleep(1000);
      endedAt = world.clock.now();
    }).start();
    await world.until(() => first.leadership !== null);
    const second = new LeaderSelector(other.client, 'chair', async () => {
      ledAt = world.clock.now();
      await world.sleep(10);
    }).start();
    await world.until(() => first.state === 'closed');
    await closeLater();
    await first.close();
    assert.ok(endedAt > 0, 'a close from elsewhere waits for the task');
    await world.until(() => ledAt > 0);
    assert.ok(ledAt >= endedAt);
    await closeLater();
    await second.close();
  });
});

test.run();
