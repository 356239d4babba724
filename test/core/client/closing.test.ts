import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClosedError, OutcomeUnknownError, type Client } from '../../../core/client/index.js';
import { OpCode } from '../../../core/protocol/index.js';
import { ClientWorld } from './client-world.js';
import { failureOf, ops, swallow } from './request-scenes.js';

test('closing ends the session at the server, behind what was asked before, and answers everything', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const { id, signal } = client.session;
  const created = client.create('/a', null, { mode: 'ephemeral' });
  const closing = client.close();
  assert.is(client.state, 'closed');
  assert.is(signal.aborted, true);
  assert.instance(await failureOf(client.exists('/')), ClosedError);
  assert.is((await world.get(created)).path, '/a');
  await world.get(closing);
  await world.get(client.close());
  assert.equal(ops(world.server.requests), [OpCode.create2, OpCode.closeSession]);
  assert.is(world.world.sessions.has(id), false);
  assert.is(world.world.znodes.has('/a'), false);
  assert.is(world.clock.pendingTimers, 0);
});

test('a server that does not confirm cannot hold up closing, and what it owes is settled', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  swallow(world, () => true);
  const write = failureOf(client.create('/a'));
  const read = failureOf(client.exists('/a'));
  await world.get(client.close(), 2500);
  assert.instance(await write, OutcomeUnknownError);
  assert.instance(await read, ClosedError);
  await world.clock.settle();
  assert.is(world.clock.pendingTimers, 0);
  assert.is(world.server.link.isClosed, true);
});

test('closing without a connection is immediate, in every state', async () => {
  for (const state of ['connecting', 'suspended', 'lost'] as const) {
    const world = new ClientWorld();
    if (state === 'connecting') world.server.down();
    const client = world.client();
    if (state !== 'connecting') {
      await world.get(client.connected());
      world.server.down();
    }
    await world.until(() => client.state === state);
    const waiting = failureOf(client.create('/a'));
    await client.close();
    assert.instance(await waiting, ClosedError);
    await world.clock.settle();
    assert.is(world.clock.pendingTimers, 0);
    assert.is(client.session.signal.aborted, true);
  }
});

test('await using closes the client at the end of its scope', async () => {
  const world = new ClientWorld();
  let kept: Client | null = null;
  const scope = (async () => {
    await using client = world.client();
    kept = client;
    await client.connected();
  })();
  await world.get(scope);
  assert.is(kept!.state, 'closed');
  assert.is(world.world.sessions.size, 0);
});

test.run();
