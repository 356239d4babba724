import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { initializeDataDirectory, Member, treatDataDirectory } from '../../../../core/server/index.js';
import { FileStorage } from '../../../../core/storage/index.js';
import { SeededRandom } from '../../../../core/testing/index.js';
import { EnsembleWorld } from '../ensemble-world.js';

async function write(world: EnsembleWorld, path: string): Promise<void> {
  const client = await world.open(world.leader!);
  assert.is((await world.wait(client.create(path))).err, 0, path);
}

function lose(world: EnsembleWorld, id: number): void {
  const disk = world.disks.get(id)!;
  for (const name of disk.names()) disk.forget(name);
}

test('members of a new ensemble wait for each other, whether started with --initialize or not', async () => {
  await using world = await EnsembleWorld.launched({ absent: [3], isFounded: false, initialize: true });
  assert.ok(world.log.has(/--initialize has no effect on an ensemble of several members/));
  await world.clock.advance(20_000);
  assert.equal(world.leader, undefined, 'two empty directories of three may be two wiped ones');
  assert.ok(world.member(1).health().rejoining);

  assert.ok(world.log.has(/^Founding waits for voters$/));

  await world.launch(3);
  await world.serving();
  await world.until(() => world.running.every((id) => !world.member(id).health().rejoining));
  await write(world, '/first');
  await world.converged();
});

test('a directory that was marked as new counts no sooner than an empty one', async () => {
  await using world = await EnsembleWorld.start({});
  await write(world, '/before');
  const wiped = world.running.find((id) => id !== world.leader)!;
  const other = world.running.find((id) => id !== world.leader && id !== wiped)!;
  world.kill(wiped);
  world.kill(other);
  lose(world, wiped);
  assert.ok(await world.wait(initializeDataDirectory(world.disks.get(wiped)!)));

  await world.launch(wiped);
  await world.clock.advance(20_000);
  assert.equal(world.leader, undefined);
  assert.ok(world.member(wiped).health().rejoining);
});

test('a directory that the operator made count with --repair --alone counts from its first start on', async () => {
  await using world = await EnsembleWorld.launched({ absent: [2, 3], isFounded: false });
  await world.stop(1);
  const disk = world.disks.get(1)!;
  await world.wait(treatDataDirectory({ disk, folder: 'aside', repair: true, alone: true }));
  await world.launch(1);
  assert.not(world.member(1).health().rejoining);
});

test('a lone voter that has lost its disk founds nothing while its observer has a history', async () => {
  await using world = await EnsembleWorld.start({ voters: 1, observers: 1 });
  await write(world, '/before');
  await world.converged();
  world.kill(1);
  lose(world, 1);
  await world.launch(1);
  await world.clock.advance(60_000);
  assert.equal(world.leader, undefined);
  assert.equal(world.member(1).health().founding?.membersWithHistory, [2]);
});

test('a founding logs the observers that it waits for, and that it began without them', async () => {
  await using world = await EnsembleWorld.launched({ observers: 1, absent: [4], isFounded: false });
  await world.serving(1, 2, 3);
  const named = (message: string): unknown =>
    world.log.lines.find((line) => line.message === message)?.fields.observers;
  assert.equal(named('Founding waits for observers'), [4]);
  assert.equal(named('Ensemble is founded without observers that did not answer'), [4]);
});

test('voters that have all lost their disks found nothing beside an observer with a history, and say so', async () => {
  await using world = await EnsembleWorld.start({ observers: 1 });
  await write(world, '/before');
  await world.converged();
  for (const id of [1, 2, 3]) {
    world.kill(id);
    lose(world, id);
  }
  for (const id of [1, 2, 3]) await world.launch(id);
  await world.clock.advance(60_000);
  assert.equal(world.leader, undefined);
  assert.equal(world.member(1).health().founding?.membersWithHistory, [4]);
  assert.ok(world.log.has(/^No ensemble is founded: members have a history$/));
});

for (const isFounded of [false, true])
  test(`observers that become voters make no quorum beside that of the old list (${isFounded ? 'voters before' : 'new'})`, async () => {
    await using world = await EnsembleWorld.start({ voters: 3, observers: 2, isFounded });
    await write(world, '/before');
    await world.converged();
    for (const id of [3, 4, 5]) world.kill(id);
    world.giveVotes();
    for (const id of [3, 4, 5]) await world.launch(id);
    await world.serving(1, 2);
    await write(world, '/by-the-old-list');
    await world.clock.advance(5_000);
    assert.equal(
      [3, 4, 5].filter((id) => world.member(id).health().isServing),
      [],
      'two of the three were observers',
    );
    assert.equal(
      [3, 4, 5].map((id) => world.member(id).health().rejoining),
      [false, true, true],
    );

    for (const id of [1, 2]) world.kill(id);
    for (const id of [1, 2]) await world.launch(id);
    await world.serving();
    await world.until(() => world.running.every((id) => !world.member(id).health().rejoining));
    const client = await world.open(5);
    assert.is((await world.wait(client.exists('/by-the-old-list'))).err, 0);
    await world.converged();
  });

test('an observer that is started alone is refused', async () => {
  await using world = await EnsembleWorld.start({ voters: 1, observers: 1 });
  await write(world, '/before');
  await world.converged();
  world.kill(2);
  const storage = await FileStorage.open({ disk: world.disks.get(2)! });
  const { clock } = world;
  const start = Member.start({
    storage,
    clock,
    random: new SeededRandom(1),
    secret: new Uint8Array(32),
    options: { id: 2 },
  });
  const error = await world.wait(
    start.then(
      () => null,
      (reason: unknown) => reason as { code: string },
    ),
  );
  assert.is(error?.code, 'CANNOT_REJOIN');
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
