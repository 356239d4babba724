import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { currentHold, inject, Locked, Locks, Service, type Constructor } from '../../framework/index.js';
import { onFleet, SESSION_TIMEOUT_MS, type Fleet, type Machine } from './fleet.js';

type Step = () => Promise<void>;

/** A service whose `pay` runs what the test wants, locked by customer. */
function billing(): Constructor<{ pay(customer: string, step: Step): Promise<string> }> {
  @Service({ name: 'billing' })
  class Billing {
    @Locked((customer: string) => `customers/${customer}`)
    async pay(customer: string, step: Step): Promise<string> {
      await step();
      return `paid by ${customer}`;
    }
  }
  return Billing;
}

/** A second of virtual time. */
const pause = (fleet: Fleet): Promise<void> => new Promise((resolve) => fleet.clock.setTimer(1000, resolve));

const holders = async (machine: Machine, path: string): Promise<number> => {
  const { client } = machine.application;
  return (await client.exists(path)) === null ? 0 : (await client.getChildren(path)).children.length;
};

test(
  'calls for the same name wait for each other across processes, others do not',
  onFleet(async (fleet) => {
    const Billing = billing();
    const [one, other] = [await fleet.run({ declare: [Billing] }), await fleet.run({ declare: [Billing] })];
    const story: string[] = [];
    let finish = (): void => undefined;
    const long: Step = async () => {
      story.push('first in');
      await new Promise<void>((resolve) => (finish = resolve));
      story.push('first out');
    };

    const first = one.application.get(Billing).pay('anna', long);
    await fleet.until(() => story.length === 1);
    const second = other.application.get(Billing).pay('anna', async () => void story.push('second in'));
    await fleet.wait(other.application.get(Billing).pay('bert', async () => void story.push('bert in')));
    await fleet.time.advance(5000);
    assert.equal(story, ['first in', 'bert in']);
    finish();
    assert.is(await fleet.wait(second), 'paid by anna');
    await first;
    assert.equal(story, ['first in', 'bert in', 'first out', 'second in']);
  }),
);

test(
  'the lock is released when the method throws, and the error is passed through',
  onFleet(async (fleet) => {
    const Billing = billing();
    const machine = await fleet.run({ declare: [Billing] });
    const service = machine.application.get(Billing);
    const failure = new Error('no money');
    const caught = await fleet.wait(
      service.pay('anna', () => Promise.reject(failure)).catch((error: unknown) => error),
    );
    assert.is(caught, failure);
    assert.is(await fleet.wait(holders(machine, '/locks/customers/anna')), 0);
    await fleet.wait(service.pay('anna', async () => undefined));
  }),
);

test(
  'within the method the hold is at hand: its signal aborts when the lock is lost, its fence grows',
  onFleet(async (fleet) => {
    const Billing = billing();
    const [one, other] = [await fleet.run({ declare: [Billing] }), await fleet.run({ declare: [Billing] })];
    const fences: bigint[] = [];
    let lostAt = Infinity;
    let grantedAt = 0;
    const first = one.application.get(Billing).pay('anna', async () => {
      const { fence, signal } = currentHold();
      fences.push(fence);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      lostAt = fleet.clock.now();
    });
    await fleet.until(() => fences.length === 1);
    one.cut();
    await fleet.wait(
      other.application.get(Billing).pay('anna', async () => {
        grantedAt = fleet.clock.now();
        fences.push(currentHold().fence);
      }),
    );
    assert.ok(lostAt < grantedAt, `${lostAt} is before ${grantedAt}`);
    assert.ok(fences[1]! > fences[0]!);
    one.heal();
    await fleet.wait(first);
    assert.throws(currentHold, (error: { code?: string }) => error.code === 'NOT_LOCKED');
  }),
);

test(
  'a call from within another that holds the same lock shares its hold',
  onFleet(async (fleet) => {
    const Billing = billing();
    const { application } = await fleet.run({ declare: [Billing] });
    const service = application.get(Billing);
    const fences: bigint[] = [];
    await fleet.wait(
      service.pay('anna', async () => {
        fences.push(currentHold().fence);
        await service.pay('bert', async () => {
          await service.pay('anna', async () => void fences.push(currentHold().fence));
        });
      }),
    );
    assert.is(fences.length, 2);
  }),
);

test(
  'a lock that is not free in time is given up, if the declaration says so',
  onFleet(async (fleet) => {
    @Service({ name: 'billing' })
    class Billing {
      @Locked('books', { wait: '2s' })
      async close(step: Step): Promise<void> {
        await step();
      }
    }
    const { application } = await fleet.run({ declare: [Billing] });
    const service = application.get(Billing);
    let finish = (): void => undefined;
    const first = service.close(() => new Promise<void>((resolve) => (finish = resolve)));
    await fleet.settle();
    const startedAt = fleet.clock.now();
    const code = await fleet.wait(
      service.close(async () => undefined).catch((error: { code: string }) => error.code),
    );
    assert.is(code, 'ACQUIRE_TIMEOUT');
    assert.is(fleet.clock.now() - startedAt, 2000);
    finish();
    await fleet.wait(first);
  }),
);

test(
  'waiting for a lock ends when a signal among the arguments aborts',
  onFleet(async (fleet) => {
    @Service({ name: 'billing' })
    class Billing {
      @Locked('books')
      async close(step: Step, _options: { readonly signal?: AbortSignal } = {}): Promise<void> {
        await step();
      }
    }
    const machine = await fleet.run({ declare: [Billing] });
    const service = machine.application.get(Billing);
    let finish = (): void => undefined;
    const first = service.close(() => new Promise<void>((resolve) => (finish = resolve)));
    await fleet.settle();
    const controller = new AbortController();
    const second = service.close(async () => undefined, { signal: controller.signal });
    await fleet.settle();
    const reason = new Error('no longer wanted');
    controller.abort(reason);
    assert.is(await fleet.wait(second.catch((error: unknown) => error)), reason);
    finish();
    await fleet.wait(first);
    assert.is(await fleet.wait(holders(machine, '/locks/books')), 0);
  }),
);

test(
  'a locked method of a class that is only injected is locked too, and two calls of it exclude each other',
  onFleet(async (fleet) => {
    let inside = 0;
    let most = 0;
    class Ledger {
      @Locked('ledger')
      async book(): Promise<void> {
        most = Math.max(most, ++inside);
        await new Promise<void>((resolve) => fleet.clock.setTimer(100, resolve));
        inside--;
      }
    }
    @Service({ name: 'billing' })
    class Billing {
      constructor(@inject(Ledger) readonly ledger: Ledger) {}
    }
    const { application } = await fleet.run({ declare: [Billing] });
    const { ledger } = application.get(Billing);
    await fleet.wait(Promise.all([ledger.book(), ledger.book(), ledger.book()]));
    assert.is(most, 1);
  }),
);

test(
  'a call made while the servers are out of reach waits until they are back',
  onFleet(async (fleet) => {
    const Billing = billing();
    const machine = await fleet.run({ declare: [Billing] });
    machine.cut();
    await fleet.time.advance(2 * SESSION_TIMEOUT_MS);
    const call = machine.application.get(Billing).pay('anna', async () => undefined);
    await fleet.time.advance(SESSION_TIMEOUT_MS);
    machine.heal();
    assert.is(await fleet.wait(call), 'paid by anna');
  }),
);

test(
  'methods that read run together, one that writes runs alone, and within it reading is allowed',
  onFleet(async (fleet) => {
    @Service({ name: 'ledger' })
    class Ledger {
      story: string[] = [];

      @Locked('ledger', { mode: 'read' })
      async look(step: Step): Promise<void> {
        this.story.push('reads');
        await step();
        this.story.push('has read');
      }

      @Locked('ledger', { mode: 'write' })
      async book(): Promise<void> {
        this.story.push('writes');
        await this.look(async () => undefined);
        this.story.push('has written');
      }

      @Locked('ledger', { mode: 'read' })
      async lookThenBook(): Promise<void> {
        await this.book();
      }
    }
    const { application } = await fleet.run({ declare: [Ledger] });
    const ledger = application.get(Ledger);
    let readers = 0;
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    const both = Promise.all(
      [1, 2].map(() =>
        ledger.look(async () => {
          readers++;
          await left;
        }),
      ),
    );
    await fleet.until(() => readers === 2);
    const writing = ledger.book();
    leave();
    await fleet.wait(Promise.all([both, writing]));
    assert.equal(ledger.story.slice(4), ['writes', 'reads', 'has read', 'has written']);
    const refused = await fleet.wait(ledger.lookThenBook().catch((error: { code: string }) => error.code));
    assert.is(refused, 'LOCK_UPGRADE');
  }),
);

test(
  'with permits as many calls run in the fleet as there are',
  onFleet(async (fleet) => {
    @Service({ name: 'press' })
    class Press {
      @Locked('press', { permits: 2 })
      async print(step: Step): Promise<void> {
        await step();
      }
    }
    const machines = [await fleet.run({ declare: [Press] }), await fleet.run({ declare: [Press] })];
    let running = 0;
    let most = 0;
    const calls = machines.flatMap(({ application }) =>
      [1, 2].map(() =>
        application.get(Press).print(async () => {
          most = Math.max(most, ++running);
          await pause(fleet);
          running--;
        }),
      ),
    );
    await fleet.wait(Promise.all(calls));
    assert.is(most, 2);
  }),
);

test(
  'Locks runs tasks, explains who holds, writes while it is held, and takes several at once',
  onFleet(async (fleet) => {
    @Service({ name: 'any' })
    class Any {}
    const { application } = await fleet.run({ declare: [Any], id: 'machine-1' });
    const locks = application.get(Locks);
    await fleet.wait(
      locks.run('door', async (hold) => {
        assert.is(currentHold().fence, hold.fence);
        await locks.run('door', (inner) => assert.is(inner.fence, hold.fence));
        const { holders, waiters } = await locks.explain('door');
        assert.equal([holders.map(({ owner }) => owner), waiters.length], [['machine-1'], 0]);
        assert.is((await locks.write(hold, '/book', 'x')).version, 0);
        await locks.transact(hold, [{ type: 'setData', path: '/book', data: 'y' }]);
      }),
    );
    const both = await fleet.wait(locks.all('left', locks.readWrite('right').write).acquire());
    assert.equal([...both.holds.keys()], ['/locks/left', '/locks/right']);
    const late = await fleet.wait(
      both
        .release()
        .then(() => locks.write(both, '/book', 'z').catch((error: { code: string }) => error.code)),
    );
    assert.is(late, 'HOLD_LOST');
  }),
);

test.run();
