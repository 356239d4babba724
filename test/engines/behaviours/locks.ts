import * as assert from 'uvu/assert';
import type { Client } from '../../../core/client/index.js';
import { MultiLock, ReadWriteLock, Semaphore, writeFenced } from '../../../core/recipes/index.js';
import { currentHold, FairLock, HoldLostError, Locked, Service, TryLock } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

const PARTICIPANTS = 3;
const TURNS = 5;

export const locks: Behaviours = {
  'a fair lock has one holder at a time, and a fence that grows from holder to holder': async (place) => {
    const clients = await Promise.all(Array.from({ length: PARTICIPANTS }, () => place.client()));
    const fences: bigint[] = [];
    let inside = 0;
    let most = 0;
    const takeTurns = async (lock: FairLock): Promise<void> => {
      for (let turn = 0; turn < TURNS; turn++) {
        await lock.run(async ({ fence }) => {
          most = Math.max(most, ++inside);
          fences.push(fence);
          await new Promise((resolve) => setTimeout(resolve, 2));
          inside--;
        });
      }
    };
    await Promise.all(clients.map((client) => takeTurns(new FairLock(client, 'turns'))));

    assert.is(most, 1);
    assert.is(fences.length, PARTICIPANTS * TURNS);
    assert.ok(fences.every((fence, index) => index === 0 || fence > fences[index - 1]!));
  },

  'who waits for a fair lock gets it in the order of asking': async (place) => {
    const clients = await Promise.all(Array.from({ length: PARTICIPANTS + 1 }, () => place.client()));
    const [holder, ...waiting] = clients.map((client) => new FairLock(client, 'line'));
    const hold = await holder!.acquire();
    const order: number[] = [];
    const turns: Promise<void>[] = [];
    for (const [index, lock] of waiting.entries()) {
      turns.push(lock.run(() => void order.push(index)));
      await place.until(async () => (await clients[0]!.getChildren(lock.path)).children.length === index + 2);
    }
    assert.equal(order, []);
    await hold.release();
    await Promise.all(turns);
    assert.equal(order, [0, 1, 2]);
  },

  'a try-lock is refused while another has it, and given again after the release': async (place) => {
    const [one, other] = [
      new TryLock(await place.client(), 'till', { owner: 'one' }),
      new TryLock(await place.client(), 'till'),
    ];
    const hold = await one.acquire();
    assert.is(await other.tryAcquire(), null);
    assert.is((await other.owner())?.owner, 'one');
    await hold.release();
    await place.until(async () => (await other.tryAcquire()) !== null);
  },

  'a holder that is cut off is told before another holds': async (place) => {
    const cut = place.participant();
    const hold = await new FairLock(await cut.client(), 'guarded').acquire();
    let toldAt = Infinity;
    hold.signal.addEventListener('abort', () => (toldAt = performance.now()));

    const next = new FairLock(await place.client(), 'guarded').acquire();
    cut.cutOff();
    const nextHold = await next;
    assert.ok(toldAt <= performance.now(), 'nobody told the first holder');
    assert.ok(nextHold.fence > hold.fence);
  },

  'calls of a locked method exclude each other across applications': async (place) => {
    let inside = 0;
    let most = 0;
    @Service({ name: 'ledger' })
    class Ledger {
      @Locked((account: string) => `accounts/${account}`)
      async book(_account: string): Promise<bigint> {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 2));
        inside--;
        return currentHold().fence;
      }
    }
    const apps = await Promise.all([1, 2].map(() => place.participant().run({ declare: [Ledger] })));
    const bookings = apps.flatMap((app) => Array.from({ length: TURNS }, () => app.get(Ledger).book('Anna')));
    const fences = await Promise.all(bookings);
    assert.is(most, 1);
    assert.is(new Set(fences).size, 2 * TURNS);
  },

  'a semaphore has as many holders as permits, and no more': async (place) => {
    const clients = await Promise.all(Array.from({ length: PARTICIPANTS }, () => place.client()));
    let inside = 0;
    let most = 0;
    const semaphores = clients.map((client) => new Semaphore(client, 'seats', { permits: 2 }));
    const take = (semaphore: Semaphore): Promise<void> =>
      semaphore.run(async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside--;
      });
    await Promise.all(semaphores.flatMap((each) => Array.from({ length: TURNS }, () => take(each))));
    assert.ok(most <= 2, `${most} at once`);

    const holds = [await semaphores[0]!.acquire(), await semaphores[1]!.acquire()];
    assert.is(await semaphores[2]!.tryAcquire(), null);
    const next = semaphores[2]!.acquire();
    await holds[0]!.release();
    await (await next).release();
    assert.is(holds[1]!.signal.aborted, false);
  },

  'the permit of a holder that is cut off is given to the next': async (place) => {
    const cut = place.participant();
    const hold = await new Semaphore(await cut.client(), 'seat', { permits: 1 }).acquire();
    const next = new Semaphore(await place.client(), 'seat', { permits: 1 }).acquire();
    cut.cutOff();
    const nextHold = await next;
    assert.is(hold.signal.aborted, true);
    assert.ok(nextHold.fence > hold.fence);
  },

  'readers hold together, a writer alone, and none overtakes': async (place) => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => place.client()));
    const [one, two, three, four] = clients.map((client) => new ReadWriteLock(client, 'book'));
    const standing = (count: number): Promise<void> =>
      place.until(async () => (await clients[0]!.getChildren(one!.path)).children.length === count);
    const readers = [await one!.read.acquire(), await two!.read.acquire()];
    const order: string[] = [];
    const writing = three!.write.run(() => void order.push('write'));
    await standing(3);
    const reading = four!.read.run(() => void order.push('read'));
    await standing(4);
    assert.equal(order, []);
    await Promise.all(readers.map((hold) => hold.release()));
    await Promise.all([writing, reading]);
    assert.equal(order, ['write', 'read']);
  },

  'several locks are held as one, in whatever order they are asked for': async (place) => {
    const clients = await Promise.all([1, 2].map(() => place.client()));
    let inside = 0;
    let most = 0;
    const take = (client: Client, names: readonly string[]): Promise<void> =>
      new MultiLock(
        client,
        names.map((name) => new FairLock(client, name)),
      ).run(async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 2));
        inside--;
      });
    await Promise.all(
      Array.from({ length: TURNS }, () => [
        take(clients[0]!, ['left', 'right']),
        take(clients[1]!, ['right', 'left']),
      ]).flat(),
    );
    assert.is(most, 1);
  },

  'a fenced write is carried out once while the lock is held, and refused afterwards': async (place) => {
    const client = await place.client();
    const hold = await new FairLock(client, 'ledger').acquire();
    assert.is((await writeFenced(client, hold, '/ledger', '1')).version, 0);
    assert.is((await writeFenced(client, hold, '/ledger', '2')).version, 1);
    await client.delete(hold.path);
    const late = await writeFenced(client, hold, '/ledger', '3').catch((error: unknown) => error);
    assert.instance(late, HoldLostError);
    assert.is((await client.exists('/ledger'))?.version, 1);
  },
};
