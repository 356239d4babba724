import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AuthFailedError,
  ClientError,
  ClosedError,
  ConnectStringError,
  ConnectTimeoutError,
  ReconnectExhaustedError,
  connect,
  createClient,
  exponentialBackoff,
} from '../../../core/client/index.js';
import { ErrorCode, OpCode } from '../../../core/protocol/index.js';
import { SeededRandom, silentLogger, type LogFields, type Logger } from '../../../core/runtime/index.js';
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

test('a connect that times out names the address and why the last attempt failed', async () => {
  const world = new ClientWorld();
  world.server.down();
  const dialer = {
    dial: async (address: string) => {
      throw new Error(`connect ECONNREFUSED ${address}`);
    },
  };
  const failure = (await world.failure(
    connect('memory://a:1,b:1', { clock: world.clock, dialer, connectTimeoutMs: 5000 }),
  )) as ConnectTimeoutError;
  assert.instance(failure, ConnectTimeoutError);
  assert.match(failure.message, /no server of memory:\/\/a:1,b:1 accepted a session within 5000 ms/);
  assert.match(failure.message, /connect ECONNREFUSED memory:\/\/[ab]:1/);
  assert.match((failure.cause as Error).message, /ECONNREFUSED/);
});

test('a client that cannot connect warns after one second, with the addresses and the cause', async () => {
  const world = new ClientWorld();
  world.server.greet = () => 'silence';
  const warnings: { readonly at: number; readonly fields: LogFields }[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (_, fields = {}) => void warnings.push({ at: world.clock.now(), fields }),
    child: () => logger,
  };
  const client = world.client({ logger, attemptTimeoutMs: 1500 });
  await world.clock.advance(999);
  assert.equal(warnings, []);
  await world.clock.advance(3001);
  assert.equal(
    warnings.map(({ at }) => at),
    [1000, 2000, 4000],
  );
  const [first, second] = warnings.map(({ fields }) => fields);
  assert.is(first!['addresses'], world.server.address);
  assert.is(first!['cause'], 'no server has answered');
  assert.match(String(second!['cause']), /did not answer within 1500 ms/);
  assert.match(client.connectError?.message ?? '', /did not answer within 1500 ms/);

  world.server.greet = () => 'grant';
  await world.get(client.connected());
  assert.is(client.connectError, null);
  await world.clock.advance(20_000);
  assert.is(warnings.length, 3);
  await world.close();
});

test('connect names what is wrong with arguments that types would have refused', async () => {
  const world = new ClientWorld();
  const wrong: readonly (readonly [url: unknown, options: unknown, message: RegExp])[] = [
    [undefined, {}, /connect string "undefined": it must be a text, not undefined/],
    [{}, {}, /it must be a text, not object/],
    ['memory://a:1', null, /the options must be an object with sessionTimeoutMs, .*, not null/],
    ['memory://a:1', { signal: 5 }, /signal must be an AbortSignal/],
    [
      'memory://a:1',
      { connectTimeoutMs: 'x' },
      /connectTimeoutMs must be a number of milliseconds above 0, not x/,
    ],
  ];
  for (const [url, options, message] of wrong) {
    const error = (await world.failure(connect(url as string, options as {}))) as ClientError;
    assert.instance(error, ClientError);
    assert.match(error.message, message);
  }
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

test('connect reports a refused identity by its error alone, without a line of the log', async () => {
  const world = new ClientWorld();
  world.server.respond = ({ op }) => (op === OpCode.auth ? { err: ErrorCode.authFailed } : undefined);
  const lines: string[] = [];
  const options = { clock: world.clock, dialer: world.network, logger: recordingLogger(lines) };
  const auth = [{ scheme: 'digest', auth: 'a:wrong' }];
  assert.instance(await world.failure(connect('memory://a:1', { ...options, auth })), AuthFailedError);
  assert.equal(
    lines.filter((line) => /^(?:warn|error):/.test(line)),
    [],
  );
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
