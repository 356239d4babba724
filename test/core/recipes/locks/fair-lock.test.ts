import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FairLock,
  HoldLostError,
  HoldMismatchError,
  HoldReleasedError,
  InvalidNameError,
} from '../../../../core/recipes/index.js';
import { RecipeWorld } from '../recipe-world.js';

test('one holds at a time, in the order of asking, with growing fences', async () => {
  await RecipeWorld.play(async (world) => {
    const participants = await Promise.all([world.join(), world.join(), world.join()]);
    const order: number[] = [];
    const fences: bigint[] = [];
    let holders = 0;

    await Promise.all(
      participants.map(async ({ client }, who) => {
        const lock = new FairLock(client, 'door');
        await world.sleep(who * 100);
        await lock.run(async (hold) => {
          assert.is(++holders, 1);
          order.push(who);
          fences.push(hold.fence);
          await world.sleep(1000);
          holders--;
        });
      }),
    );

    assert.equal(order, [0, 1, 2]);
    assert.ok(fences[0]! < fences[1]! && fences[1]! < fences[2]!);
  });
});

test('the znodes are those of Curator, below containers, and gone after the release', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const lock = new FairLock(client, 'customers/42', { data: 'me' });

    const hold = await lock.acquire();
    const { data, stat } = await client.getData(hold.path);
    assert.match(hold.path, /^\/locks\/customers\/42\/_c_[0-9a-f-]{36}-lock-\d{10}$/);
    assert.is(new TextDecoder().decode(data), 'me');
    assert.is(stat.ephemeralOwner, client.session.id);
    assert.is(stat.czxid, hold.fence);

    await hold.release();
    assert.equal((await client.getChildren('/locks/customers/42')).children, []);
    assert.instance(hold.signal.reason, HoldReleasedError);
    await hold.release();
  });
});

test('two locks of one process and one name exclude each other', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const hold = await new FairLock(client, 'door').acquire();
    assert.is(await new FairLock(client, 'door').tryAcquire(), null);
    await hold.release();
  });
});

test('a contender made by kazoo stands in the same line', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    await client.create('/locks/door/0f1e2d3c__lock__', null, {
      mode: 'ephemeral-sequential',
      createParents: true,
    });
    await client.create('/locks/door/unrelated', null, { mode: 'ephemeral' });

    assert.is(await new FairLock(client, 'door').tryAcquire(), null);
    await client.delete('/locks/door/0f1e2d3c__lock__0000000000');
    const hold = await new FairLock(client, 'door').tryAcquire();

    assert.ok(hold !== null);
    await hold.release();
  });
});

test('a release wakes one waiter of many: the requests it causes do not grow with the line', async () => {
  const requestsPerRelease: number[] = [];
  for (const waiters of [3, 12]) {
    await RecipeWorld.play(async (world) => {
      const holder = await world.join();
      const hold = await new FairLock(holder.client, 'door').acquire();
      const others = await Promise.all(Array.from({ length: waiters }, () => world.join()));
      for (const { client } of others) {
        void new FairLock(client, 'door').acquire().catch(() => undefined);
        await world.sleep(10);
      }
      await world.sleep(100);
      const before = others.map(({ requests }) => requests.length);

      await hold.release();
      await world.sleep(50);

      const woken = others.filter(({ requests }, which) => requests.length > before[which]!);
      assert.is(woken.length, 1);
      requestsPerRelease.push(woken[0]!.requests.length - before[others.indexOf(woken[0]!)]!);
    });
  }
  assert.is(requestsPerRelease[0], requestsPerRelease[1]);
});

test('it is held within itself, and free when the last of the holds is released', async () => {
  await RecipeWorld.play(async (world) => {
    const [one, other] = [await world.join(), await world.join()];
    const lock = new FairLock(one.client, 'door');
    const rival = new FairLock(other.client, 'door');
    const outer = await lock.acquire();
    const inner = await lock.acquire({ within: outer });
    const third = await lock.tryAcquire({ within: inner });
    assert.is(inner.path, outer.path);

    await inner.release();
    await inner.release();
    await third!.release();
    assert.ok(inner.signal.aborted);
    assert.not.ok(outer.signal.aborted);
    assert.is(await rival.tryAcquire(), null);
    await outer.release();
    const theirs = await rival.tryAcquire();
    assert.ok(theirs !== null);
    for (const wrong of [outer, await new FairLock(one.client, 'window').acquire()]) {
      const refused = await lock.acquire({ within: wrong }).catch((error: unknown) => error);
      assert.instance(refused, HoldMismatchError);
    }
  });
});

test('a lost session ends all holds of a lock that is held within itself', async () => {
  await RecipeWorld.play(async (world) => {
    const participant = await world.join();
    const lock = new FairLock(participant.client, 'door');
    const outer = await lock.acquire();
    const inner = await lock.acquire({ within: outer });
    await world.expire(participant);
    for (const hold of [outer, inner]) assert.instance(hold.signal.reason, HoldLostError);
    await inner.release();
    await outer.release();
  });
});

test('explain says who holds it since when, and who waits, in order', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    const lock = (data: string): FairLock => new FairLock(client, 'door', { data });
    assert.equal(await lock('x').explain(), { path: '/locks/door', holders: [], waiters: [] });
    const first = await lock('anna').acquire();
    const second = lock('bert').acquire();
    const third = lock('carl').acquire();
    await world.sleep(1000);
    const before = await lock('x').explain();
    assert.equal(
      before.holders.map(({ owner, kind, fence, sessionId }) => ({ owner, kind, fence, sessionId })),
      [{ owner: 'anna', kind: 'exclusive', fence: first.fence, sessionId: client.session.id }],
    );
    assert.equal(
      before.waiters.map(({ owner }) => owner),
      ['bert', 'carl'],
    );

    await first.release();
    await second;
    await world.sleep(100);
    const [holder] = (await lock('x').explain()).holders;
    assert.is(holder?.owner, 'bert');
    assert.ok(holder!.heldSince >= holder!.askedAt + 900, 'since its turn, not since it asked');
    await (await second).release();
    await (await third).release();
  });
});

test('a name that cannot be a path is refused', async () => {
  await RecipeWorld.play(async (world) => {
    const { client } = await world.join();
    for (const name of ['', '/door', 'door/', 'a//b', 'a/../b', 'a\u0000b', '\u{1f600}'])
      assert.throws(
        () => new FairLock(client, name),
        (error: unknown) => error instanceof InvalidNameError,
        name,
      );
  });
});

test.run();
