import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FrameError,
  type FrameFault,
  type JuteReader,
  JuteWriter,
  PacketSplitter,
  splitPackets,
} from '../../../core/protocol/index.js';

const MAX_PACKET = 1_048_575;

function stream(payloads: readonly Uint8Array[]): Uint8Array {
  const writer = new JuteWriter();
  for (const payload of payloads) {
    const packet = writer.startPacket();
    writer.writeBytes(payload);
    writer.endPacket(packet);
  }
  return writer.take();
}

function payloadOf(packet: JuteReader): Uint8Array {
  return packet.readBytes(packet.remaining);
}

/** The packets that a splitter makes of one more chunk. */
function pushed(splitter: PacketSplitter, chunk: Uint8Array): JuteReader[] {
  const packets: JuteReader[] = [];
  splitter.push(chunk, (message) => packets.push(...splitPackets(message, MAX_PACKET)));
  return packets;
}

function header(length: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, length);
  return bytes;
}

function reasonOf(run: () => unknown): FrameFault | null {
  try {
    run();
    return null;
  } catch (error) {
    assert.instance(error, FrameError);
    return (error as FrameError).reason;
  }
}

const payloads = [9, 8, 30, 17].map((length, index) => new Uint8Array(length).fill(index + 1));

test('a stream cut in two at any byte gives the same packets', () => {
  const whole = stream(payloads);
  for (let cut = 0; cut <= whole.length; cut++) {
    const splitter = new PacketSplitter(MAX_PACKET);
    const packets = [...pushed(splitter, whole.slice(0, cut)), ...pushed(splitter, whole.slice(cut))];

    assert.equal(packets.map(payloadOf), payloads, `cut at ${cut}`);
    assert.is(splitter.pendingBytes, 0);
  }
});

test('a stream that comes byte by byte gives the same packets', () => {
  const splitter = new PacketSplitter(MAX_PACKET);
  const packets: JuteReader[] = [];

  for (const byte of stream(payloads)) packets.push(...pushed(splitter, new Uint8Array([byte])));

  assert.equal(packets.map(payloadOf), payloads);
});

test('however a stream is cut, its packets come out as they went in', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 8, maxLength: 300 }), { maxLength: 12 });
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (written, cuts) => {
      const whole = stream(written);
      const splitter = new PacketSplitter(MAX_PACKET);
      const read: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < whole.length; turn++) {
        const length = cuts[turn % cuts.length]!;
        read.push(...pushed(splitter, whole.slice(at, at + length)).map(payloadOf));
        at += length;
      }

      assert.equal(read, written);
    }),
  );
});

test('a message holds whole packets, as many as there are', () => {
  assert.equal(splitPackets(stream(payloads), MAX_PACKET).map(payloadOf), payloads);
  assert.equal(splitPackets(new Uint8Array(0), MAX_PACKET), []);
});

test('a message that ends inside a packet is refused as partial, wherever it ends', () => {
  const whole = stream(payloads);
  const ends = new Set([0, 13, 25, 59, 80]);
  for (let length = 0; length <= whole.length; length++) {
    const expected = ends.has(length) ? null : 'partial';
    assert.is(
      reasonOf(() => splitPackets(whole.subarray(0, length), MAX_PACKET)),
      expected,
      String(length),
    );
  }
});

test('a negative, a too short and an oversize length are each told apart', () => {
  const faults: [number, FrameFault][] = [
    [-1, 'negative'],
    [-(2 ** 31), 'negative'],
    [0, 'short'],
    [7, 'short'],
    [MAX_PACKET + 1, 'oversize'],
    [2 ** 31 - 1, 'oversize'],
  ];
  for (const [length, fault] of faults) {
    assert.is(
      reasonOf(() => splitPackets(header(length), MAX_PACKET)),
      fault,
    );
    assert.is(
      reasonOf(() => pushed(new PacketSplitter(MAX_PACKET), header(length))),
      fault,
    );
  }
});

test('a bad length that comes byte by byte is refused with its fourth byte', () => {
  const splitter = new PacketSplitter(MAX_PACKET);
  const [first, second, third, fourth] = header(-5);
  for (const byte of [first!, second!, third!]) pushed(splitter, new Uint8Array([byte]));

  assert.is(
    reasonOf(() => pushed(splitter, new Uint8Array([fourth!]))),
    'negative',
  );
});

test('what was whole before a bad length is still delivered', () => {
  const packets: Uint8Array[] = [];
  const bytes = Buffer.concat([stream(payloads), header(-5)]);

  assert.is(
    reasonOf(() => new PacketSplitter(MAX_PACKET).push(bytes, (message) => packets.push(message))),
    'negative',
  );
  assert.equal(splitPackets(packets[0]!, MAX_PACKET).map(payloadOf), payloads);
});

test('the largest packet is accepted and one byte more is not', () => {
  const largest = new Uint8Array(MAX_PACKET);

  assert.is(splitPackets(stream([largest]), MAX_PACKET)[0]!.remaining, MAX_PACKET);
  assert.is(
    reasonOf(() => splitPackets(stream([largest]), MAX_PACKET - 1)),
    'oversize',
  );
});

test('a large length alone reserves nothing: memory follows the bytes that came', () => {
  const before = process.memoryUsage().arrayBuffers;
  const splitters = Array.from({ length: 1000 }, () => new PacketSplitter(MAX_PACKET));

  for (const splitter of splitters) pushed(splitter, header(MAX_PACKET));

  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
  assert.is(splitters[0]!.pendingBytes, 4);
});

test.run();
