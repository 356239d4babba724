import * as assert from 'uvu/assert';
import { AcquireTimeoutError, FairLock } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

export const lockHolders: Behaviours = {
  'whoever holds a lock is given it again within its hold, and gives it back with the last of them': async (
    place,
  ) => {
    const [own, other] = [
      new FairLock(await place.client(), 'till'),
      new FairLock(await place.client(), 'till'),
    ];
    const hold = await own.acquire();
    const again = await own.acquire({ within: hold });
    assert.is(again.fence, hold.fence);
    await again.release();
    assert.is(hold.signal.aborted, false);
    assert.is(await other.tryAcquire(), null);
    await hold.release();
    await (await other.acquire()).release();
  },

  'who waits no longer than he said is told so, and leaves the line': async (place) => {
    const [holder, hasty, patient] = await Promise.all(
      ['holder', 'hasty', 'patient'].map(
        async (data) => new FairLock(await place.client(), 'till', { data }),
      ),
    );
    const hold = await holder!.acquire();
    const error = await hasty!.acquire({ timeoutMs: 100 }).catch((reason: unknown) => reason);
    assert.instance(error, AcquireTimeoutError);

    const next = patient!.acquire({ timeoutMs: 30_000 });
    await place.until(async () => {
      const { waiters } = await holder!.explain();
      return waiters.map(({ owner }) => owner).join() === 'patient';
    });
    await hold.release();
    await (await next).release();
  },

  'anybody can see who holds a lock since when, and who waits in which order': async (place) => {
    const startedAt = Date.now();
    const lock = async (data: string): Promise<FairLock> =>
      new FairLock(await place.client(), 'till', { data });
    const hold = await (await lock('anna')).acquire();
    const witness = await lock('witness');
    const turns: Promise<void>[] = [];
    for (const name of ['bert', 'carl']) {
      turns.push((await lock(name)).run(() => undefined));
      await place.until(async () => (await witness.explain()).waiters.at(-1)?.owner === name);
    }

    const { holders, waiters } = await witness.explain();
    assert.equal(
      holders.map(({ owner, fence }) => [owner, fence]),
      [['anna', hold.fence]],
    );
    assert.equal(
      waiters.map(({ owner }) => owner),
      ['bert', 'carl'],
    );
    assert.ok(Math.abs(holders[0]!.heldSince - startedAt) < 60_000);
    await hold.release();
    await Promise.all(turns);
    await place.until(async () => (await witness.explain()).holders.length === 0);
  },
};
