/** The browser's version against a real listener; ws stands in for the browser's own class, whose interface it has. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { silentLogger, SystemClock, type QuorateError } from '../../../core/runtime/index.js';
import type { CloseReason, Connection } from '../../../core/transport/index.js';
import { SocketBudget, WebSocketListener } from '../../../core/transport/listener.js';
import { openWebSocket } from '../../../core/transport/websocket-browser.js';

(globalThis as { WebSocket?: unknown }).WebSocket = WebSocket;
const never = new AbortController().signal;
const options = { subprotocol: 'zookeeper.v1', maxMessageBytes: 1_000 };

let listener: WebSocketListener;
let url: URL;
let accepted: Connection[] = [];
const ends: CloseReason[] = [];

test.before(async () => {
  listener = new WebSocketListener({
    host: '127.0.0.1',
    port: 0,
    sockets: new SocketBudget({ total: 100, unproven: 100 }),
    requestTimeoutMs: 5_000,
    clock: new SystemClock(),
    logger: silentLogger,
  });
  listener.route('/client', {
    from: 'client',
    ...options,
    maxMessageBytes: 1_000_000,
    accept: (connection) => {
      accepted.push(connection);
      connection.handle({
        message: (bytes) => connection.send(bytes),
        closed: (reason) => ends.push(reason),
      });
    },
  });
  const { port } = await listener.listen();
  url = new URL(`ws://127.0.0.1:${port}/client`);
});
test.before.each(() => {
  accepted = [];
  ends.length = 0;
});
test.after(() => listener.close());

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`still not so: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('messages go and come as bytes, and closing in order is heard at both ends', async () => {
  const connection = await openWebSocket(url, options, never);
  const echoes: Uint8Array[] = [];
  const closed: CloseReason[] = [];
  connection.handle({ message: (bytes) => echoes.push(bytes), closed: (reason) => closed.push(reason) });
  connection.send(Uint8Array.of(1, 2, 3));
  await until(() => echoes.length === 1);
  assert.equal([...echoes[0]!], [1, 2, 3]);

  connection.close({ code: 1001, text: 'a page may not say 1001' });
  await until(() => closed.length === 1 && ends.length === 1);
  assert.equal([closed[0]!.code, ends[0]!.code], [1000, 1000]);
  assert.not(connection.isOpen);
});

test('what arrives before anybody handles it, or while paused, is kept in order', async () => {
  const connection = await openWebSocket(url, options, never);
  await until(() => accepted.length === 1);
  accepted[0]!.send(Uint8Array.of(1));
  accepted[0]!.send(Uint8Array.of(2));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const seen: number[] = [];
  connection.handle({
    message: (bytes) => {
      seen.push(bytes[0]!);
      if (bytes[0] === 2) connection.pause();
    },
    closed: () => undefined,
  });
  accepted[0]!.send(Uint8Array.of(3));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(seen, [1, 2]);
  connection.resume();
  await until(() => seen.length === 3);
  assert.equal(seen, [1, 2, 3]);
  connection.terminate();
});

test('more than can be kept while paused ends the connection', async () => {
  const connection = await openWebSocket(url, options, never);
  const closed: CloseReason[] = [];
  connection.handle({ message: () => undefined, closed: (reason) => closed.push(reason) });
  connection.pause();
  await until(() => accepted.length === 1);
  for (let count = 0; count < 6; count++) accepted[0]!.send(new Uint8Array(1_000));
  await until(() => closed.length === 1);
  assert.is(closed[0]!.code, 1006);
});

test('drained is told once what was sent has left', async () => {
  const connection = await openWebSocket(url, options, never);
  let drains = 0;
  connection.handle({ message: () => undefined, closed: () => undefined, drained: () => (drains += 1) });
  for (let count = 0; count < 50; count++) connection.send(new Uint8Array(500_000));
  assert.ok(connection.bufferedBytes > 0);
  await until(() => drains > 0);
  assert.is(connection.bufferedBytes, 0);
  connection.terminate();
});

test('a dial that is given up or finds nobody rejects with CONNECT_FAILED', async () => {
  const codeOf = (dial: Promise<unknown>): Promise<string> =>
    dial.then(
      () => 'connected',
      (error: QuorateError) => error.code,
    );
  assert.is(await codeOf(openWebSocket(url, options, AbortSignal.abort())), 'CONNECT_FAILED');
  assert.is(
    await codeOf(openWebSocket(new URL('ws://127.0.0.1:1/client'), options, never)),
    'CONNECT_FAILED',
  );
  const wrongPath = new URL('/elsewhere', url);
  assert.is(await codeOf(openWebSocket(wrongPath, options, never)), 'CONNECT_FAILED');
});

test.run();
