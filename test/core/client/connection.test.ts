import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Client } from '../../../core/client/index.js';
import { OpCode } from '../../../core/protocol/index.js';
import { SeededRandom } from '../../../core/runtime/index.js';
import { ClientWorld, SESSION_TIMEOUT_MS, recordingLogger } from './client-world.js';

function statesOf(client: Client): string[] {
  const states: string[] = [];
  client.onState((state, { epoch }) => states.push(`${state} ${epoch}`));
  return states;
}

test('without a server it keeps trying, ever more slowly, and connects when one comes', async () => {
  const world = new ClientWorld();
  world.server.down();
  const lines: string[] = [];
  const client = world.client({ logger: recordingLogger(lines) });
  await world.clock.advance(10_000);
  assert.is(client.state, 'connecting');
  const attempts = lines.filter((line) => line === 'info: no session with this server').length;
  const warnings = lines.filter(
    (line) => line === 'warn: Could not connect to a server yet; the client keeps trying',
  ).length;
  assert.ok(attempts > 5 && attempts < 15, `${attempts} attempts`);
  assert.is(warnings, 4, 'after 1, 2, 4 and 8 seconds');

  world.server.up();
  await world.get(client.connected());

  assert.is(client.state, 'connected');
  await world.close();
});

test('every host is tried in turn, in an order of chance', async () => {
  const firstHosts = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const world = new ClientWorld(3);
    const dialled: string[] = [];
    const dialer = {
      dial: (address: string, options: { readonly signal: AbortSignal }) => {
        dialled.push(address);
        return world.network.dial(address, options);
      },
    };
    world.servers.forEach((server) => server.down());
    world.client({ dialer, random: new SeededRandom(seed) });
    await world.until(() => dialled.length >= 6);
    assert.is(new Set(dialled.slice(0, 3)).size, 3);
    assert.equal(dialled.slice(0, 3), dialled.slice(3, 6));
    firstHosts.add(dialled[0]!);
    await world.close();
  }
  assert.is(firstHosts.size, 3);
});

test('a server that never answers costs one attempt, then the next host is asked', async () => {
  const world = new ClientWorld(2);
  const asked: string[] = [];
  for (const server of world.servers) {
    server.greet = () => (asked.push(server.address) === 1 ? 'silence' : 'grant');
  }
  const client = world.client({ attemptTimeoutMs: 700 });
  await world.get(client.connected());
  assert.is(new Set(asked).size, 2);
  assert.ok(world.clock.now() >= 700 && world.clock.now() < 900, `${world.clock.now()}`);
  await world.close();
});

test('a server that closes without an answer, as one that is behind does, is passed over', async () => {
  const world = new ClientWorld(2);
  let refusals = 0;
  world.servers[0]!.greet = () => ((refusals += 1), 'close');
  world.servers[1]!.greet = () => (refusals === 0 ? 'close' : 'grant');
  const client = await world.connected();
  assert.is(client.session.epoch, 1);
  await world.close();
});

test('when the connection breaks it goes on in the same session, at once, at another host', async () => {
  const world = new ClientWorld(2);
  const client = await world.connected();
  const states = statesOf(client);
  const { id } = client.session;
  const before = world.servers.find(({ links }) => links.length > 0)!;
  const other = world.servers.find((server) => server !== before)!;
  await world.clock.advance(5000);
  await world.get(client.create('/a'));
  const brokenAt = world.clock.now();

  before.link.cut();
  await world.until(() => states.includes('connected 1'));

  assert.equal(states, ['suspended 1', 'connected 1']);
  assert.is(world.clock.now(), brokenAt);
  assert.is(client.session.id, id);
  const { greeting } = other.link;
  assert.is(greeting!.sessionId, id);
  assert.is(greeting!.lastZxidSeen, client.lastZxid);
  assert.equal(greeting!.password, new Uint8Array(16).fill(7));
  await world.close();
});

test('an idle client pings three times in a session timeout and stays connected', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const states = statesOf(client);
  await world.clock.advance(10 * SESSION_TIMEOUT_MS);
  assert.equal(states, []);
  const { pings } = world.server.link;
  assert.ok(pings >= 29 && pings <= 31, `${pings} pings`);
  await world.close();
});

test('a silent connection is given up after two thirds of the timeout, in time for another host', async () => {
  const world = new ClientWorld(2);
  const client = await world.connected();
  const states = statesOf(client);
  const silent = world.servers.find(({ links }) => links.length > 0)!;
  silent.link.isMute = true;
  const { id } = client.session;
  const startedAt = world.clock.now();

  await world.until(() => states.length > 1);

  assert.is(world.clock.now() - startedAt, (SESSION_TIMEOUT_MS * 2) / 3);
  assert.equal(states, ['suspended 1', 'connected 1']);
  assert.is(client.session.id, id);
  assert.is(silent.link.isClosed, true);
  await world.close();
});

test('unanswered requests do not hide a dead server: pings go on beside them', async () => {
  const world = new ClientWorld();
  world.server.respond = ({ op }) => (op === OpCode.create2 ? null : undefined);
  const client = await world.connected();
  const states = statesOf(client);
  for (let second = 0; second < 30; second++) {
    client.create(`/a${second}`).catch(() => undefined);
    await world.clock.advance(1000);
  }
  assert.equal(states, []);
  assert.ok(world.server.link.pings >= 9, `${world.server.link.pings} pings`);
  await world.close();
});

test('a server that accepts and breaks again and again is not tried in a tight loop', async () => {
  const world = new ClientWorld();
  const client = world.client();
  world.server.greet = (_, link) => {
    world.clock.setTimer(1, () => link.cut());
    return 'grant';
  };
  await world.clock.advance(60_000);
  assert.ok(world.server.links.length < 45, `${world.server.links.length} connections in a minute`);
  assert.ok(world.server.links.length > 20, `${world.server.links.length} connections in a minute`);
  await world.get(client.close());
});

test('a handshake that is not one ends that connection, and the next host is asked', async () => {
  const world = new ClientWorld(2);
  let bad = 0;
  for (const server of world.servers) {
    server.greet = (_, link) => {
      if (bad++ > 0) return 'grant';
      link.sendRaw(Uint8Array.from([0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
      return 'silence';
    };
  }
  const client = await world.connected();
  assert.is(client.state, 'connected');
  assert.is(world.clock.now(), 50);
  await world.close();
});

test.run();
