import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SeededRandom } from '../../../../core/runtime/index.js';
import {
  HoldLostError,
  InvalidShardsError,
  RecipeStateError,
  ShardAssignment,
  ShardMovedError,
  type OwnedShard,
} from '../../../../core/recipes/index.js';
import { breakEverywhere, RecipeWorld, SESSION_TIMEOUT_MS, type Participant } from '../recipe-world.js';
import { trouble } from '../trouble.js';

/** Fails when a shard has two owners, or a fence that is not above those before. */
class Checker {
  readonly owners = new Map<number, string>();
  readonly fences = new Map<number, bigint>();
  grants = 0;

  /** A task that obeys its signal at once if it lost the shard, and within `handoverMs` if it is asked for it. */
  task(world: RecipeWorld, id: string, handoverMs = 0): (owned: OwnedShard) => Promise<void> {
    return async ({ shard, fence, signal }) => {
      assert.not.ok(signal.aborted);
      assert.is(this.owners.get(shard), undefined, `${id} begins shard ${shard}, which is owned`);
      assert.ok(fence > (this.fences.get(shard) ?? 0n), 'a fence did not grow');
      this.owners.set(shard, id);
      this.fences.set(shard, fence);
      this.grants++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      for (let rest = handoverMs; rest > 0 && !(signal.reason instanceof HoldLostError); rest -= 50)
        await world.sleep(50);
      this.owners.delete(shard);
    };
  }

  countsOf(ids: readonly string[]): number[] {
    return ids.map((id) => [...this.owners.values()].filter((owner) => owner === id).length);
  }
}

function assign({ client }: Pick<Participant, 'client'>, id: string, task: (owned: OwnedShard) => unknown) {
  return new ShardAssignment(client, 'orders', task, { shards: 8, id });
}

test('the shards are divided evenly, and anew when members come and go', async () => {
  await RecipeWorld.play(async (world) => {
    const checker = new Checker();
    const one = assign(await world.join(), 'one', checker.task(world, 'one')).start();
    await one.ready();
    await world.until(() => checker.owners.size === 8);
    const two = assign(await world.join(), 'two', checker.task(world, 'two')).start();
    await world.until(() => checker.countsOf(['one', 'two']).join() === '4,4');
    const three = assign(await world.join(), 'three', checker.task(world, 'three')).start();
    await world.until(() =>
      checker.countsOf(['one', 'two', 'three']).every((count) => count === 2 || count === 3),
    );
    const owners = await three.owners();
    assert.equal(
      [...owners].map(([shard, { owner }]) => [shard, owner]),
      [...checker.owners].toSorted(([a], [b]) => a - b),
    );

    await two.close();
    await world.until(() => checker.countsOf(['one', 'three']).join() === '4,4');
    assert.is(one.owned.size, 4);
    await one.close();
    await three.close();

    assert.equal([...(await three.owners().catch(() => new Map()))], []);
  });
});

test('a shard that moves begins elsewhere only when its task has ended here', async () => {
  await RecipeWorld.play(async (world) => {
    const reasons: unknown[] = [];
    let letGo = (): void => undefined;
    const isAllowed = new Promise<void>((resolve) => (letGo = resolve));
    const one = assign(await world.join(), 'one', async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      reasons.push(signal.reason);
      await isAllowed;
    }).start();
    await world.until(() => one.owned.size === 8);
    const begun: number[] = [];
    const two = assign(await world.join(), 'two', ({ shard }) => begun.push(shard)).start();

    await world.until(() => reasons.length === 4);
    await world.sleep(3 * SESSION_TIMEOUT_MS);
    assert.ok(reasons.every((reason) => reason instanceof ShardMovedError));
    assert.equal(begun, []);
    assert.is(one.owned.size, 4);
    letGo();

    await world.until(() => begun.length === 4);
    await Promise.all([one.close(), two.close()]);
  });
});

test('a lost session ends its tasks before another begins them, which waits for nothing more', async () => {
  await RecipeWorld.play(async (world) => {
    const checker = new Checker();
    const lost = await world.join();
    const one = assign(lost, 'one', checker.task(world, 'one')).start();
    const two = assign(await world.join(), 'two', checker.task(world, 'two')).start();
    await world.until(() => checker.countsOf(['one', 'two']).join() === '4,4');

    lost.line.cutOff();
    await world.until(() => checker.countsOf(['one', 'two']).join() === '0,8');
    assert.is(one.owned.size, 0);
    lost.line.rejoin();

    await world.until(() => checker.countsOf(['one', 'two']).join() === '4,4');
    await Promise.all([one.close(), two.close()]);
  });
});

test('a restart moves no shard while its place is kept, whether the member comes back or another for it', async () => {
  await RecipeWorld.play(async (world) => {
    const checker = new Checker();
    const options = { shards: 8, rejoinMs: 10_000 };
    const enter = async (id: string) => {
      const { client } = await world.join();
      return new ShardAssignment(client, 'orders', checker.task(world, id), { ...options, id }).start();
    };
    const [one, two, three] = [await enter('one'), await enter('two'), await enter('three')];
    await world.until(() => checker.owners.size === 8 && checker.countsOf(['three'])[0]! >= 2);
    const before = new Map(checker.owners);
    const { grants } = checker;

    // The one that arranges the division restarts, too.
    await one.close();
    await world.sleep(5_000);
    const again = await enter('one');
    await world.until(() => checker.owners.size === 8);
    assert.equal(sorted(checker.owners), sorted(before));
    await two.close();
    const heir = await enter('heir');
    await world.until(() => checker.owners.size === 8);

    const named = new Map([...before].map(([shard, id]) => [shard, id === 'two' ? 'heir' : id]));
    assert.equal(sorted(checker.owners), sorted(named));
    const restarted = [...before.values()].filter((id) => id !== 'three').length;
    assert.is(checker.grants, grants + restarted);
    await Promise.all([again.close(), three.close(), heir.close()]);
  });
});

test('the shards of one that does not come back are given to the others after the time, whoever arranges by then', async () => {
  await RecipeWorld.play(async (world) => {
    const checker = new Checker();
    const joined = [await world.join(), await world.join(), await world.join()];
    const ids = ['one', 'two', 'three'];
    const [one, two, three] = ids.map((id, index) =>
      new ShardAssignment(joined[index]!.client, 'orders', checker.task(world, id), {
        shards: 6,
        id,
        rejoinMs: 10_000,
      }).start(),
    );
    await world.until(() => checker.countsOf(ids).join() === '2,2,2');

    await two!.close();
    await world.sleep(8_000);
    assert.equal(checker.countsOf(ids), [2, 0, 2]);
    joined[0]!.line.cutOff();

    await world.until(() => checker.countsOf(ids).join() === '0,0,6');
    joined[0]!.line.rejoin();
    await world.until(() => checker.countsOf(ids).join() === '3,0,3');
    await Promise.all([one!.close(), three!.close()]);
  });
});

const sorted = (owners: ReadonlyMap<number, string>) => [...owners].toSorted(([a], [b]) => a - b);

test('a task that fails gives the shard up and is begun again; one that returns keeps it', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    let failures = 0;
    const fences: bigint[] = [];
    const one = new ShardAssignment(
      client,
      'orders',
      ({ fence }) => {
        fences.push(fence);
        if (++failures < 3) throw new Error('not yet');
      },
      { shards: 1 },
    ).start();

    await world.until(() => fences.length === 3);
    await world.sleep(10_000);

    assert.is(fences.length, 3);
    assert.ok(fences[0]! < fences[1]! && fences[1]! < fences[2]!);
    assert.is(one.owned.get(0)?.fence, fences[2]);
    await one.close();
    assert.throws(
      () => one.start(),
      (error: unknown) => error instanceof RecipeStateError,
    );
  });
});

test('a number of shards, or a time for which places are kept, that cannot be is refused', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    for (const shards of [0, 1.5, Number.NaN, 5000])
      assert.throws(
        () => new ShardAssignment(client, 'orders', () => undefined, { shards }),
        (error: unknown) => error instanceof InvalidShardsError,
      );
    for (const rejoinMs of [-1, Number.NaN, Infinity])
      assert.throws(
        () => new ShardAssignment(client, 'orders', () => undefined, { shards: 1, rejoinMs }),
        (error: unknown) => error instanceof InvalidShardsError,
      );
  });
});

test('an assignment survives the loss of the connection at each of its steps', async () => {
  const breaks = await breakEverywhere(async (world, broken, plan) => {
    const checker = new Checker();
    const task = (id: string) => checker.task(world, id);
    const other = new ShardAssignment((await world.join()).client, 'orders', task('other'), {
      shards: 2,
      id: 'other',
    }).start();
    await world.until(() => checker.owners.size === 2);
    plan();
    const own = new ShardAssignment(broken.client, 'orders', task('own'), { shards: 2, id: 'own' }).start();
    await world.until(() => checker.countsOf(['own', 'other']).join() === '1,1');
    await own.close();
    await world.until(() => checker.countsOf(['other']).join() === '2');
    await other.close();
  });
  assert.ok(breaks >= 8, `only ${breaks} breaks`);
});

for (let seed = 1; seed <= 3; seed++) {
  test(`no shard is ever owned twice, and all are owned in the end, while connections and sessions are lost (seed ${seed})`, async () => {
    await RecipeWorld.play(async (world) => {
      const random = new SeededRandom(seed);
      const checker = new Checker();
      const ids = ['one', 'two', 'three'];
      const participants: Participant[] = [];
      for (const _ of ids) participants.push(await world.join());
      const assignments = ids.map((id, index) =>
        assign(participants[index]!, id, checker.task(world, id, random.next() * 500)).start(),
      );

      await trouble(world, participants, random, world.clock.now() + 60_000);
      await world.until(() => checker.countsOf(ids).every((count) => count === 2 || count === 3));
      await Promise.all(assignments.map((assignment) => assignment.close()));

      assert.ok(checker.grants > 12, `only ${checker.grants} grants`);
      assert.is(checker.owners.size, 0);
      assert.equal(await participants[0]!.client.getEphemerals('/shards'), []);
    });
  });
}

test('tasks of shards may wait for the close of their own assignment', async () => {
  await RecipeWorld.play(async (world) => {
    const participant = await world.join();
    let begun = 0;
    let closed = 0;
    const assignment: ShardAssignment = assign(participant, 'one', async () => {
      begun++;
      await world.until(() => begun === 8);
      await assignment.close();
      closed++;
    }).start();
    await world.until(() => closed === 8);
    await assignment.close();
    assert.equal([...(await assignment.owners())], []);
  });
});

test.run();
