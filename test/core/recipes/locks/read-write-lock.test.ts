import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HoldMismatchError, ReadWriteLock, type Hold } from '../../../../core/recipes/index.js';
import { SeededRandom } from '../../../../core/runtime/index.js';
import { breakEverywhere, RecipeWorld } from '../recipe-world.js';
import { holdFor, trouble } from '../trouble.js';

test('many read at the same time, one writes, and the order is that of asking', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = await Promise.all([world.join(), world.join(), world.join(), world.join()]);
    const story: string[] = [];
    const act = async (who: number, kind: 'read' | 'write'): Promise<void> => {
      const lock = new ReadWriteLock(participants[who]!.client, 'ledger');
      await world.sleep(who * 50);
      await lock[kind].run(async () => {
        story.push(`${who} ${kind} begins`);
        await world.sleep(1000);
        story.push(`${who} ${kind} ends`);
      });
    };

    await Promise.all([act(0, 'read'), act(1, 'read'), act(2, 'write'), act(3, 'read')]);

    assert.equal(story, [
      '0 read begins',
      '1 read begins',
      '0 read ends',
      '1 read ends',
      '2 write begins',
      '2 write ends',
      '3 read begins',
      '3 read ends',
    ]);
  });
});

test('the znodes are those of Curator, and those of kazoo stand in the same line', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const lock = new ReadWriteLock(client, 'ledger');
    const reading = await lock.read.acquire();
    assert.match(reading.path, /^\/locks\/ledger\/_c_[0-9a-f-]{36}-__READ__\d{10}$/);
    await reading.release();
    const writing = await lock.write.acquire();
    assert.match(writing.path, /^\/locks\/ledger\/_c_[0-9a-f-]{36}-__WRIT__\d{10}$/);
    await writing.release();

    await client.create('/locks/ledger/0a1b__rlock__', null, { mode: 'ephemeral-sequential' });
    const beside = await lock.read.tryAcquire();
    assert.ok(beside !== null);
    await beside.release();
    assert.is(await lock.write.tryAcquire(), null);
    await client.create('/locks/ledger/0a1b__lock__', null, { mode: 'ephemeral-sequential' });
    assert.is(await lock.read.tryAcquire(), null);
  });
});

test('a writer goes on as a reader, and no other writer comes in between', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const lock = new ReadWriteLock(one.client, 'ledger');
    const writing = await lock.write.acquire();
    let hasWritten = false;
    const rival = new ReadWriteLock(other.client, 'ledger').write.acquire().then((hold) => {
      hasWritten = true;
      return hold;
    });
    await world.sleep(100);

    // The rival asked before: it has its turn when the reader is done, and not when the writer is.
    const reading = await lock.downgrade(writing, { timeoutMs: 500 });
    await writing.release();
    await world.sleep(1_000);
    assert.not.ok(reading.signal.aborted);
    assert.not.ok(hasWritten, 'another writes while this one reads');
    assert.is(await new ReadWriteLock(other.client, 'ledger').read.tryAcquire(), null);

    await reading.release();
    const theirs = await rival;
    assert.ok(hasWritten);
    assert.ok(theirs.fence > reading.fence);
    await theirs.release();
    assert.is((await one.client.getChildren(lock.path)).children.length, 0, 'nothing is left behind');

    const again = await lock.write.acquire();
    const kept = await lock.downgrade(again);
    await again.release();
    assert.is(await new ReadWriteLock(other.client, 'ledger').write.tryAcquire(), null);
    assert.not.ok(kept.signal.aborted);
    await kept.release();
    const refused = await lock.downgrade(kept).catch((error: unknown) => error);
    assert.instance(refused, HoldMismatchError);
  });
});

test('it is held within itself, on either side, and free when the last of the holds is released', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const lock = new ReadWriteLock(one.client, 'ledger');
    const rival = new ReadWriteLock(other.client, 'ledger');
    const outer = await lock.write.acquire();
    const inner = await lock.write.acquire({ within: outer });
    assert.is(inner.fence, outer.fence);
    await outer.release();
    assert.ok(outer.signal.aborted);
    assert.not.ok(inner.signal.aborted);
    assert.is(await rival.read.tryAcquire(), null);
    await inner.release();
    const free = await rival.read.tryAcquire();
    assert.ok(free !== null);
    const wrong = await lock.read.acquire({ within: inner }).catch((error: unknown) => error);
    assert.instance(wrong, HoldMismatchError);
    await free.release();
  });
});

test('the connection may break at each request of a reader behind a writer', async () => {
  const breaks = await breakEverywhere(async (world, { client }, plan) => {
    const other = await world.join();
    const writing = await new ReadWriteLock(other.client, 'ledger').write.acquire();
    plan();
    const reading = new ReadWriteLock(client, 'ledger').read.acquire();
    await world.sleep(500);
    await writing.release();
    const hold = await reading;
    assert.ok(hold.fence > writing.fence);
    assert.is(await new ReadWriteLock(other.client, 'ledger').write.tryAcquire(), null);
    await hold.release();
    await world.sleep(3000);
    assert.equal((await other.client.getChildren('/locks/ledger')).children, []);
  });
  assert.ok(breaks >= 5, `only ${breaks} breaks`);
});

test('who reads and who writes never meet while lines are cut and sessions lost', async () => {
  await RecipeWorld.play(async (world) => {
    const random = new SeededRandom(7);
    const participants = await Promise.all([world.join(), world.join(), world.join(), world.join()]);
    let readers = 0;
    let writers = 0;
    let most = 0;
    let writes = 0;
    const untilMs = world.clock.now() + 60_000;
    const use = (hold: Hold, kind: 'read' | 'write'): Promise<void> => {
      const change = (by: number): void => void (kind === 'read' ? (readers += by) : (writers += by));
      return holdFor(world, hold, random.next() * 500, {
        enter() {
          change(1);
          most = Math.max(most, readers);
          if (kind === 'write') writes++;
          assert.ok(writers === 0 || (writers === 1 && readers === 0), `${readers} read, ${writers} write`);
        },
        leave: () => change(-1),
      });
    };
    const contend = async ({ client }: (typeof participants)[number]): Promise<void> => {
      const lock = new ReadWriteLock(client, 'ledger');
      while (world.clock.now() < untilMs) {
        const kind = random.next() < 0.6 ? 'read' : 'write';
        await use(await lock[kind].acquire(), kind);
      }
    };
    await Promise.all([...participants.map(contend), trouble(world, participants, random, untilMs)]);
    assert.ok(most > 1, 'nobody read together');
    assert.ok(writes > 5, `only ${writes} writes`);
  });
});

test('explain says who reads, who writes and who waits', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const lock = (data: string): ReadWriteLock => new ReadWriteLock(client, 'ledger', { data });
    assert.equal(await lock('x').explain(), { path: '/locks/ledger', holders: [], waiters: [] });
    const holds = [await lock('anna').read.acquire(), await lock('bert').read.acquire()];
    const writing = lock('carl').write.acquire();
    const late = lock('dora').read.acquire();
    await world.sleep(100);

    const { holders, waiters } = await lock('x').explain();
    assert.equal(
      holders.map(({ owner, kind, fence }) => [owner, kind, fence]),
      [
        ['anna', 'read', holds[0]!.fence],
        ['bert', 'read', holds[1]!.fence],
      ],
    );
    assert.equal(
      waiters.map(({ owner, kind }) => [owner, kind]),
      [
        ['carl', 'write'],
        ['dora', 'read'],
      ],
    );
    for (const hold of holds) await hold.release();
    await (await writing).release();
    await (await late).release();
  });
});

test.run();
