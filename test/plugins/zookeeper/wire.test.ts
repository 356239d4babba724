import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpCode } from '../../../core/protocol/index.js';
import { serveOverTcp, until } from './served.js';
import { dial, open, TcpEnd } from './tcp-client.js';

const CONNECT = `0000002d00000000${'00'.repeat(8)}00002710${'00'.repeat(8)}00000010${'00'.repeat(16)}00`;
const CREATE_A =
  '000000320000000100000001000000022f610000000178000000010000001f00000005776f726c6400000006616e796f6e6500000000';

/** Sends the bytes, and returns the next so many that come back, in hexadecimal. */
async function exchange(tcp: TcpEnd, request: string, length: number): Promise<string> {
  const before = tcp.received.length;
  tcp.send(Buffer.from(request, 'hex'));
  await until(`${length} bytes`, () => tcp.received.length >= before + length);
  return tcp.received.toString('hex', before, before + length);
}

/** A fresh member's zxids: 0x100000001 is the session, what follows counts on. */
async function withSession(port: number): Promise<TcpEnd> {
  const tcp = await TcpEnd.open(port);
  await exchange(tcp, CONNECT, 41);
  return tcp;
}

test('the answer to a connect request has the bytes that the C client reads into a buffer of 41', async () => {
  await using served = await serveOverTcp();
  const tcp = await TcpEnd.open(served.port);
  const answer = await exchange(tcp, CONNECT, 41);

  assert.match(answer, /^00000025000000000000271001[0-9a-f]{14}00000010[0-9a-f]{32}00$/);
  tcp.terminate();
});

test('ping, create, exists with its watch, and the event have the bytes of ZooKeeper', async () => {
  await using served = await serveOverTcp();
  const tcp = await withSession(served.port);

  assert.is(await exchange(tcp, '00000008fffffffe0000000b', 20), '00000010fffffffe000000010000000100000000');
  assert.is(await exchange(tcp, CREATE_A, 26), '0000001600000001000000010000000200000000000000022f61');
  assert.is(
    await exchange(tcp, '0000000f0000000200000003000000022f6201', 20),
    '00000010000000020000000100000002ffffff9b',
  );
  const createB = CREATE_A.replace('000000320000000100', '000000320000000300').replace('2f61', '2f62');
  const events = await exchange(tcp, createB, 34 + 26);
  assert.is(
    events,
    '0000001effffffff0000000100000003000000000000000100000003000000022f620000001600000003000000010000000300000000000000022f62',
  );
  tcp.terminate();
});

test('a multi that fails has the bytes of ZooKeeper: header ok, and an error for each operation', async () => {
  await using served = await serveOverTcp();
  const tcp = await withSession(served.port);
  await exchange(tcp, CREATE_A, 26);

  const reply = await exchange(
    tcp,
    '00000038000000030000000e0000000d00ffffffff000000022f61000000000000000200ffffffff000000032f7a7affffffffffffffff01ffffffff',
    4 + 0x33,
  );

  assert.is(
    reply,
    '0000003300000003000000010000000300000000ffffffff000000000000000000ffffffff00ffffff9bffffff9bffffffff01ffffffff',
  );
  tcp.terminate();
});

test('whatever xid setWatches has is echoed: that of the C client, and those of the Java client', async () => {
  await using served = await serveOverTcp();
  const { client } = await dial(served.port);
  await client.connect();
  const lists = { relativeZxid: 0n, dataWatches: ['/none'], existWatches: [], childWatches: [] };

  assert.is((await client.send(OpCode.setWatches, lists, -8)).xid, -8);
  assert.is((await client.send(OpCode.setWatches, lists, 77)).xid, 77);
  assert.equal(client.arrivals, ['connected', 'event 2 /none', 'reply -8', 'event 2 /none', 'reply 77']);
});

test('an auth packet is answered in its turn behind requests that wait, as kazoo needs it', async () => {
  await using served = await serveOverTcp();
  const client = await open(served.port);
  const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

  await Promise.all(
    client.sendAll([
      { op: OpCode.create, body: { path: '/one', data: null, acl, flags: 0, ttlMs: 0 }, xid: 1 },
      { op: OpCode.auth, body: { type: 0, scheme: 'digest', auth: Buffer.from('user:pass') } },
      { op: OpCode.exists, body: { path: '/one', watch: false }, xid: 2 },
    ]),
  );

  assert.equal(client.arrivals.slice(1), ['reply 1', 'reply -4', 'reply 2']);
  const { body } = await client.send(OpCode.whoAmI, {});
  assert.equal(body!.clientInfo, [
    { scheme: 'ip', user: '127.0.0.1' },
    { scheme: 'digest', user: 'user' },
  ]);
});

test('replies come in the order of the requests, reads and writes and refusals alike', async () => {
  await using served = await serveOverTcp();
  const client = await open(served.port);
  const sent = [
    client.create('/x'),
    client.exists('/x'),
    client.create('/x'),
    client.getData('/none'),
    client.send(OpCode.sync, { path: '/' }),
    client.delete('/x'),
    client.exists('/x'),
  ];

  const replies = await Promise.all(sent as Promise<{ readonly err: number; readonly zxid: bigint }>[]);

  assert.equal(
    replies.map(({ err }) => err),
    [0, 0, -110, -101, 0, 0, -101],
  );
  const zxids = replies.map(({ zxid }) => zxid);
  assert.equal(
    zxids,
    [...zxids].sort((a, b) => (a < b ? -1 : Number(a > b))),
    'never a smaller zxid than before',
  );
});

test('an operation that is unknown, internal or not for clients is refused with -6, and then the connection ends', async () => {
  await using served = await serveOverTcp();
  for (const op of [10, 13, 20, 99, -10, -1]) {
    const tcp = await withSession(served.port);
    const type = (op >>> 0).toString(16).padStart(8, '0');

    const reply = await exchange(tcp, `0000000a00000005${type}0000`, 20);
    await tcp.ended;

    assert.is(reply.slice(0, 16), '0000001000000005', `operation ${op}`);
    assert.is(reply.slice(-8), 'fffffffa', `operation ${op}`);
    tcp.terminate();
  }
});

test('a body that cannot be decoded is refused with -5, and the connection goes on', async () => {
  await using served = await serveOverTcp();
  const tcp = await withSession(served.port);

  for (const length of ['7fffffff', 'fffffff0', '00000009']) {
    const reply = await exchange(tcp, `0000000d0000000500000003${length}00`, 20);
    assert.is(reply.slice(-8), 'fffffffb', `a path of ${length} bytes`);
  }
  assert.is(
    (await exchange(tcp, '0000000e0000000600000003000000012f00', 4 + 16 + 68)).slice(32, 40),
    '00000000',
  );
  tcp.terminate();
});

test('what stands behind the fields of a request is ignored', async () => {
  await using served = await serveOverTcp();
  const tcp = await withSession(served.port);

  const reply = await exchange(tcp, '000000120000000600000003000000012f00deadbeef', 4 + 16 + 68);

  assert.is(reply.slice(32, 40), '00000000');
  tcp.terminate();
});

test.run();
