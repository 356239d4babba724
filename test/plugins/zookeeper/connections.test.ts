import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JuteWriter, OpCode, writeRequest } from '../../../core/protocol/index.js';
import { serveOverTcp, until } from './served.js';
import { dial, open, TcpEnd } from './tcp-client.js';

function packet(write: (writer: JuteWriter) => void): Uint8Array {
  const writer = new JuteWriter();
  write(writer);
  return writer.take();
}

const closeSession = packet((writer) => writeRequest(writer, 9, OpCode.closeSession, {}));

test('a client that closes its direction still gets the answers to what it has asked', async () => {
  await using served = await serveOverTcp();
  const { client, tcp } = await dial(served.port);
  await client.connect();

  const replies = client.sendAll([
    { op: OpCode.exists, body: { path: '/', watch: false } },
    { op: OpCode.sync, body: { path: '/' } },
  ]);
  tcp.socket.end();

  assert.equal(
    (await Promise.all(replies)).map(({ err }) => err),
    [0, 0],
  );
  await client.closed;
  await until('the member lets go', () => served.member.health().connections === 0);
});

test('a client that closes its direction before it has said who it is is let go at once', async () => {
  await using served = await serveOverTcp();
  for (const beginning of ['', 'ab', '\x00\x00\x00\x2d\x00']) {
    const tcp = await TcpEnd.open(served.port);
    tcp.socket.end(Buffer.from(beginning, 'latin1'));
    await tcp.ended;
  }
});

test('a session is over whose client closes it and leaves without waiting for an answer', async () => {
  await using served = await serveOverTcp();
  const watcher = await open(served.port);
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const { client, tcp } = await dial(served.port);
    await client.connect({ timeoutMs: 30_000 });
    const path = `/${leave}`;
    await client.create(path, null, 1);

    tcp.socket.write(closeSession, () => void tcp.socket[leave]());

    for (let isThere = true; isThere;) isThere = (await watcher.exists(path)).err === 0;
  }
  watcher.connection.terminate();
});

test('a client that closes its session gets all it was owed before, however slowly it reads', async () => {
  await using served = await serveOverTcp({ outputHighWaterBytes: 16_000_000 });
  const watcher = await open(served.port);
  const { client, tcp } = await dial(served.port);
  await client.connect({ timeoutMs: 30_000 });
  await client.create('/large', 'x'.repeat(900_000));
  await client.create('/mine', null, 1);
  tcp.pause();

  const replies = Array.from({ length: 8 }, () => client.getData('/large'));
  const closed = client.send(OpCode.closeSession, {});
  for (let isThere = true; isThere;) isThere = (await watcher.exists('/mine')).err === 0;
  tcp.resume();

  for (const { err } of await Promise.all([...replies, closed])) assert.is(err, 0);
  await client.closed;
  watcher.connection.terminate();
});

test('a connection that is cut leaves its session alive, and its ephemeral znodes there', async () => {
  await using served = await serveOverTcp();
  const client = await open(served.port);
  await client.create('/kept', null, 1);

  client.connection.terminate();
  await until('the member lets go', () => served.member.health().connections === 0);

  const other = await open(served.port);
  assert.is((await other.exists('/kept')).err, 0);
  other.connection.terminate();
});

test('a client that never reads is not read from, others are served, and it gets everything once it reads', async () => {
  await using served = await serveOverTcp();
  const other = await open(served.port);
  await other.create('/large', 'x'.repeat(500_000));
  const { client, tcp } = await dial(served.port);
  await client.connect({ timeoutMs: 30_000 });
  tcp.pause();
  const before = process.memoryUsage().rss;

  const REQUESTS = 2_000;
  const padding = `/${'p'.repeat(4_000)}`;
  for (let count = 0; count < REQUESTS; count++) {
    void client.getData('/large').catch(() => undefined);
    void client.exists(padding).catch(() => undefined);
  }
  const taken = (): number => tcp.socket.bytesWritten - tcp.socket.writableLength;
  let stuckAt = 0;
  let since = 0;
  await until('the member does not read any more', () => {
    if (taken() !== stuckAt) [stuckAt, since] = [taken(), performance.now()];
    return performance.now() - since > 1_000;
  });
  for (let count = 0; count < 20; count++) assert.is((await other.exists('/large')).err, 0);

  assert.ok(tcp.socket.writableLength > 1_000_000, 'most of the requests are still with the client');
  assert.is(taken(), stuckAt);
  assert.ok(process.memoryUsage().rss - before < 200_000_000, 'a gigabyte of answers is not held');
  tcp.terminate();
  other.connection.terminate();
});

test('a client that was slow gets every answer in order', async () => {
  await using served = await serveOverTcp({ outputHighWaterBytes: 10_000 });
  const { client, tcp } = await dial(served.port);
  await client.connect();
  await client.create('/data', 'x'.repeat(20_000));
  tcp.pause();
  const replies = Array.from({ length: 400 }, () => client.getData('/data'));
  await until('requests pile up at the member', () => tcp.socket.bytesWritten > 0);

  tcp.resume();

  for (const reply of await Promise.all(replies)) assert.is(reply.err, 0);
  tcp.terminate();
});

test('nothing is limited per address unless it is told', async () => {
  await using served = await serveOverTcp();
  const clients = await Promise.all(Array.from({ length: 150 }, () => open(served.port)));
  assert.is(served.member.health().connections, 150);
  for (const client of clients) client.connection.terminate();
});

test('connections beyond the limit of an address are closed, and there is room again when one leaves', async () => {
  await using served = await serveOverTcp({ maxConnectionsPerAddress: 2 });
  const [first] = [await open(served.port), await open(served.port)];

  const refused = await TcpEnd.open(served.port);
  await refused.ended;

  first.connection.terminate();
  // The address has room once the socket is closed, which may be behind the member's letting go of its connection.
  let third = await open(served.port).catch(() => null);
  while (third === null) third = await open(served.port).catch(() => null);
  assert.is((await third.exists('/')).err, 0);
});

test('a client beyond the limit of all clients together is refused, and those that are there are served', async () => {
  await using served = await serveOverTcp({ maxConnections: 1 });
  const first = await open(served.port);

  await open(served.port).then(
    () => assert.unreachable('a second client is served'),
    () => undefined,
  );

  assert.is((await first.exists('/')).err, 0);
});

test('a member that stops closes its connections, and frees the port', async () => {
  const served = await serveOverTcp();
  const client = await open(served.port);

  await Promise.all([client.closed, served[Symbol.asyncDispose]()]);

  await TcpEnd.open(served.port).then(
    () => assert.unreachable('the port is still open'),
    (error: NodeJS.ErrnoException) => assert.is(error.code, 'ECONNREFUSED'),
  );
});

test('a port that is taken is said so, and the member does not start', async () => {
  await using served = await serveOverTcp();
  await serveOverTcp({}, { port: served.port }).then(
    () => assert.unreachable('two listeners on one port'),
    (error: { code?: string; message: string }) => {
      assert.is(error.code, 'LISTEN_FAILED');
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${served.port}.*another --zookeeper-port`));
    },
  );
});

test.run();
