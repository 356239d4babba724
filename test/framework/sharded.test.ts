import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DeclarationError, Sharded, type OwnedShard } from '../../framework/index.js';
import { onFleet, type Fleet, type Machine } from './fleet.js';

/** Fails when a shard runs twice at a time. */
class Owners {
  readonly now = new Map<number, string>();

  /** A class for one machine of the fleet. */
  declare(machine: string) {
    const { now } = this;
    @Sharded({ name: 'orders', shards: 6 })
    class Orders {
      async run({ shard, signal }: OwnedShard): Promise<void> {
        assert.not.ok(now.has(shard), `shard ${shard} runs twice`);
        now.set(shard, machine);
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        now.delete(shard);
      }
    }
    return Orders;
  }

  counts(...machines: readonly string[]): string {
    return machines.map((id) => [...this.now.values()].filter((owner) => owner === id).length).join();
  }
}

async function run(fleet: Fleet, owners: Owners): Promise<Machine> {
  const machine = fleet.machine();
  return fleet.run({ declare: [owners.declare(machine.id)] }, machine);
}

test(
  'the processes of a fleet share the shards, and one that is cut off loses its own to the others',
  onFleet(async (fleet) => {
    const owners = new Owners();
    const one = await run(fleet, owners);
    await fleet.until(() => owners.counts('machine-1') === '6');
    await run(fleet, owners);
    await fleet.until(() => owners.counts('machine-1', 'machine-2') === '3,3');

    one.cut();
    await fleet.until(() => owners.counts('machine-1', 'machine-2') === '0,6');
    assert.is(one.eventsOf('shard-lost').length, 6);
    one.heal();

    await fleet.until(() => owners.counts('machine-1', 'machine-2') === '3,3');
    assert.is(one.eventsOf('shard-acquired').length, 9);
  }),
);

test(
  'a process that stops hands its shards over',
  onFleet(async (fleet) => {
    const owners = new Owners();
    const one = await run(fleet, owners);
    await run(fleet, owners);
    await fleet.until(() => owners.counts('machine-1', 'machine-2') === '3,3');

    await fleet.wait(one.application.stop());

    await fleet.until(() => owners.counts('machine-1', 'machine-2') === '0,6');
  }),
);

test(
  'a task that throws is told of, and begun again',
  onFleet(async (fleet) => {
    let runs = 0;
    @Sharded({ name: 'orders', shards: 1 })
    class Failing {
      run(): void {
        if (++runs < 3) throw new Error('not yet');
      }
    }
    const machine = await fleet.run({ declare: [Failing] });

    await fleet.until(() => runs === 3);

    assert.is(machine.eventsOf('shard-failed').length, 2);
    assert.match(String(machine.eventsOf('shard-failed')[0]!.error), /not yet/);
  }),
);

test(
  'a number of shards that cannot be fails the start',
  onFleet(async (fleet) => {
    @Sharded({ name: 'orders', shards: 0 })
    class None {
      run(): void {}
    }
    const failure = await fleet.run({ declare: [None] }).catch((error: unknown) => error);
    assert.instance(failure, DeclarationError);
    assert.match(String(failure), /None.*shards.*0 cannot be/s);
  }),
);

test.run();
