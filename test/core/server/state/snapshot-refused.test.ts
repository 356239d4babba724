/** A learner verifies the snapshot of its leader completely before it replaces what it has. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryDisk } from '../../../../core/storage/index.js';
import { SeededRandom } from '../../../../core/testing/index.js';
import { EnsembleWorld } from '../ensemble-world.js';
import type { RawClient } from '../raw-client.js';

/** So much that neither the log nor the memory of the leader reaches back to the beginning. */
async function fill(world: EnsembleWorld, client: RawClient): Promise<void> {
  for (let round = 0; round < 50; round++)
    await world.wait(
      Promise.all(
        Array.from({ length: 60 }, (_, index) => client.create(`/n${round}-${index}`, 'x'.repeat(100))),
      ),
    );
}

/** A leader with a tree that is damaged in memory, and a member that lost its disk and so needs a snapshot. */
async function damagedLeader(): Promise<{
  world: EnsembleWorld;
  leader: number;
  wiped: number;
  failures: Error[];
}> {
  const world = await EnsembleWorld.start({ snapshotTxns: 200 });
  const leader = world.leader!;
  const wiped = world.running.find((id) => id !== leader)!;
  const client = await world.open(leader, 40_000);
  await world.wait(client.create('/price', 'EUR 100'));
  await fill(world, client);
  await world.clock.advance(1_000);
  const node = world.machines.get(leader)!.state.tree.find('/price')!;
  node.stored = `f${String(node.stored).slice(1)}`;
  const failures: Error[] = [];
  world.member(leader).onFailure((error) => failures.push(error));
  world.kill(wiped);
  world.disks.set(wiped, new MemoryDisk(new SeededRandom(77)));
  return { world, leader, wiped, failures };
}

test('a learner refuses a damaged snapshot of its leader and says so, and the leader recounts and leaves office', async () => {
  const { world, leader, wiped, failures } = await damagedLeader();
  await world.launch(wiped);

  await world.until(() => failures.length > 0);
  const refusal = world.log.lines.find(
    ({ message }) => message === 'Snapshot of the leader is damaged and refused',
  );
  assert.equal([refusal?.level, refusal?.fields.leader], ['error', leader]);
  const complaint = world.log.lines.find(
    ({ message }) => message === 'Another member refused the snapshot of this one',
  );
  assert.equal([complaint?.level, complaint?.fields.peer], ['error', wiped]);
  assert.match(String(complaint?.fields.reason), /the snapshot is damaged: a snapshot whose digest/);
  assert.is((failures[0] as { code?: string }).code, 'STATE_DAMAGED');
  assert.equal(
    world.disks
      .get(wiped)!
      .names()
      .filter((name) => name.startsWith('snapshot')),
    [],
    'nothing of it was kept',
  );

  await world.stop(leader);
  await world.launch(leader);
  await world.serving(1, 2, 3);
  assert.is(String(world.machines.get(wiped)!.state.tree.find('/price')!.stored), 'EUR 100');
  await world.converged();
  await world[Symbol.asyncDispose]();
});

test('a learner that is refused its snapshot by its own disk keeps what it had', async () => {
  const world = await EnsembleWorld.start({ snapshotTxns: 200 });
  const leader = world.leader!;
  const late = world.running.find((id) => id !== leader)!;
  await world.stop(late);
  const client = await world.open(leader, 40_000);
  await fill(world, client);
  const disk = world.disks.get(late)!;
  const before = disk.names().filter((name) => name.startsWith('log'));
  disk.fail({ operation: 'read', file: 'snapshot-00000001', code: 'EIO', times: 100 });
  await world.launch(late);
  const failures: Error[] = [];
  world.member(late).onFailure((error) => failures.push(error));

  await world.until(() => failures.length > 0);

  assert.is((failures[0] as { code?: string }).code, 'SNAPSHOT_NOT_READ_BACK');
  assert.equal(
    disk.names().filter((name) => name.startsWith('log')),
    before,
  );
  disk.repair();
  await world.stop(late);
  await world.launch(late);
  await world.serving(1, 2, 3);
  await world.converged();
  await world[Symbol.asyncDispose]();
});

test.run();
