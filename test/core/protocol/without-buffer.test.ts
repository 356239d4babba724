import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

/** The codec as a browser loads it, where there is no `Buffer`. Nothing else in this file may import it. */
async function loadWithoutBuffer() {
  const { Buffer } = globalThis;
  Reflect.deleteProperty(globalThis, 'Buffer');
  try {
    return await import('../../../core/protocol/index.js');
  } finally {
    globalThis.Buffer = Buffer;
  }
}

const { JuteReader, JuteWriter, splitPackets } = await loadWithoutBuffer();

test('where there is no Buffer, text becomes the same bytes that Buffer makes of it, and comes back', () => {
  const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 100 }), fc.constant('\ufeffmark'));
  fc.assert(
    fc.property(texts, (text) => {
      const writer = new JuteWriter();
      writer.writeString(text);
      const written = writer.take();

      assert.not(Buffer.isBuffer(written));
      assert.equal(Buffer.from(written.subarray(4)), Buffer.from(text));
      assert.is(new JuteReader(written).readString(), text);
    }),
  );
});

test('where there is no Buffer, packets come apart as they were put together', () => {
  const writer = new JuteWriter(16);
  const payloads = [8, 500, 70_000].map((length) => new Uint8Array(length).fill(length));
  for (const payload of payloads) {
    const packet = writer.startPacket();
    writer.writeBytes(payload);
    writer.endPacket(packet);
  }

  const read = splitPackets(writer.take(), 100_000).map((packet) => packet.readBytes(packet.remaining));

  assert.equal(read, payloads);
});

test.run();
