import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FrameError,
  JuteReader,
  JuteWriter,
  MarshallingError,
  OpCode,
  readAclList,
  readConnectRequest,
  readConnectResponse,
  readReplyBody,
  readReplyHeader,
  readRequest,
  readRequestBody,
  readStat,
  readStringList,
  readWatchEvent,
  splitPackets,
  writeRequest,
} from '../../../core/protocol/index.js';
import { clientOps, requestBodies } from './arbitraries.js';

const readers: readonly ((reader: JuteReader) => unknown)[] = [
  readConnectRequest,
  readConnectResponse,
  readReplyHeader,
  readWatchEvent,
  readStat,
  readAclList,
  readStringList,
  (reader) => readRequest(reader),
  ...clientOps.map((op) => (reader: JuteReader) => readRequestBody(op, reader)),
  ...clientOps.map((op) => (reader: JuteReader) => readReplyBody(op, reader)),
];

function isMarshallingError(error: unknown): boolean {
  return error instanceof MarshallingError;
}

/** A record, or an error of the one permitted kind. */
function attempt(read: (reader: JuteReader) => unknown, bytes: Uint8Array): boolean {
  try {
    read(new JuteReader(bytes));
    return true;
  } catch (error) {
    assert.ok(isMarshallingError(error), String(error));
    return false;
  }
}

/** Bytes that look like jute: the numbers in them are lengths, counts and operations more often than chance would have it. */
const juteLike = fc
  .array(
    fc.oneof(
      fc
        .integer({ min: -3, max: 30 })
        .map((value) => [0, 0, 0, 0].map((_, i) => (value >> (24 - 8 * i)) & 255)),
      fc.constantFrom(
        [0x7f, 255, 255, 255],
        [0x80, 0, 0, 0],
        [0x20, 0, 0, 1],
        [255, 255, 255, 255],
        [0],
        [1],
      ),
      fc.array(fc.nat(255), { maxLength: 9 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => new Uint8Array(parts.flat()));

test('any bytes at all are a record or a MarshallingError, for every record there is', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), juteLike), (bytes) => {
      for (const read of readers) attempt(read, bytes);
    }),
    { numRuns: 500 },
  );
});

test('every request that is cut off anywhere is refused', () => {
  for (const op of clientOps) {
    fc.assert(
      fc.property(requestBodies[op] as fc.Arbitrary<never>, (body) => {
        const writer = new JuteWriter();
        writeRequest(writer, 1, op, body);
        const whole = writer.take().subarray(12);
        for (let length = 0; length < whole.length; length++) {
          assert.not(attempt((reader) => readRequestBody(op, reader), whole.subarray(0, length)));
        }
      }),
      { numRuns: 5 },
    );
  }
});

test('bytes behind the last field are ignored', () => {
  const writer = new JuteWriter();
  writer.writeString('/a');
  writer.writeInt(-1);
  writer.writeString('a field of the future');

  const body = readRequestBody(OpCode.delete, new JuteReader(writer.take()));

  assert.equal(body, { path: '/a', version: -1 });
});

test('a short packet cannot ask for a long list', () => {
  const counts = [2, 3, 1_000_000, 2 ** 31 - 1, -2, -(2 ** 31)];
  for (const count of counts) {
    const writer = new JuteWriter();
    writer.writeInt(count);
    writer.writeInt(0);
    const bytes = writer.take();

    assert.throws(() => readStringList(new JuteReader(bytes)), /a vector of -?\d+ elements does not fit/);
    assert.throws(() => readAclList(new JuteReader(bytes)), /a vector of -?\d+ elements does not fit/);
  }
});

test('refusing a hundred thousand impossible lists allocates next to nothing', () => {
  const bytes = new Uint8Array([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
  const before = process.memoryUsage();

  for (let index = 0; index < 100_000; index++) attempt(readStringList, bytes);

  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers < 1_000_000);
  assert.ok(after.heapUsed - before.heapUsed < 100_000_000);
});

test('a string or buffer longer than the packet, or of negative length, is refused', () => {
  for (const length of [5, 2 ** 31 - 1, -2, -(2 ** 31)]) {
    const writer = new JuteWriter();
    writer.writeInt(length);
    writer.writeInt(0);
    const bytes = writer.take();

    assert.throws(() => new JuteReader(bytes).readString(), isMarshallingError);
    assert.throws(() => new JuteReader(bytes).readBuffer(), isMarshallingError);
  }
});

test('bytes that are no UTF-8 become replacement characters', () => {
  const reader = new JuteReader(new Uint8Array([0, 0, 0, 4, 0x2f, 0xff, 0xc3, 0x41]));

  assert.is(reader.readString(), '/\ufffd\ufffdA');
});

test('a null path, which some clients send, is an empty one', () => {
  const reader = new JuteReader(new Uint8Array([255, 255, 255, 255, 0]));

  assert.equal(readRequestBody(OpCode.getData, reader), { path: '', watch: false });
});

test('null lists are empty lists', () => {
  const writer = new JuteWriter();
  writer.writeString('/a');
  writer.writeInt(-1);
  writer.writeInt(-1);
  writer.writeInt(0);

  const body = readRequestBody(OpCode.create, new JuteReader(writer.take()));

  assert.equal(body, { path: '/a', data: null, acl: [], flags: 0, ttlMs: 0 });
});

test('a time to live beyond what a number can hold is clamped, to be refused by its range later', () => {
  for (const [ttl, expected] of [
    [2n ** 63n - 1n, Number.MAX_SAFE_INTEGER],
    [-(2n ** 63n), -Number.MAX_SAFE_INTEGER],
    [-1n, -1],
    [0xff_ffff_ffffn, 0xff_ffff_ffff],
  ] as const) {
    const writer = new JuteWriter();
    writer.writeLong(ttl);

    assert.is(new JuteReader(writer.take()).readLongAsNumber(), expected);
  }
});

function multiOf(...types: number[]): JuteReader {
  const writer = new JuteWriter();
  for (const type of types) {
    writer.writeInt(type);
    writer.writeBool(false);
    writer.writeInt(-1);
    writer.writeString('/a');
    writer.writeInt(0);
  }
  writer.writeInt(-1);
  writer.writeBool(true);
  writer.writeInt(-1);
  return new JuteReader(writer.take());
}

test('a multi takes writes only and a multiRead reads only', () => {
  const foreign = [OpCode.getData, OpCode.exists, OpCode.multi, OpCode.setAcl, OpCode.error, 0, 99];
  for (const type of foreign) {
    assert.throws(() => readRequestBody(OpCode.multi, multiOf(OpCode.check, type)), isMarshallingError);
  }
  for (const type of [OpCode.check, OpCode.exists, OpCode.multiRead]) {
    assert.throws(() => readRequestBody(OpCode.multiRead, multiOf(type)), isMarshallingError);
  }
});

test('unknown create flags are for whoever prepares the create, in a multi too', () => {
  for (const flags of [-1, 7, 2 ** 31 - 1]) {
    const body = { path: '/a', data: null, acl: [], flags, ttlMs: 0 };
    const ops = [{ op: OpCode.create, body }] as const;
    const writer = new JuteWriter();
    writeRequest(writer, 1, OpCode.multi, { ops });
    writeRequest(writer, 2, OpCode.create, body);
    const [inside, alone] = splitPackets(writer.take(), 1000);

    assert.equal(readRequest(inside!).body, { ops });
    assert.equal(readRequest(alone!).body, body);
  }
});

test('a request that names no operation of clients is refused by number', () => {
  const writer = new JuteWriter();
  writer.writeInt(1);
  writer.writeInt(OpCode.deleteContainer);

  assert.throws(() => readRequest(new JuteReader(writer.take())), /operation 20/);
});

test('a watcher type or a mode of addWatch that has no name is refused', () => {
  for (const [op, values] of [
    [OpCode.addWatch, [-1, 2]],
    [OpCode.checkWatches, [0, 6]],
    [OpCode.removeWatches, [-1, 6]],
  ] as const) {
    for (const value of values) {
      const writer = new JuteWriter();
      writer.writeString('/a');
      writer.writeInt(value);

      assert.throws(() => readRequestBody(op, new JuteReader(writer.take())), isMarshallingError);
    }
  }
});

test('a watch event of a type that does not travel is refused', () => {
  for (const type of [-1, 0, 5, 7]) {
    const writer = new JuteWriter();
    writer.writeInt(type);
    writer.writeInt(3);
    writer.writeString('/a');

    assert.throws(() => readWatchEvent(new JuteReader(writer.take())), isMarshallingError);
  }
});

test('a result code that this version does not know arrives as systemError', () => {
  const writer = new JuteWriter();
  writer.writeInt(1);
  writer.writeLong(1n);
  writer.writeInt(-999);

  assert.is(readReplyHeader(new JuteReader(writer.take())).err, -1);
});

test('any message is packets or a FrameError', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), juteLike), (bytes) => {
      try {
        const lengths = splitPackets(bytes, 64).map((packet) => packet.remaining);
        const total = lengths.reduce((sum, length) => sum + length + 4, 0);
        assert.is(total, bytes.length);
      } catch (error) {
        assert.instance(error, FrameError, String(error));
      }
    }),
  );
});

test.run();
