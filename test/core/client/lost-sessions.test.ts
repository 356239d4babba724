import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SessionExpiredError, type Client } from '../../../core/client/index.js';
import { silentLogger, type Clock } from '../../../core/runtime/index.js';
import { ClientWorld, SESSION_TIMEOUT_MS } from './client-world.js';

function statesOf(client: Client): string[] {
  const states: string[] = [];
  client.onState((state, { epoch }) => states.push(`${state} ${epoch}`));
  return states;
}

test('when a server says that the session has expired, it is lost and a new one begins by itself', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const states = statesOf(client);
  const first = client.session;
  const signalsAt: string[] = [];
  first.signal.addEventListener('abort', () => signalsAt.push(client.state));

  world.world.end(first.id);
  world.server.link.cut();
  await world.until(() => states.includes('connected 2'));

  assert.equal(states, ['suspended 1', 'lost 1', 'connected 2']);
  assert.equal(signalsAt, ['lost']);
  assert.instance(first.signal.reason, SessionExpiredError);
  assert.is.not(client.session.id, first.id);
  assert.is(client.session.signal.aborted, false);
  assert.is(first.epoch, 1);
  await world.close();
});

test('an answer for another session than asked for counts as expired: nothing is adopted silently', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const states = statesOf(client);
  const { id } = client.session;
  world.server.greet = (greeting) => {
    if (greeting.sessionId === id) Object.assign(greeting, { sessionId: 0n });
    return 'grant';
  };
  world.server.link.cut();
  await world.until(() => states.includes('connected 2'));
  assert.equal(states, ['suspended 1', 'lost 1', 'connected 2']);
  await world.close();
});

test('without any server the session is lost by the own timer, and is never resumed, though it still lives', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const states = statesOf(client);
  const { id, signal } = client.session;

  world.server.down();
  await world.until(() => states.includes('lost 1'));
  assert.ok(world.clock.now() < SESSION_TIMEOUT_MS, `${world.clock.now()}`);
  assert.is(signal.aborted, true);
  world.server.up();
  await world.get(client.connected());

  assert.equal(states, ['suspended 1', 'lost 1', 'connected 2']);
  assert.is(world.server.link.greeting!.sessionId, 0n);
  assert.ok(world.world.sessions.has(id), 'the server still had the session');
  await world.close();
});

test('a client whose servers all stay behind it begins anew with their history, with an error, once its session is over', async () => {
  const world = new ClientWorld(2);
  const logged: string[] = [];
  const client = await world.connected({
    logger: { ...silentLogger, error: (message: string) => void logged.push(message) },
  });
  await world.get(client.create('/a'));
  const seen = client.lastZxid;
  // An older copy of the data is put back.
  world.world.sessions.clear();
  world.world.zxid = seen - 1n;
  for (const server of world.servers) {
    server.greet = ({ lastZxidSeen }) => (lastZxidSeen > world.world.zxid ? 'behind' : 'grant');
    server.down();
    server.up();
  }
  await world.until(() => client.state === 'lost');
  const lostAt = world.clock.now();
  // What the servers said while the session could still live does not count.
  await world.clock.advance(1.9 * SESSION_TIMEOUT_MS);
  assert.is(client.state, 'lost');
  await world.get(client.connected());
  assert.ok(world.clock.now() - lostAt >= 2 * SESSION_TIMEOUT_MS);
  assert.ok(client.lastZxid < seen);
  assert.is(logged.filter((message) => /older history/.test(message)).length, 1);
  await world.close();
});

test('a client waits without end for a server that has what it has seen as long as others are only unreachable', async () => {
  const world = new ClientWorld(2);
  const client = await world.connected();
  await world.get(client.create('/a'));
  const seen = client.lastZxid;
  for (const server of world.servers) server.down();
  await world.until(() => client.state === 'lost');
  await world.clock.advance(20 * SESSION_TIMEOUT_MS);
  for (const server of world.servers) server.up();
  await world.get(client.connected());
  assert.is(client.lastZxid, seen);
  await world.close();
});

test('after a pause of the process the session is lost before anything is done in it, whatever comes first', async () => {
  for (const first of ['request', 'message'] as const) {
    const world = new ClientWorld();
    let pausedMs = 0;
    const { clock } = world;
    const pausing: Clock = {
      now: () => clock.now() + pausedMs,
      wall: () => clock.wall(),
      setTimer: (delayMs, task) => clock.setTimer(delayMs, task),
      soon: (task) => clock.soon(task),
    };
    const client = await world.connected({ clock: pausing });
    const { signal, epoch } = client.session;
    pausedMs = SESSION_TIMEOUT_MS;

    if (first === 'request') {
      const failure = await client.create('/a', null, { session: epoch }).catch((error: unknown) => error);
      assert.instance(failure, SessionExpiredError);
    } else {
      world.server.link.notify('created', '/a');
      await clock.settle();
    }
    assert.is(signal.aborted, true);
    await world.until(() => client.session.epoch === 2);
    assert.is(world.world.znodes.has('/a'), false);
    await world.close();
  }
});

test('a handshake under way when the session is lost is broken off: its answer changes nothing', async () => {
  const world = new ClientWorld();
  const client = await world.connected({ attemptTimeoutMs: 60_000 });
  const states = statesOf(client);
  world.server.greet = ({ sessionId }) => (sessionId === 0n ? 'grant' : 'silence');
  world.server.link.cut();

  await world.until(() => states.includes('connected 2'));

  const resumptions = world.server.links.filter(({ greeting }) => greeting!.sessionId !== 0n);
  assert.ok(resumptions.length >= 2, 'no single host may use up all the time there is');
  assert.ok(resumptions.every(({ isClosed }) => isClosed));
  assert.equal(states, ['suspended 1', 'lost 1', 'connected 2']);
  await world.close();
});

test.run();
