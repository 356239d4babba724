import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, JuteWriter, OpCode } from '../../../../core/protocol/index.js';
import type { RawClient } from '../raw-client.js';
import { World } from '../world.js';

/** A packet with any operation number and any body. */
function packet(xid: number, op: number, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const writer = new JuteWriter();
  const start = writer.startPacket();
  writer.writeInt(xid);
  writer.writeInt(op);
  writer.writeBytes(body);
  writer.endPacket(start);
  return writer.take();
}

async function stillWorks(world: World, client: RawClient): Promise<void> {
  assert.is((await world.wait(client.exists('/'))).err, 0);
}

for (const op of [0, 10, 13, 20, 999, -1, -10, 0x7fffffff]) {
  test(`operation ${op}, which no client may ask for, is answered as unimplemented and ends the connection`, async () => {
    await using world = await World.start();
    const [client, other] = [await world.open(), await world.open()];
    const before = client.create('/before');
    client.sendBytes(packet(77, op));
    const after = client.create('/after');
    after.catch(() => undefined);

    assert.is((await world.wait(before)).err, 0);
    assert.is((await world.wait(client.closed)).code, 1000);

    assert.equal(client.arrivals, ['connected', 'reply 1', 'reply 77']);
    assert.is((await world.wait(other.exists('/after'))).err, ErrorCode.noNode);
    assert.ok(world.log.has(/unknown operation/));
  });
}

test('a body that cannot be decoded is answered as such, in its turn, and the connection stays', async () => {
  await using world = await World.start();
  const client = await world.open();
  const before = client.create('/a');
  const between = client.send(OpCode.exists, { path: '/a', watch: false }, 50);
  client.sendBytes(packet(51, OpCode.create, Uint8Array.of(0x7f, 0xff, 0xff, 0xff)));
  const after = client.exists('/a');
  await world.wait(Promise.all([before, between, after]));
  assert.equal(client.arrivals, ['connected', 'reply 1', 'reply 50', 'reply 51', 'reply 2']);
});

test('a ping is answered with the xid of pings, whatever its own is', async () => {
  await using world = await World.start();
  const client = await world.open();
  client.sendBytes(packet(50, OpCode.ping));
  await world.wait(client.exists('/'));
  assert.equal(client.arrivals, ['connected', 'pong', 'reply 1']);
});

const garbage: readonly [string, Uint8Array, number][] = [
  ['a cut-off packet', Uint8Array.of(0, 0, 0, 20, 1, 2), 1002],
  ['a negative length', Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0), 1002],
  ['a packet shorter than its header', Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 1), 1002],
  ['a packet above the limit', Uint8Array.of(0, 16, 0, 0, 0, 0, 0, 0), 1009],
  ['text', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 1009],
];
for (const [what, bytes, code] of garbage) {
  test(`${what} ends that connection with ${code} and a log line, and disturbs no other`, async () => {
    await using world = await World.start();
    const [client, other] = [await world.open(), await world.open()];
    client.sendBytes(bytes);
    assert.is((await world.wait(client.closed)).code, code);
    assert.ok(world.log.has(/malformed frame/));
    await stillWorks(world, other);
  });
}

test('a packet of exactly the largest size is taken, one byte more is not', async () => {
  await using world = await World.start();
  const client = await world.open();
  const size = world.embedded.member.options.maxPacketBytes;
  assert.is(size, 1_048_575);
  client.sendBytes(packet(1, OpCode.setData, new Uint8Array(size - 8)));
  await world.clock.runUntil(() => client.arrivals.includes('reply 1'), 1_000);
  client.sendBytes(packet(2, OpCode.setData, new Uint8Array(size - 7)));
  assert.is((await world.wait(client.closed)).code, 1009);
});

test('whatever bytes arrive, before or after the handshake, the member lives and others are served', async () => {
  await using world = await World.start();
  const other = await world.open();
  const ops = fc.oneof(fc.constantFrom(...Object.values(OpCode)), fc.integer());
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(fc.integer(), ops, fc.uint8Array({ maxLength: 120 }))
      .map(([xid, op, body]) => packet(xid, op, body)),
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(message, { maxLength: 8 }), async (isEstablished, messages) => {
      const client = isEstablished ? await world.open() : await world.dial();
      client.ignoreAnswers();
      for (const bytes of messages) client.sendBytes(Uint8Array.from(bytes));
      await world.clock.settle();
      client.connection.terminate();
      await stillWorks(world, other);
    }),
    { numRuns: 300 },
  );
  assert.is(world.embedded.member.health().state, 'leading');
  assert.not(world.log.lines.some(({ level }) => level === 'error'));
});

test('paths that are none are refused by the write, and are missing for the read', async () => {
  await using world = await World.start();
  const client = await world.open();
  for (const path of ['', 'a', '//', '/..', '/\u0000', '/\u{1f600}']) {
    const label = JSON.stringify(path);
    assert.is((await world.wait(client.create(path))).err, ErrorCode.badArguments, label);
    assert.is.not((await world.wait(client.getData(path))).err, 0, label);
  }
  await stillWorks(world, client);
});

test.run();
