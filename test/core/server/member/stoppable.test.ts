import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EnsembleWorld } from '../ensemble-world.js';

function mayStop(world: EnsembleWorld): readonly number[] {
  return world.running.filter((id) => world.member(id).health().unstoppable === null);
}

test('each member of three may be stopped, and neither of the two that are left', async () => {
  await using world = await EnsembleWorld.start({ observers: 1 });
  await world.until(() => mayStop(world).length === 4);
  const follower = [1, 2, 3].find((id) => id !== world.leader)!;
  await world.stop(follower);
  await world.until(() => mayStop(world).length === 1);
  assert.equal(mayStop(world), [4], 'an observer has no vote');
  assert.match(world.member(world.leader!).health().unstoppable!, /1 of 3 voters would count.*a quorum is 2/);

  await world.launch(follower);
  await world.until(() => mayStop(world).length === 4);
});

test('a member that is rejoining does not make the others stoppable', async () => {
  await using world = await EnsembleWorld.start();
  const wiped = [1, 2, 3].find((id) => id !== world.leader)!;
  const client = await world.open(world.leader!);
  assert.is((await world.wait(client.create('/a'))).err, 0);
  world.kill(wiped);
  const disk = world.disks.get(wiped)!;
  for (const name of disk.names()) disk.forget(name);
  await world.launch(wiped);
  await world.until(() => world.member(wiped).health().isServing);
  await world.clock.advance(2_000);
  for (const id of world.running) {
    const { rejoining, unstoppable } = world.member(id).health();
    if (world.member(wiped).health().rejoining && !rejoining) assert.ok(unstoppable !== null, `member ${id}`);
  }
  await world.until(() => mayStop(world).length === 3 && !world.member(wiped).health().rejoining);
});

test('the only member with a vote may not be stopped, whatever observers there are', async () => {
  await using world = await EnsembleWorld.start({ voters: 1, observers: 1 });
  await world.until(() => world.member(2).health().unstoppable === null);
  assert.match(world.member(1).health().unstoppable!, /only member with a vote/);
});

test('a leader that is cut off neither knows that it may be stopped nor stays confirmed', async () => {
  await using world = await EnsembleWorld.start();
  const leader = world.leader!;
  assert.ok(world.member(leader).health().isConfirmed);
  world.isolate(leader);
  await world.until(() => !world.member(leader).health().isServing);
  const { isConfirmed, unstoppable } = world.member(leader).health();
  assert.equal([isConfirmed, unstoppable], [false, 'it is unknown here whether the others are a quorum']);
});

test.run();
