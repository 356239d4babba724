import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AuthFailedError,
  ClosedError,
  ConnectStringError,
  ConnectTimeoutError,
  ReconnectExhaustedError,
  connect,
  createClient,
  exponentialBackoff,
} from '../../../core/client/index.js';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { SeededRandom } from '../../../core/runtime/index.js';
import { ClientWorld, recordingLogger } from './client-world.js';

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

test.run();
