import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AuthFailedError,
  ClosedError,
  ConnectStringError,
  ConnectTimeoutError,
  ReconnectExhaustedError,
  SessionExpiredError,
  connect,
  createClient,
  exponentialBackoff,
  type Client,
} from '../../../core/client/index.js';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { SeededRandom, type Clock } from '../../../core/runtime/index.js';
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
  const warnings = lines.filter((line) => line === 'warn: no server accepts a session').length;
  assert.ok(attempts > 5 && attempts < 15, `${attempts} attempts`);
  assert.is(warnings, 4, 'after 1, 2, 4 and 8 attempts');

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

test('when the policy gives up, the client closes and says why', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client({ retry: exponentialBackoff({ attempts: 3 }) });
  const waiting = client.getData('/a').catch((error: unknown) => error);
  const failure = (await world.failure(client.connected())) as ClosedError;
  assert.instance(failure, ClosedError);
  assert.instance(failure.cause, ReconnectExhaustedError);
  assert.instance(await world.get(waiting), ClosedError);
  assert.is(client.state, 'closed');
});

test('connect gives a client with a session', async () => {
  const world = new ClientWorld();
  const client = await world.get(
    connect('memory://a:1', { clock: world.clock, random: new SeededRandom(1), dialer: world.network }),
  );
  assert.is(client.state, 'connected');
  assert.is.not(client.session.id, 0n);
  await world.get(client.close());
});

test('connect gives up in time, with an error that says what was tried, and leaves nothing behind', async () => {
  const world = new ClientWorld();
  world.server.down();
  const failure = await world.failure(
    connect('memory://a:1', { clock: world.clock, dialer: world.network, connectTimeoutMs: 5000 }),
  );
  assert.instance(failure, ConnectTimeoutError);
  assert.match((failure as Error).message, 'memory://a:1');
  assert.is(world.clock.now(), 5000);
  assert.is(world.clock.pendingTimers, 0);
});

test('connect stops when its signal aborts, at each step of the way', async () => {
  for (const greeting of ['down', 'silence'] as const) {
    const world = new ClientWorld();
    if (greeting === 'down') world.server.down();
    else world.server.greet = () => 'silence';
    const stop = new AbortController();
    const why = new Error('no longer wanted');
    const connecting = connect('memory://a:1', {
      clock: world.clock,
      dialer: world.network,
      signal: stop.signal,
    }).catch((error: unknown) => error);
    await world.clock.advance(10);
    stop.abort(why);
    assert.is(await world.get(connecting), why);
    await world.clock.settle();
    assert.is(world.clock.pendingTimers, 0);
    assert.ok(world.server.links.every(({ isClosed }) => isClosed));
  }
  const early = await connect('memory://a:1', { signal: AbortSignal.abort(new Error('before')) }).catch(
    (error: unknown) => error,
  );
  assert.match((early as Error).message, 'before');
});

test('connect rejects with what closed the client: an identity that was refused', async () => {
  const world = new ClientWorld();
  world.server.respond = ({ op }) => (op === OpCode.auth ? { err: ErrorCode.authFailed } : undefined);
  const lines: string[] = [];
  const options = { clock: world.clock, dialer: world.network, logger: recordingLogger(lines) };
  const auth = [{ scheme: 'digest', auth: 'a:wrong' }];
  const client = createClient('memory://a:1', { ...options, auth });
  await world.until(() => client.state === 'closed');
  assert.ok(lines.includes('error: the client closes itself'));
  const closed = (await world.failure(client.getData('/'))) as ClosedError;
  assert.instance(closed.cause, AuthFailedError);
});

test('a scheme that nobody speaks is refused at once, with those that somebody does', () => {
  for (const url of ['redis://a:6379', 'embedded:']) {
    assert.throws(
      // One that is not refused must not go on trying behind the test.
      () => void createClient(url).close(),
      (error: unknown) =>
        error instanceof ConnectStringError && /only ws, wss, zk, zks: /.test(error.message),
    );
  }
});

test('a transport is chosen by the scheme', async () => {
  const world = new ClientWorld();
  const client = createClient('memory://a:1', {
    clock: world.clock,
    transports: { memory: world.network },
  });
  await world.get(client.connected());
  await world.get(client.close());
});

test('what a listener throws is logged and keeps nobody else from being told', async () => {
  const world = new ClientWorld();
  const lines: string[] = [];
  const client = world.client({ logger: recordingLogger(lines) });
  client.onState(() => {
    throw new Error('listener');
  });
  const states = statesOf(client);
  await world.until(() => client.state === 'connected');
  assert.equal(states, ['connected 1']);
  assert.ok(lines.includes('error: a listener of the connection state threw'));
  await world.close();
});

test('every listener hears every change in order, also when one of them causes the next', async () => {
  const world = new ClientWorld();
  const client = world.client();
  client.onState((state) => {
    if (state === 'connected') void client.close();
  });
  const states = statesOf(client);
  await world.until(() => client.state === 'closed');
  assert.equal(states, ['connected 1', 'closed 1']);
  await world.close();
});

test('the stream of states begins with the present one and ends after closed', async () => {
  const world = new ClientWorld();
  const client = world.client();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const state of client.states()) seen.push(state);
  })();
  await world.get(client.connected());
  const states = statesOf(client);
  world.server.link.cut();
  await world.until(() => states.length === 2);
  await world.close();
  await world.get(reading);
  assert.equal(seen, ['connecting', 'connected', 'suspended', 'connected', 'closed']);
});

test('the stream of states ends when its signal aborts', async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  const stop = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const state of client.states({ signal: stop.signal })) seen.push(state);
  })();
  await world.clock.settle();
  stop.abort();
  await world.get(reading);
  assert.equal(seen, ['connected']);
  await world.close();
});

test('waiting to be connected can be given up', async () => {
  const world = new ClientWorld();
  world.server.down();
  const client = world.client();
  const stop = new AbortController();
  const waiting = world.failure(client.connected({ signal: stop.signal }));
  stop.abort(new Error('enough'));
  assert.match(((await waiting) as Error).message, 'enough');
  await world.close();
});

test.run();
