import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JuteWriter, OpCode, writeConnectRequest, writeRequest } from '../../../core/protocol/index.js';
import type { RawClient } from '../../core/server/raw-client.js';
import { serveOverTcp, until } from './served.js';
import { dial, open, TcpEnd } from './tcp-client.js';

const NOBODY = { protocolVersion: 0, lastZxidSeen: 0n, sessionId: 0n, password: new Uint8Array(16) };
const EXPIRED = `00000025${'00'.repeat(4 + 4 + 8)}00000010${'00'.repeat(16)}00`;

function connectPacket(readOnly: boolean | null, timeoutMs = 10_000): Uint8Array {
  const writer = new JuteWriter();
  writeConnectRequest(writer, { ...NOBODY, timeoutMs, readOnly });
  return writer.take();
}

function createPacket(xid: number, path: string, bytes: number): Uint8Array {
  const writer = new JuteWriter();
  const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
  writeRequest(writer, xid, OpCode.create, { path, data: new Uint8Array(bytes), acl, flags: 0, ttlMs: 0 });
  return writer.take();
}

test('a connect request of 45 bytes is answered with 41 bytes, one of 44, from an old client, with 40', async () => {
  await using served = await serveOverTcp();
  for (const [readOnly, requestBytes, answerBytes] of [
    [false, 4 + 45, 41],
    [null, 4 + 44, 40],
  ] as const) {
    const tcp = await TcpEnd.open(served.port);
    const request = connectPacket(readOnly);
    assert.is(request.length, requestBytes);

    tcp.send(request);
    await until('an answer', () => tcp.received.length >= answerBytes);

    assert.is(tcp.received.length, answerBytes);
    assert.is(tcp.received.readInt32BE(0), answerBytes - 4);
    assert.is(tcp.received.readInt32BE(8), 10_000);
    tcp.terminate();
  }
});

test('requests may be sent right behind the connect request, without waiting for its answer', async () => {
  await using served = await serveOverTcp();
  const { client } = await dial(served.port);

  const connected = client.connect();
  const replies = client.sendAll([
    { op: OpCode.exists, body: { path: '/', watch: false } },
    { op: OpCode.ping, body: {} },
  ]);

  assert.ok((await connected).sessionId !== 0n);
  assert.is((await replies[0]!).err, 0);
  client.connection.terminate();
});

test('packets may be split at every byte', async () => {
  await using served = await serveOverTcp();
  const whole = Buffer.concat([connectPacket(false), createPacket(1, '/split', 3)]);
  const tcp = await TcpEnd.open(served.port);
  for (const byte of whole) {
    tcp.send(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until('both answers', () => tcp.received.length >= 41 + 4 + 16 + 4 + 6);

  assert.is(tcp.received.readInt32BE(41 + 4), 1);
  assert.is(tcp.received.readInt32BE(41 + 4 + 12), 0);
  assert.is(tcp.received.toString('utf8', 41 + 4 + 16 + 4), '/split');
  tcp.terminate();
});

test('a packet of 1048575 bytes is accepted, and one byte more ends the connection without an answer', async () => {
  await using served = await serveOverTcp();
  const overhead = createPacket(1, '/large', 0).length - 4;
  const client = await open(served.port);
  client.sendBytes(createPacket(1, '/large', 1_048_575 - overhead));
  await until('the largest packet is answered', () => client.arrivals.includes('reply 1'));

  client.sendBytes(createPacket(2, '/larger', 1_048_576 - overhead));
  await client.closed;

  assert.not(client.arrivals.includes('reply 2'));
  const other = await open(served.port);
  assert.is((await other.exists('/large')).err, 0);
  assert.is((await other.exists('/larger')).err, -101);
  other.connection.terminate();
});

test('what was sent before an oversized packet is still carried out', async () => {
  await using served = await serveOverTcp({ maxPacketBytes: 2_000 });
  const client = await open(served.port);

  client.sendBytes(Buffer.concat([createPacket(1, '/before', 10), createPacket(2, '/behind', 2_000)]));
  await client.closed;

  const other = await open(served.port);
  assert.is((await other.exists('/before')).err, 0);
  other.connection.terminate();
});

test('garbage and negative lengths end the connection, and the member serves on', async () => {
  await using served = await serveOverTcp();
  const beginnings = ['\xff\xff\xff\xff', '\x00\x00\x00\x00', '\xff\xf4\xff\xfd\x06'];
  for (const beginning of beginnings) {
    const tcp = await TcpEnd.open(served.port);
    tcp.send(Buffer.from(beginning, 'latin1'));
    await tcp.ended;
    assert.is(tcp.received.length, 0, JSON.stringify(beginning));
    tcp.terminate();
  }
  const notConnect = await TcpEnd.open(served.port);
  notConnect.send(createPacket(1, '/a', 0).subarray(0, 4));
  notConnect.send(new Uint8Array(createPacket(1, '/a', 0).length - 4).fill(7));
  await notConnect.ended;
  notConnect.terminate();

  const client = await open(served.port);
  assert.is((await client.exists('/')).err, 0);
  client.connection.terminate();
});

test('who does not say who it is in time is sent away, however little it has said', async () => {
  await using served = await serveOverTcp({ handshakeMs: 150 });
  const silent = await TcpEnd.open(served.port);
  const slow = await TcpEnd.open(served.port);
  slow.send(connectPacket(false).subarray(0, 20));

  await Promise.all([silent.ended, slow.ended]);

  assert.is(silent.received.length + slow.received.length, 0);
  silent.terminate();
  slow.terminate();
});

test('a session that does not exist and a wrong password get the same answer: expired, all zeros, and the end', async () => {
  await using served = await serveOverTcp();
  const owner = await open(served.port);
  const { sessionId } = owner.response!;
  for (const claimed of [sessionId, 0x0100000000000077n]) {
    const { client, tcp } = await dial(served.port);

    await client.connect({ sessionId: claimed, password: new Uint8Array(16).fill(1) });
    await tcp.ended;

    assert.is(tcp.received.toString('hex'), EXPIRED);
    tcp.terminate();
  }
  assert.is((await owner.exists('/')).err, 0, 'the session is not disturbed');
  owner.connection.terminate();
});

test('a session that was closed is answered with expired', async () => {
  await using served = await serveOverTcp();
  const owner = await open(served.port);
  await owner.send(OpCode.closeSession, {});
  await owner.closed;
  const { client, tcp } = await dial(served.port);

  await client.resume(owner);
  await tcp.ended;

  assert.is(tcp.received.toString('hex'), EXPIRED);
});

test('a client that has seen more than this member is closed without an answer', async () => {
  await using served = await serveOverTcp();
  const { client, tcp } = await dial(served.port);

  void client.connect({ lastZxidSeen: 0x7fff_0000_0000n }).catch(() => undefined);
  await tcp.ended;

  assert.is(tcp.received.length, 0);
});

test('a session moves to a new connection while the old one is still open, which is then closed', async () => {
  await using served = await serveOverTcp();
  const before = await open(served.port);
  await before.create('/mine', null, 1);
  const { client } = await dial(served.port);

  const response = await client.resume(before);
  await before.closed;

  assert.is(response.sessionId, before.response!.sessionId);
  assert.equal(response.password, before.response!.password);
  assert.is((await client.exists('/mine')).err, 0);
  client.connection.terminate();
});

test('the reply to closing a session arrives before the end of the connection', async () => {
  await using served = await serveOverTcp();
  const client: RawClient = await open(served.port);

  const reply = await client.send(OpCode.closeSession, {});
  await client.closed;

  assert.is(reply.err, 0);
});

test('a failed authentication is answered with -115 and then the connection ends', async () => {
  await using served = await serveOverTcp();
  const client = await open(served.port);

  const reply = await client.send(OpCode.auth, { type: 0, scheme: 'nonsense', auth: new Uint8Array(1) });
  await client.closed;

  assert.is(reply.err, -115);
});

test.run();
