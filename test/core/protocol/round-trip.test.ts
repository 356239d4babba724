import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ClientOp,
  ErrorCode,
  JuteReader,
  JuteWriter,
  OpCode,
  type Reply,
  type ReplyBodies,
  type RequestBodies,
  WatchEventType,
  isClientOp,
  readConnectRequest,
  readConnectResponse,
  readReplyBody,
  readReplyHeader,
  readRequestBody,
  readRequestHeader,
  readWatchEvent,
  splitPackets,
  writeConnectRequest,
  writeConnectResponse,
  writeReply,
  writeRequest,
  writeWatchEvent,
} from '../../../core/protocol/index.js';
import {
  clientOps,
  connectRequests,
  connectResponses,
  ownConnectResponses,
  replyBodies,
  replyHeaders,
  requestBodies,
} from './arbitraries.js';

const MAX_PACKET = 1_048_575;
const names = new Map<number, string>(Object.entries(OpCode).map(([name, op]) => [op, name]));

function throughTheWire(write: (writer: JuteWriter) => void): JuteReader {
  const writer = new JuteWriter();
  write(writer);
  const packets = splitPackets(writer.take(), MAX_PACKET);
  assert.is(packets.length, 1);
  return packets[0]!;
}

for (const op of clientOps) {
  test(`a request to ${names.get(op)} reads back as it was written`, () => {
    const bodies = requestBodies[op] as fc.Arbitrary<RequestBodies[ClientOp]>;
    fc.assert(
      fc.property(fc.integer(), bodies, (xid, body) => {
        const reader = throughTheWire((writer) => writeRequest(writer, xid, op, body));

        assert.equal(readRequestHeader(reader), { xid, op });
        assert.equal(readRequestBody(op, reader), body);
        assert.is(reader.remaining, 0);
      }),
    );
  });

  test(`a reply to ${names.get(op)} reads back as it was written`, () => {
    const bodies = replyBodies[op] as fc.Arbitrary<ReplyBodies[ClientOp]>;
    fc.assert(
      fc.property(bodies, (body) => {
        const header = { xid: 7, zxid: 9n, err: ErrorCode.ok };
        const reader = throughTheWire((writer) => writeReply(writer, header, { op, body } as Reply));

        assert.equal(readReplyHeader(reader), header);
        assert.equal(readReplyBody(op, reader), body);
      }),
    );
  });
}

test('both packets of the handshake read back as they were written, with and without the trailing byte', () => {
  fc.assert(
    fc.property(connectRequests, connectResponses, (request, response) => {
      const requestReader = throughTheWire((writer) => writeConnectRequest(writer, request));
      assert.equal(readConnectRequest(requestReader), request);
      const responseReader = throughTheWire((writer) => writeConnectResponse(writer, response));
      assert.equal(readConnectResponse(responseReader), response);
    }),
  );
});

test('what a member answers beyond ZooKeeper reads back as it was written', () => {
  fc.assert(
    fc.property(ownConnectResponses, (response) => {
      const reader = throughTheWire((writer) => writeConnectResponse(writer, response));
      assert.equal(readConnectResponse(reader), response);
    }),
  );
});

test('a reply with an error code is a header of sixteen bytes, whatever body comes with it', () => {
  const body = { path: '/a' };
  fc.assert(
    fc.property(replyHeaders, (header) => {
      fc.pre(header.err !== ErrorCode.ok);
      const reader = throughTheWire((writer) => writeReply(writer, header, { op: OpCode.create, body }));

      assert.is(reader.remaining, 16);
      assert.equal(readReplyHeader(reader), header);
    }),
  );
});

test('a watch event reads back as it was written', () => {
  const types = fc.constantFrom(...Object.values(WatchEventType));
  fc.assert(
    fc.property(types, fc.string(), fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }), (type, path, zxid) => {
      const reader = throughTheWire((writer) => writeWatchEvent(writer, zxid, { type, path }));

      assert.is(readReplyHeader(reader).zxid, zxid);
      assert.equal(readWatchEvent(reader), { type, path });
    }),
  );
});

test('many packets of one writer leave as one message and come apart again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 3000 })), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      (writes, packetsPerTake) => {
        const writer = new JuteWriter(64);
        const messages: Uint8Array[] = [];
        for (const [index, [xid, data]] of writes.entries()) {
          writeRequest(writer, xid, OpCode.setData, { path: '/a', data, version: -1 });
          if ((index + 1) % packetsPerTake === 0) messages.push(writer.take());
        }
        messages.push(writer.take());

        const packets = messages.flatMap((message) => splitPackets(message, MAX_PACKET));
        const read = packets.map((packet) => {
          const { xid } = readRequestHeader(packet);
          return [xid, readRequestBody(OpCode.setData, packet).data];
        });
        assert.equal(read, writes);
      },
    ),
  );
});

test('in a multi, a create that tells a Stat answers as create2 whichever operation asked for it', () => {
  const stat = {
    czxid: 1n,
    mzxid: 1n,
    ctime: 5,
    mtime: 5,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: 0n,
    dataLength: 0,
    numChildren: 0,
    pzxid: 1n,
  };
  const body = { path: '/a', stat };
  const results = [OpCode.createContainer, OpCode.createTtl].map((op) => ({ reply: { op, body } }));
  const header = { xid: 1, zxid: 1n, err: ErrorCode.ok };

  const reader = throughTheWire((writer) => {
    writeReply(writer, header, { op: OpCode.multi, body: { results } });
  });
  readReplyHeader(reader);

  const expected = { reply: { op: OpCode.create2, body } };
  assert.equal(readReplyBody(OpCode.multi, reader), { results: [expected, expected] });
});

test('a multi without operations is a terminator only', () => {
  const reader = throughTheWire((writer) => writeRequest(writer, 1, OpCode.multi, { ops: [] }));

  readRequestHeader(reader);
  assert.is(reader.remaining, 9);
  assert.equal(readRequestBody(OpCode.multi, reader), { ops: [] });
});

test('text that UTF-16 cannot spell leaves as replacement characters', () => {
  const writer = new JuteWriter();
  writer.writeString('/\ud800');
  writer.writeString(`/${'x'.repeat(100)}\udfff`);

  const reader = new JuteReader(writer.take());

  assert.is(reader.readString(), '/\ufffd');
  assert.is(reader.readString(), `/${'x'.repeat(100)}\ufffd`);
});

test('null and empty are told apart in strings and in buffers', () => {
  const writer = new JuteWriter();
  writer.writeString(null);
  writer.writeString('');
  writer.writeBuffer(null);
  writer.writeBuffer(new Uint8Array(0));

  const reader = new JuteReader(writer.take());

  assert.is(reader.readString(), null);
  assert.is(reader.readString(), '');
  assert.is(reader.readBuffer(), null);
  assert.equal(reader.readBuffer(), new Uint8Array(0));
});

test('a buffer that is passed over ends where reading goes on', () => {
  const writer = new JuteWriter();
  for (const buffer of [Uint8Array.of(1, 2, 3), new Uint8Array(0), null]) writer.writeBuffer(buffer);
  const reader = new JuteReader(writer.take());
  const passed = [0, 0, 0].map(() => [reader.passBuffer(), reader.offset]);

  assert.equal(passed, [
    [3, 7],
    [0, 11],
    [-1, 15],
  ]);
  assert.throws(() => new JuteReader(Uint8Array.of(0, 0, 0, 2, 1)).passBuffer());
});

test('a long is read as itself, whichever long it is likened to', () => {
  const longs = [0n, 1n, -1n, 2n ** 62n, -(2n ** 63n), 0x1_0000_0000n];
  for (const written of longs) {
    for (const known of longs) {
      const writer = new JuteWriter();
      writer.writeLong(written);
      writer.writeInt(7);
      const reader = new JuteReader(writer.take());
      assert.is(reader.readLongLike(known), written);
      assert.is(reader.readInt(), 7);
    }
  }
});

test('a buffer that was read is a view of the message, not a copy', () => {
  const message = new Uint8Array([0, 0, 0, 2, 65, 66]);

  const read = new JuteReader(message).readBuffer()!;
  message[4] = 67;

  assert.equal(read, new Uint8Array([67, 66]));
});

test('what was taken from a writer is never touched by it again', () => {
  const writer = new JuteWriter();
  writer.writeString('first');
  const first = writer.take();
  const copy = first.slice();

  for (let index = 0; index < 1000; index++) writer.writeString('x'.repeat(index));

  assert.equal(new Uint8Array(first), new Uint8Array(copy));
});

test('a packet that could not be finished is taken back without harming those before it', () => {
  const writer = new JuteWriter(16);
  writeRequest(writer, 1, OpCode.ping, {});
  const { length } = writer;
  writer.startPacket();
  writer.writeString('x'.repeat(500));

  writer.truncate(length);
  writeRequest(writer, 2, OpCode.ping, {});

  const xids = splitPackets(writer.take(), MAX_PACKET).map((packet) => readRequestHeader(packet).xid);
  assert.equal(xids, [1, 2]);
});

test('internal, unassigned and multi-only operations are not for clients', () => {
  const refused = [OpCode.deleteContainer, OpCode.createSession, OpCode.error, OpCode.check];
  for (const op of [...refused, 0, 10, 23, -12, 999, Number.NaN]) assert.not(isClientOp(op), String(op));

  for (const op of clientOps) assert.is(isClientOp(op), op !== OpCode.check, String(op));
});

test.run();
