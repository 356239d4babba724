import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { StateMachine } from '../../../../../core/data/index.js';
import { EnsembleWorld } from '../../ensemble-world.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Gives a znode of one member another value, as a wrong record of its log would. */
function falsify(machine: StateMachine, path: string, value: string): void {
  const { tree } = machine.state;
  const node = tree.find(path)!;
  tree.setData(node, text(value), node.version, node.mzxid, node.mtime);
}

async function started(
  options: { readonly voters?: number; readonly observers?: number } = {},
): Promise<EnsembleWorld> {
  const world = await EnsembleWorld.start(options);
  const client = await world.open(world.leader!);
  await world.wait(client.create('/price', 'EUR 100'));
  await world.until(() => world.running.every((id) => !world.member(id).health().rejoining));
  return world;
}

async function priceAt(world: EnsembleWorld, id: number): Promise<string> {
  const client = await world.open(id);
  const { body } = await world.wait(client.getData('/price'));
  return new TextDecoder().decode(body!.data);
}

test('a follower whose state differs from a quorum leaves office and is replaced by a snapshot of the leader', async () => {
  await using world = await started();
  const wrong = world.running.find((id) => id !== world.leader)!;
  falsify(world.machines.get(wrong)!, '/price', 'EUR 900');

  await world.until(() => !world.member(wrong).health().isServing);
  await world.until(() => world.member(wrong).health().isServing);
  await world.until(() => !world.member(wrong).health().rejoining);

  assert.ok(world.log.has(/State differs from a quorum's/));
  await world.serving();
  assert.is(await priceAt(world, wrong), 'EUR 100');
  await world.converged();
});

test('an observer whose state differs is replaced by a snapshot, and no voter leaves office', async () => {
  await using world = await started({ voters: 3, observers: 1 });
  const leader = world.leader!;
  falsify(world.machines.get(4)!, '/price', 'EUR 900');

  await world.until(() => !world.member(4).health().isServing);
  await world.until(() => world.member(4).health().isServing);

  assert.is(world.leader, leader);
  assert.is(await priceAt(world, 4), 'EUR 100');
  await world.converged();
});

test('a leader whose state differs from its followers gives up, and one of them leads', async () => {
  await using world = await started();
  const wrong = world.leader!;
  falsify(world.machines.get(wrong)!, '/price', 'EUR 900');

  await world.until(() => world.leader !== undefined && world.leader !== wrong);
  await world.until(() => !world.member(wrong).health().rejoining);
  await world.serving();

  for (const id of world.running) assert.is(await priceAt(world, id), 'EUR 100');
  await world.converged();
});

test('a member whose state differs a second time stops, with an error that says so', async () => {
  await using world = await started();
  const wrong = world.running.find((id) => id !== world.leader)!;
  falsify(world.machines.get(wrong)!, '/price', 'EUR 900');
  await world.until(() => world.member(wrong).health().rejoining);
  await world.until(() => !world.member(wrong).health().rejoining);
  await world.serving();
  let failure: (Error & { readonly code?: string }) | null = null;
  world.member(wrong).onFailure((error) => (failure = error));

  falsify(world.machines.get(wrong)!, '/price', 'EUR 901');
  await world.until(() => failure !== null);

  assert.is(failure!.code, 'STATE_DIVERGED');
  assert.is(world.member(wrong).health().state, 'failed');
  const left = world.running.filter((id) => id !== wrong);
  await world.serving(...left);
});

test('a follower that differs at two points of one heartbeat is replaced by a snapshot, and does not stop', async () => {
  await using world = await started();
  const { leader } = world;
  const wrong = world.running.find((id) => id !== leader)!;
  const client = await world.open(leader!);
  // Long before the next fixed point: it is among the points then, and so is the state behind it.
  falsify(world.machines.get(wrong)!, '/price', 'EUR 900');
  for (let n = 0; n < 20; n++) void client.create(`/later-${n}`);

  await world.until(() => !world.member(wrong).health().isServing);
  await world.until(() => world.member(wrong).health().isServing);

  assert.is(await priceAt(world, wrong), 'EUR 100');
  await world.converged();
});

test('a leader that differs at two points of one heartbeat gives up, and does not stop', async () => {
  await using world = await started();
  const wrong = world.leader!;
  const client = await world.open(wrong);
  falsify(world.machines.get(wrong)!, '/price', 'EUR 900');
  for (let n = 0; n < 20; n++) void client.create(`/later-${n}`);

  await world.until(() => world.leader !== undefined && world.leader !== wrong);
  await world.serving();

  for (const id of world.running) assert.is(await priceAt(world, id), 'EUR 100');
  await world.converged();
});

test('two members that differ while the third is away go on, and both show the difference', async () => {
  await using world = await started();
  const [wrong, away] = world.running.filter((id) => id !== world.leader) as [number, number];
  world.kill(away);
  await world.serving(world.leader!, wrong);
  falsify(world.machines.get(wrong)!, '/price', 'EUR 900');

  const pair = [world.leader!, wrong];
  await world.until(() => pair.every((id) => world.member(id).health().stateDifference !== null));

  assert.ok(pair.every((id) => world.member(id).health().isServing));
  for (const id of pair) assert.ok(world.member(wrong).health().stateDifference!.members.includes(id));
});

test('a member that restarts before its snapshot has come is not counted and asks for it again', async () => {
  await using world = await started();
  const wrong = world.running.find((id) => id !== world.leader)!;
  falsify(world.machines.get(wrong)!, '/price', 'EUR 900');
  await world.until(() => !world.member(wrong).health().isServing);
  world.isolate(wrong);
  await world.clock.advance(200);
  world.kill(wrong);
  world.mend();

  await world.launch(wrong);
  assert.ok(world.member(wrong).health().rejoining);
  await world.until(() => world.member(wrong).health().isServing && !world.member(wrong).health().rejoining);

  assert.is(await priceAt(world, wrong), 'EUR 100');
  await world.converged();
});

test.run();
