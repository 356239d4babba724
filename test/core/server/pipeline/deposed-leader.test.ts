/** A leader that has lost its quorum without knowing it yet. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConnectResponse } from '../../../../core/protocol/index.js';
import { EnsembleWorld } from '../ensemble-world.js';
import type { RawClient } from '../raw-client.js';

const FOR_EVER_MS = 1e9;

/** What the leader sends arrives; what others send to it does not. */
function deafen(world: EnsembleWorld, leader: number): void {
  for (const { id } of world.members) if (id !== leader) world.latencies.set(`${id}-${leader}`, FOR_EVER_MS);
}

function otherThan(world: EnsembleWorld, leader: number): number {
  return world.running.find((id) => id !== leader)!;
}

/** How the attempt to connect ends: the timeout that was granted, or why the connection was closed. */
function outcomeOf(attempt: Promise<ConnectResponse>): Promise<string> {
  return attempt.then(
    ({ timeoutMs }) => `granted ${timeoutMs}`,
    (error: Error) => error.message,
  );
}

function resumption(world: EnsembleWorld, client: RawClient, other: RawClient): Promise<string> {
  return world.wait(outcomeOf(client.resume(other)));
}

test('a leader that hears no quorum does not let in a session that it knows', async () => {
  await using world = await EnsembleWorld.start();
  const leader = world.leader!;
  const [at, known] = [await world.open(otherThan(world, leader)), await world.open(leader)];
  deafen(world, leader);
  for (const session of [at, known])
    assert.match(await resumption(world, await world.dial(leader), session), /^closed/);
});

test('a leader that hears no quorum lets in no new session, and no session through its followers', async () => {
  await using world = await EnsembleWorld.start();
  const leader = world.leader!;
  const follower = otherThan(world, leader);
  const session = await world.open(leader);
  const [fresh, through] = [await world.dial(leader), await world.dial(follower)];
  deafen(world, leader);
  const opened = outcomeOf(fresh.connect());
  assert.match(await resumption(world, through, session), /^closed/);
  assert.match(await world.wait(opened), /^closed/);
});

test('a session that moves to the leader is let in as soon as a quorum has confirmed the leader', async () => {
  await using world = await EnsembleWorld.start();
  const leader = world.leader!;
  const session = await world.open(otherThan(world, leader));
  const client = await world.dial(leader);
  const askedAt = world.clock.now();
  assert.match(await resumption(world, client, session), /^granted/);
  assert.ok(world.clock.now() - askedAt <= 4, 'two round trips are enough');
});

test.run();
