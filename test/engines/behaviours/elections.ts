import * as assert from 'uvu/assert';
import { LeaderLatch, LeaderOnly, type Hold, type LeaderContext } from '../../../framework/index.js';
import type { Behaviours } from '../behaviour.js';

export const elections: Behaviours = {
  'one leads; when it resigns the next in line does, with a higher fence': async (place) => {
    const latches = await Promise.all(
      ['a', 'b', 'c'].map(async (id) => new LeaderLatch(await place.client(), 'shift', { id })),
    );
    for (const [index, latch] of latches.entries()) {
      latch.start();
      await place.until(async () => (await latch.participants()).length === index + 1);
    }
    let fence = 0n;
    for (const latch of latches) {
      await place.until(() => latch.leadership !== null);
      const others = latches.filter((other) => other !== latch && other.leadership !== null);
      assert.is(others.length, 0);
      assert.ok(latch.leadership!.fence > fence);
      fence = latch.leadership!.fence;
      await latch.close();
    }
  },

  'a leader that is cut off has lost before another leads, and stands again once it is back': async (
    place,
  ) => {
    const cut = place.participant();
    const first = new LeaderLatch(await cut.client(), 'shift').start();
    await place.until(() => first.leadership !== null);
    const lost: Hold = first.leadership!;
    const second = new LeaderLatch(await place.client(), 'shift').start();
    await place.until(async () => (await second.participants()).length === 2);

    cut.cutOff();
    let wasLostFirst = false;
    for await (const hold of second.leaderships()) {
      wasLostFirst = lost.signal.aborted;
      assert.ok(hold.fence > lost.fence);
      break;
    }
    assert.ok(wasLostFirst);
    cut.rejoin();
    await place.until(async () => (await second.participants()).length === 2);
    await second.close();
    await place.until(() => first.leadership !== null);
    await first.close();
  },

  'a leader job runs in one application only, and in the next when that one stops': async (place) => {
    const running = new Set<string>();
    let most = 0;
    const jobIn = (name: string): new () => object => {
      @LeaderOnly({ name: 'keep-books' })
      class KeepBooks {
        async run({ signal }: LeaderContext): Promise<void> {
          running.add(name);
          most = Math.max(most, running.size);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          running.delete(name);
        }
      }
      return KeepBooks;
    };
    const first = await place.participant().run({ declare: [jobIn('first')] });
    await place.until(() => running.has('first'));
    const second = place.participant();
    await second.run({ declare: [jobIn('second')] });
    assert.is(running.size, 1);
    await first.stop();
    await place.until(() => running.has('second'));
    assert.is(second.eventsOf('leader-acquired').length, 1);
    assert.is(most, 1);
  },
};
