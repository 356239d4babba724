/** How a client divides its time among hosts and attempts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OutcomeUnknownError, type Client } from '../../../core/client/index.js';
import { OpCode } from '../../../core/protocol/index.js';
import { ClientWorld, SESSION_TIMEOUT_MS } from './client-world.js';

test('a host that does not answer takes no more than half of the time in which the session can be resumed', async () => {
  const world = new ClientWorld(2);
  const client = await world.connected({ attemptTimeoutMs: 10 * SESSION_TIMEOUT_MS });
  const { id } = client.session;
  let greeted = 0;
  for (const server of world.servers) server.greet = () => (greeted++ === 0 ? 'silence' : 'grant');
  for (const server of world.servers) for (const link of server.links) link.cut();
  await world.until(() => client.state === 'suspended');
  await world.until(() => client.state !== 'suspended');
  assert.is(client.state, 'connected');
  assert.is(client.session.id, id);
  await world.close();
});

/** Breaks the connection once it has lived for so long; returns how long the client was without one. */
async function breakOff(world: ClientWorld, client: Client, livedMs: number): Promise<number> {
  const from = world.clock.now();
  await world.until(() => world.clock.now() >= from + livedMs);
  let [brokenAt, resumedAt] = [NaN, NaN];
  const stop = client.onState((state) => {
    if (state === 'suspended') brokenAt = world.clock.now();
    if (state === 'connected') resumedAt = world.clock.now();
  });
  world.server.link.cut();
  await world.until(() => !Number.isNaN(resumedAt));
  stop();
  return resumedAt - brokenAt;
}

test('a client whose connections last reconnects at once, however often they break', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  for (let round = 0; round < 8; round++) assert.ok((await breakOff(world, client, 2000)) < 20);
  await world.close();
});

test('a client whose connections break soon reconnects more and more slowly, until one has lasted', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const waits: number[] = [];
  for (let round = 0; round < 6; round++) waits.push(await breakOff(world, client, 0));
  assert.ok(waits[0]! < 20 && waits[5]! >= 400, waits.join(', '));
  await breakOff(world, client, 2000);
  assert.ok((await breakOff(world, client, 0)) < 20);
  await world.close();
});

test('a create whose look-up breaks every connection is given up with an unknown outcome', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  let isLost = false;
  world.server.respond = ({ op }, link) => {
    if (op === OpCode.create2 && !isLost) {
      isLost = true;
      link.cut();
      return null;
    }
    if (op !== OpCode.sync) return undefined;
    link.cut();
    return null;
  };
  const failure = await world.failure(
    client.create('/a', null, { mode: 'ephemeral', uniqueName: true }),
    600_000,
  );
  assert.instance(failure, OutcomeUnknownError);
  await world.close();
});

test.run();
