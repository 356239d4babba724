import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JuteWriter, OpCode, writeConnectRequest, writeRequest } from '../../../../core/protocol/index.js';
import { CloseCode } from '../../../../core/transport/index.js';
import { World } from '../world.js';

const NEW_SESSION = { protocolVersion: 0, lastZxidSeen: 0n, sessionId: 0n, password: new Uint8Array(16) };

test('a new session gets an id that starts with the member, a password of 16 bytes and the timeout', async () => {
  await using world = await World.start({ id: 9 });
  const client = await world.open(10_000);

  const { sessionId, password, timeoutMs, readOnly } = client.response!;
  assert.is(BigInt.asUintN(64, sessionId) >> 56n, 9n);
  assert.is(password.length, 16);
  assert.is(timeoutMs, 10_000);
  assert.is(readOnly, false);
});

test('the answer leaves out readOnly if the request did', async () => {
  await using world = await World.start();
  const client = await world.dial();
  const response = await world.wait(client.connect({ readOnly: null }));
  assert.is(response.readOnly, null);
});

test('a timeout outside the range is brought into it', async () => {
  await using world = await World.start({ tickMs: 500, minSessionMs: 2_000, maxSessionMs: 8_000 });
  assert.is((await world.open(1)).response!.timeoutMs, 2_000);
  assert.is((await world.open(1_000_000)).response!.timeoutMs, 8_000);
  assert.is((await world.open(-5)).response!.timeoutMs, 2_000);
});

test('a client that has seen more than this member is sent away without an answer', async () => {
  await using world = await World.start();
  const client = await world.dial();
  client.connect({ lastZxidSeen: 1n << 40n }).catch(() => undefined);

  const end = await world.wait(client.closed);

  assert.is(client.response, null);
  assert.is(end.code, CloseCode.behind);
});

test('a session that is resumed keeps its id and password, and its older connection ends first', async () => {
  await using world = await World.start();
  const older = await world.open();
  const created = await world.wait(older.create('/e', null, 1));
  const newer = await world.dial();

  const resumed = await world.wait(newer.resume(older, created.zxid));
  await world.wait(older.closed);

  assert.is(resumed.sessionId, older.response!.sessionId);
  assert.equal([...resumed.password], [...older.response!.password]);
  assert.is((await world.wait(newer.setData('/e', 'x'))).err, 0);
  assert.is((await world.wait(newer.exists('/e'))).body!.stat.ephemeralOwner, resumed.sessionId);
});

test('a session that is resumed never gets a longer timeout than it was created with', async () => {
  await using world = await World.start();
  const { sessionId, password } = (await world.open(5_000)).response!;
  for (const [asked, granted] of [
    [30_000, 5_000],
    [4_000, 4_000],
    [5_000, 5_000],
  ] as const) {
    const client = await world.dial();
    const { timeoutMs } = await world.wait(client.connect({ sessionId, password, timeoutMs: asked }));
    assert.is(timeoutMs, granted, `${asked} ms were asked for`);
  }
});

test('a wrong password is answered as expired, and disturbs nobody', async () => {
  await using world = await World.start();
  const owner = await world.open();
  const thief = await world.dial();

  const answer = await world.wait(
    thief.connect({ sessionId: owner.response!.sessionId, password: new Uint8Array(16).fill(1) }),
  );
  await world.wait(thief.closed);

  assert.equal([answer.timeoutMs, answer.sessionId, [...answer.password]], [0, 0n, [...new Uint8Array(16)]]);
  assert.is((await world.wait(owner.create('/a'))).err, 0);
});

test('a session that is over is answered as expired', async () => {
  await using world = await World.start();
  const gone = await world.open();
  await world.wait(gone.send(OpCode.closeSession, {}));
  const client = await world.dial();

  const answer = await world.wait(client.resume(gone));
  await world.wait(client.closed);

  assert.equal([answer.timeoutMs, answer.sessionId], [0, 0n]);
});

test('requests sent right behind the connect request wait for the session and are then answered in order', async () => {
  await using world = await World.start();
  const client = await world.dial();
  const connected = client.connect();
  const replies = [client.create('/a', 'x'), client.getData('/a'), client.send(OpCode.ping, {})];

  await world.wait(Promise.all([connected, ...replies]));

  assert.is(client.arrivals[0], 'connected');
  assert.equal(
    client.arrivals.filter((arrival) => arrival.startsWith('reply')),
    ['reply 1', 'reply 2'],
  );
});

test('connect request and requests in one message are taken apart', async () => {
  await using world = await World.start();
  const client = await world.dial();
  const writer = new JuteWriter();
  writeConnectRequest(writer, { ...NEW_SESSION, timeoutMs: 5_000, readOnly: false });
  writeRequest(writer, 1, OpCode.exists, { path: '/', watch: false });
  client.sendBytes(writer.take());

  await world.clock.runUntil(() => client.arrivals.length === 2, 1_000);

  assert.equal(client.arrivals, ['connected', 'reply 1']);
});

test('a connection that never speaks is closed after the limit, and one that does is not', async () => {
  await using world = await World.start({ handshakeMs: 3_000 });
  const silent = await world.dial();
  const speaking = await world.open(40_000);
  await world.clock.advance(2_000);
  assert.is(silent.end, null);

  await world.wait(silent.closed);
  await world.clock.advance(5_000);

  assert.is(speaking.end, null);
  assert.ok(world.log.has(/no connect request received/));
});

test('at debug level the log tells of each client that comes, is refused because its session is over, and leaves', async () => {
  await using world = await World.start();
  const client = await world.open(4_000);
  const { sessionId, password } = client.response!;
  await world.wait(client.send(OpCode.closeSession, {}));
  const late = await world.dial();
  await world.wait(late.connect({ sessionId, password }));
  await world.clock.settle();
  const told = world.log.lines.filter(({ level }) => level === 'debug');
  assert.equal(
    told.map(({ message }) => message),
    [
      'Client connected',
      'Client connection ended',
      'Client refused: its session is over',
      'Client connection ended',
    ],
  );
  assert.is(told[0]!.fields.session, `0x${BigInt.asUintN(64, sessionId).toString(16)}`);
  assert.is(told[3]!.fields.because, 'session expired');
});

test('a first packet that is no connect request ends the connection with a log line', async () => {
  await using world = await World.start();
  const client = await world.dial();
  client.sendBytes(Uint8Array.of(0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8));
  assert.is((await world.wait(client.closed)).code, 1002);
  assert.ok(world.log.has(/no connect request/));
});

test('one connection more than allowed is refused, and a place that is given back is free again', async () => {
  await using world = await World.start({ maxConnections: 1 });
  const first = await world.open();
  const second = await world.dial();
  assert.is((await world.wait(second.closed)).code, 1008);

  first.connection.close();
  await world.wait(first.closed);

  assert.ok((await world.open()).response!.sessionId !== 0n);
});

test.run();
