import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FRAME_BYTES, FrameReader, MAX_FRAME_BYTES } from '../../../../core/server/peers/frame.js';
import { PeerLink } from '../../../../core/server/peers/peer-link.js';
import type { Connection } from '../../../../core/transport/index.js';

/** Takes frames without ever sending them, up to a bound. */
class Pipe {
  frames: Uint8Array[] = [];
  bufferedBytes = 0;

  send(frame: Uint8Array): void {
    this.frames.push(frame);
    this.bufferedBytes += frame.length;
  }

  drain(): void {
    this.bufferedBytes = 0;
  }
}

function linkOver(pipe: Pipe): PeerLink {
  return new PeerLink(2, 1, 2, pipe as unknown as Connection);
}

function sizesOf(messages: readonly Uint8Array[]): number[] {
  return messages.map(({ length }) => length);
}

function received(pipe: Pipe): Uint8Array[] {
  const reader = new FrameReader();
  return pipe.frames.flatMap((frame) => [...reader.read(frame)!]);
}

test('messages of any size arrive whole and in their order, in frames of a bounded size', () => {
  const size = fc.oneof(fc.nat(300), fc.integer({ min: FRAME_BYTES / 2 - 2, max: FRAME_BYTES * 2 + 5 }));
  fc.assert(
    fc.property(fc.array(size, { maxLength: 12 }), (sizes) => {
      const pipe = new Pipe();
      const link = linkOver(pipe);
      for (const [index, length] of sizes.entries()) link.send(new Uint8Array(length).fill(index), false);
      while (link.queuedBytes > 0) {
        link.flush();
        pipe.drain();
      }
      link.flush();
      const messages = received(pipe);
      assert.equal(sizesOf(messages), sizes);
      assert.ok(messages.every((message, index) => message.every((byte) => byte === index)));
      assert.ok(pipe.frames.every(({ length }) => length <= MAX_FRAME_BYTES));
    }),
    { numRuns: 40 },
  );
});

test('messages of one turn leave in one frame', () => {
  const pipe = new Pipe();
  const link = linkOver(pipe);
  for (let count = 0; count < 100; count++) link.send(new Uint8Array(100), false);
  link.flush();
  assert.is(pipe.frames.length, 1);
});

test('heartbeats do not wait behind bulk, not even behind the rest of one large message', () => {
  const pipe = new Pipe();
  const link = linkOver(pipe);
  link.send(new Uint8Array(8 * FRAME_BYTES), false);
  link.flush();
  const sent = pipe.frames.length;
  assert.ok(sent < 4, 'the transport is not given all at once');

  link.send(new Uint8Array(9), true);
  link.flush();
  assert.is(pipe.frames.length, sent + 1);
  while (link.queuedBytes > 0) {
    pipe.drain();
    link.flush();
  }
  assert.equal(sizesOf(received(pipe)), [9, 8 * FRAME_BYTES]);
});

test('a heartbeat in parts takes its bytes from its own queue and arrives whole among the parts of bulk', () => {
  const pipe = new Pipe();
  const link = linkOver(pipe);
  const bulk = new Uint8Array(5 * FRAME_BYTES).fill(7);
  const heartbeat = new Uint8Array(2 * FRAME_BYTES + 5).fill(9);
  link.send(bulk, false);
  link.flush();
  const sent = pipe.frames.length;
  link.send(heartbeat, true);
  link.flush();
  assert.is(pipe.frames.length, sent + 3, 'the whole heartbeat has left, and nothing else');
  assert.is(link.queuedBytes, bulk.length);
  while (link.queuedBytes > 0) {
    pipe.drain();
    link.flush();
  }
  const messages = received(pipe);
  assert.equal(sizesOf(messages), [heartbeat.length, bulk.length]);
  assert.ok(messages[0]!.every((byte) => byte === 9));
  assert.ok(messages[1]!.every((byte) => byte === 7));
});

test('urgent messages and small bulk of one turn share a frame, the urgent ones first', () => {
  const pipe = new Pipe();
  const link = linkOver(pipe);
  link.send(new Uint8Array(20), false);
  link.send(new Uint8Array(10), true);
  link.flush();
  assert.is(pipe.frames.length, 1);
  assert.equal(sizesOf(received(pipe)), [10, 20]);
});

test('a sign of life is sent only when nothing else has been', () => {
  const pipe = new Pipe();
  const link = linkOver(pipe);
  link.keepAlive();
  assert.equal(sizesOf(pipe.frames), [0]);
  link.send(new Uint8Array(5), false);
  link.flush();
  link.keepAlive();
  assert.is(pipe.frames.length, 2);
  link.keepAlive();
  assert.is(pipe.frames.length, 3);
  assert.equal(sizesOf(received(pipe)), [5]);
});

/** A frame with a part of a message, 64 MiB of it; sixteen of them are as much as a message may have. */
function partOf(kind: 'part' | 'last part'): Uint8Array {
  return new Uint8Array(64 * 1024 * 1024 + 1).fill(kind === 'part' ? 1 : 2, 0, 1);
}

test('a message of more than a gibibyte is refused, however small its parts are', () => {
  const reader = new FrameReader();
  const part = partOf('part');
  for (let count = 0; count < 16; count++) assert.equal(reader.read(part), []);
  assert.is(reader.read(part), null);
});

test('the bytes of a message that has arrived do not count for the messages behind it', () => {
  const reader = new FrameReader();
  const part = partOf('last part');
  for (let count = 0; count < 18; count++) assert.is(reader.read(part)?.length, 1, `message ${count}`);
});

test('bytes that are no frame are told from frames', () => {
  for (const bytes of [[5], [0, 0], [0, 0, 0, 0, 2, 1], [0, 255, 255, 255, 255, 1]]) {
    assert.is(new FrameReader().read(Uint8Array.from(bytes)), null, bytes.join(' '));
  }
});

test.run();
