import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EnsembleWorld } from './ensemble-world.js';

async function write(world: EnsembleWorld, path: string): Promise<void> {
  const client = await world.open(world.leader!);
  assert.is((await world.wait(client.create(path))).err, 0, path);
}

function lose(world: EnsembleWorld, id: number): void {
  const disk = world.disks.get(id)!;
  for (const name of disk.names()) disk.forget(name);
}

test('members of a new ensemble wait for each other, then begin by themselves', async () => {
  await using world = await EnsembleWorld.launched({ absent: [3], initialize: false });
  await world.clock.advance(20_000);
  assert.equal(world.leader, undefined, 'two empty directories of three may be two wiped ones');
  assert.ok(world.member(1).health().rejoining);

  await world.launch(3);
  await world.serving();
  await world.until(() => world.running.every((id) => !world.member(id).health().rejoining));
  await write(world, '/first');
  await world.converged();
});

test('a member with a wiped disk is given everything back, counts in nothing before, and votes again afterwards', async () => {
  await using world = await EnsembleWorld.start({});
  await write(world, '/before');
  const wiped = world.running.find((id) => id !== world.leader)!;
  const other = world.running.find((id) => id !== world.leader && id !== wiped)!;
  world.kill(wiped);
  world.kill(other);
  lose(world, wiped);

  await world.launch(wiped);
  await world.clock.advance(20_000);
  assert.equal(world.leader, undefined, 'whoever remembers nothing makes no quorum');
  assert.ok(world.member(wiped).health().rejoining);

  await world.launch(other);
  await world.serving();
  await world.until(() => !world.member(wiped).health().rejoining);
  await world.serving();
  await write(world, '/meanwhile');
  world.kill(other);
  await world.serving();
  await write(world, '/after');
  await world.converged();
});

test.run();
