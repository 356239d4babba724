import { get } from 'node:http';
import { createServer, connect as tcp, type AddressInfo, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { silentLogger, SystemClock, type QuorateError } from '../../../core/runtime/index.js';
import { WebSocketDialer, type CloseReason, type Connection } from '../../../core/transport/index.js';
import {
  SocketBudget,
  WebSocketListener,
  type WebSocketListenerOptions,
} from '../../../core/transport/listener.js';

const never = new AbortController().signal;
const MAX_MESSAGE_BYTES = 1_000;

interface Served extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly accepted: Connection[];
  readonly received: Uint8Array[];
  readonly ends: CloseReason[];
  readonly listener: WebSocketListener;
}

/** A listener that keeps whatever reaches it, and echoes. */
async function serve(options: Partial<WebSocketListenerOptions> = {}): Promise<Served> {
  const listener = new WebSocketListener({
    host: '127.0.0.1',
    port: 0,
    sockets: new SocketBudget({ total: 100, unproven: 100 }),
    requestTimeoutMs: 5_000,
    clock: new SystemClock(),
    logger: silentLogger,
    ...options,
  });
  const [accepted, received, ends] = [[] as Connection[], [] as Uint8Array[], [] as CloseReason[]];
  listener.route('/client', {
    from: 'client',
    subprotocol: 'zookeeper.v1',
    maxMessageBytes: MAX_MESSAGE_BYTES,
    accept: (connection) => {
      accepted.push(connection);
      connection.handle({
        message: (bytes) => {
          received.push(bytes);
          connection.send(bytes);
        },
        closed: (reason) => ends.push(reason),
      });
    },
  });
  listener.get('/livez', () => ({ status: 200, contentType: 'application/json', body: '{"ok":true}' }));
  const { port } = await listener.listen();
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    accepted,
    received,
    ends,
    listener,
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`no sign of: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function closeCodeOf(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.once('close', (code) => resolve(code)));
}

async function opened(url: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url}/client`, ['zookeeper.v1']);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

test('a message sent by the dialer arrives whole and comes back', async () => {
  await using served = await serve();
  const connection = await new WebSocketDialer().dial(served.url, { signal: never });
  const echoes: Uint8Array[] = [];
  connection.handle({ message: (bytes) => echoes.push(bytes), closed: () => undefined });
  connection.send(Uint8Array.of(1, 2, 3));

  await until(() => echoes.length === 1, 'an echo');

  assert.equal([...echoes[0]!], [1, 2, 3]);
  assert.is(connection.remoteAddress, `127.0.0.1:${served.port}`);
  assert.match(served.accepted[0]!.remoteAddress, /^127\.0\.0\.1:\d+$/);
  connection.close();
  await until(() => served.ends.length === 1, 'the end');
  assert.is(served.ends[0]!.code, 1000);
});

/** A way to `port` that keeps what clients send on it. */
async function tapped(port: number): Promise<AsyncDisposable & { readonly url: string; sent(): Buffer }> {
  const sent: Buffer[] = [];
  const server = createServer((client) => {
    const upstream = tcp(port, '127.0.0.1');
    client.on('data', (bytes: Buffer) => sent.push(bytes));
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => Buffer.concat(sent),
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test('messages of a dialer travel masked, and as they are only if it was told so', async () => {
  await using served = await serve();
  await using way = await tapped(served.port);
  const secret = Buffer.from('what is written between members');
  for (const isMasked of [undefined, true, false]) {
    const echoes: Uint8Array[] = [];
    const connection = await new WebSocketDialer({ isMasked }).dial(way.url, { signal: never });
    connection.handle({ message: (bytes) => echoes.push(bytes), closed: () => undefined });
    connection.send(secret);
    await until(() => echoes.length === 1, 'an echo');
    assert.ok(secret.equals(echoes[0]!));
    assert.is(way.sent().includes(secret), isMasked === false, `masked: ${isMasked}`);
    connection.terminate();
  }
});

test('a text frame is answered with close code 1003', async () => {
  await using served = await serve();
  const socket = await opened(served.url);
  socket.send('hello');
  assert.is(await closeCodeOf(socket), 1003);
  assert.is(served.received.length, 0);
});

test('a message at the limit passes and one byte more is answered with close code 1009', async () => {
  await using served = await serve();
  const socket = await opened(served.url);
  socket.send(new Uint8Array(MAX_MESSAGE_BYTES));
  await until(() => served.received.length === 1, 'the message at the limit');
  socket.send(new Uint8Array(MAX_MESSAGE_BYTES + 1));
  assert.is(await closeCodeOf(socket), 1009);
  assert.is(served.received.length, 1);
});

test('bytes that are no WebSocket frame end that connection with 1002 and leave others alone', async () => {
  await using served = await serve();
  const other = await opened(served.url);
  const socket = tcp(served.port, '127.0.0.1');
  socket.write(
    'GET /client HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: zookeeper.v1\r\n\r\n',
  );
  await until(() => served.accepted.length === 2, 'the handshake');
  socket.write(Buffer.alloc(64, 0xff));
  socket.resume();
  await until(() => served.ends.length === 1, 'the end');
  other.send(Uint8Array.of(7));
  await until(() => served.received.length === 1, 'the other client');
  other.terminate();
});

test('an unknown path and a missing subprotocol are refused before the upgrade', async () => {
  await using served = await serve();
  const refusal = (url: string, subprotocols: string[]): Promise<string> =>
    new Promise((resolve) =>
      new WebSocket(url, subprotocols).once('error', (error) => resolve(error.message)),
    );
  assert.match(await refusal(`${served.url}/elsewhere`, ['zookeeper.v1']), /404/);
  assert.match(await refusal(`${served.url}/client`, []), /400/);
});

test('GET paths are answered and others are not found', async () => {
  await using served = await serve();
  const base = `http://127.0.0.1:${served.port}`;
  const live = await fetch(`${base}/livez`);
  assert.equal([live.status, await live.text()], [200, '{"ok":true}']);
  assert.is((await fetch(`${base}/nothing`)).status, 404);
  assert.is((await fetch(`${base}/livez`, { method: 'POST' })).status, 405);
});

test('more sockets than one address may have are closed at once', async () => {
  await using served = await serve({
    sockets: new SocketBudget({ total: 100, unproven: 100, perAddress: 2 }),
  });
  await opened(served.url);
  await opened(served.url);
  const third = await opened(served.url).then(
    () => 'opened',
    () => 'refused',
  );
  assert.is(third, 'refused');
});

test('more sockets than the total are closed at once, and a place that is given back is free again', async () => {
  await using served = await serve({ sockets: new SocketBudget({ total: 1, unproven: 1 }) });
  const first = await opened(served.url);
  first.send(Uint8Array.of(1));
  await until(() => served.received.length === 1, 'a message');
  const attempt = (): Promise<string> =>
    opened(served.url).then(
      () => 'opened',
      () => 'refused',
    );
  assert.is(await attempt(), 'refused');
  first.close();
  await until(() => served.ends.length === 1, 'the end of the first');
  assert.is(await attempt(), 'opened');
});

test('sockets that say nothing, before or behind their upgrade, keep nobody out', async () => {
  const sockets = new SocketBudget({ total: 8, unproven: 4 });
  await using served = await serve({ sockets });
  const client = await opened(served.url);
  client.send(Uint8Array.of(1));
  await until(() => served.received.length === 1, 'a message');
  const silent: Socket[] = [];
  for (let count = 0; count < 12; count++) {
    const socket = tcp(served.port, '127.0.0.1');
    socket.on('error', () => undefined);
    silent.push(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
    if (count % 2 === 0) (await opened(served.url)).on('error', () => undefined);
  }
  await until(() => sockets.size === 5, 'the silent sockets beyond their allowance to be closed');

  const status = await new Promise((resolve, reject) => {
    get({ port: served.port, path: '/livez', host: '127.0.0.1' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once('error', reject);
  });

  assert.is(status, 200);
  client.send(Uint8Array.of(2));
  await until(() => served.received.length === 2, 'the client that was there before');
  for (const socket of silent) socket.destroy();
});

test('a socket that never sends its request is closed after the limit', async () => {
  await using served = await serve({ requestTimeoutMs: 200 });
  const silent = tcp(served.port, '127.0.0.1');
  silent.resume();
  await new Promise((resolve) => silent.once('close', resolve));
});

test('a paused end stops the sender and nothing is lost', async () => {
  await using served = await serve();
  const connection = await new WebSocketDialer().dial(served.url, { signal: never });
  const count = 30_000;
  let [echoes, drains] = [0, 0];
  connection.handle({ message: () => (echoes += 1), closed: () => undefined, drained: () => (drains += 1) });
  await until(() => served.accepted.length === 1, 'the connection');
  served.accepted[0]!.pause();
  for (let sent = 0; sent < count; sent++) connection.send(new Uint8Array(MAX_MESSAGE_BYTES));
  await until(() => connection.bufferedBytes > 1_000_000, 'a backlog at the sender');

  served.accepted[0]!.resume();

  await until(() => echoes === count && connection.bufferedBytes === 0, 'every echo');
  assert.ok(drains >= 1);
});

test('close tells every client that the member goes away and frees the port', async () => {
  const served = await serve();
  const socket = await opened(served.url);
  const code = closeCodeOf(socket);
  await served.listener.close();
  assert.is(await code, 1001);
  assert.is(await opened(served.url).catch((error: Error & { code: string }) => error.code), 'ECONNREFUSED');
  await served.listener.close();
});

test('a dial that is given up, or has no listener, rejects with CONNECT_FAILED', async () => {
  const codeOf = (dial: Promise<unknown>): Promise<string> =>
    dial.then(
      () => 'connected',
      (error: QuorateError) => error.code,
    );
  const silent = (await import('node:net')).createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const abort = new AbortController();
  const dial = codeOf(new WebSocketDialer().dial(`ws://127.0.0.1:${port}`, { signal: abort.signal }));
  abort.abort();
  assert.is(await dial, 'CONNECT_FAILED');
  silent.close();
  assert.is(await codeOf(new WebSocketDialer().dial('http://x', { signal: never })), 'CONNECT_FAILED');
  assert.is(
    await codeOf(new WebSocketDialer().dial('ws://127.0.0.1:1', { signal: never })),
    'CONNECT_FAILED',
  );
});

/** An upgrade that will be refused, by a sender that never closes its side, with `behind` bytes after the request. */
function stubborn(
  port: number,
  { path, protocol, behind }: { path: string; protocol: string; behind: number },
): Socket {
  const socket = tcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
  );
  if (behind > 0) socket.write(Buffer.alloc(behind));
  return socket;
}

for (const [why, path, protocol] of [
  ['an unknown path', '/nowhere', 'zookeeper.v1'],
  ['a wrong subprotocol', '/client', 'chat'],
] as const) {
  for (const behind of [0, 256 * 1024]) {
    test(`an upgrade refused for ${why} frees its socket, with ${behind} bytes behind it and a sender that stays`, async () => {
      await using served = await serve({
        sockets: new SocketBudget({ total: 100, unproven: 100, perAddress: 8 }),
      });
      const senders = Array.from({ length: 8 }, () => stubborn(served.port, { path, protocol, behind }));
      const ends = senders.map(
        (socket) => new Promise((resolve) => socket.once('end', resolve).once('close', resolve)),
      );
      const answers = senders.map(
        (socket) =>
          new Promise<string>((resolve) => socket.on('data', (bytes: Buffer) => resolve(bytes.toString()))),
      );

      await Promise.all(ends);
      if (behind === 0) for (const answer of answers) assert.match(await answer, /^HTTP\/1\.1 40[04] /);
      // Every place of the address was taken: one is free again only when its socket is gone.
      await until(() => served.listener.socketCount === 0, 'the sockets to go');
      (await opened(served.url)).terminate();
      for (const socket of senders) socket.destroy();
    });
  }
}

test('a page of another origin is refused with 403, and one of an allowed origin is accepted', async () => {
  await using served = await serve({ allowedOrigins: ['https://app.example'] });
  const statusFor = (origin: string): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${served.url}/client`, ['zookeeper.v1'], { headers: { origin } });
      socket.once('open', () => {
        resolve(101);
        socket.terminate();
      });
      socket.once('unexpected-response', (request, response) => {
        resolve(response.statusCode!);
        request.destroy();
      });
      socket.on('error', () => undefined);
    });

  assert.is(await statusFor('https://evil.example'), 403);
  assert.is(await statusFor('null'), 403);
  assert.is(await statusFor('https://app.example'), 101);
  assert.is(served.accepted.length, 1);
});

test('a status on loopback is not shown under a foreign Host', async () => {
  await using served = await serve();
  const statusFor = (host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      get({ port: served.port, host: '127.0.0.1', path: '/livez', headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      }).once('error', reject);
    });

  assert.is(await statusFor('rebound.evil.example'), 403);
  assert.is(await statusFor(`localhost:${served.port}`), 200);
});

test.run();
