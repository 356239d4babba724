import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  aclListBytes,
  ErrorCode,
  JuteReader,
  JuteWriter,
  readReplyHeader,
  readReplyTooLarge,
  stringBytes,
  writeAclList,
  writeReply,
  writeReplyTooLarge,
} from '../../../core/protocol/index.js';

const written = (write: (writer: JuteWriter) => void): Uint8Array => {
  const writer = new JuteWriter();
  write(writer);
  return writer.take();
};

test('the computed size of a text is its encoded size, whatever characters it has', () => {
  for (const text of ['', 'plain', 'käse', '日本', '😀', 'a😀ß']) {
    assert.is(stringBytes(text), written((writer) => writer.writeString(text)).length, JSON.stringify(text));
  }
});

test('the computed size of an ACL is its encoded size', () => {
  const acl = [
    { perms: 31, id: { scheme: 'world', id: 'anyone' } },
    { perms: 1, id: { scheme: 'digest', id: 'jürgen:abc=' } },
  ];
  assert.is(aclListBytes(acl), written((writer) => writeAclList(writer, acl)).length);
  assert.is(aclListBytes([]), written((writer) => writeAclList(writer, [])).length);
});

test('a refusal because of size carries both numbers behind a header that every client reads', () => {
  const packet = written((writer) =>
    writeReplyTooLarge(writer, { xid: 7, zxid: 9n }, { bytes: 2 ** 33 + 5, limit: 100 }),
  );
  const reader = new JuteReader(packet, 4, packet.length);
  const header = readReplyHeader(reader);
  assert.equal(header, { xid: 7, zxid: 9n, err: ErrorCode.marshallingError });
  assert.equal(readReplyTooLarge(header.err, reader), { bytes: 2 ** 33 + 5, limit: 100 });
});

test('an error of another kind is no refusal because of size', () => {
  const packet = written((writer) =>
    writeReply(writer, { xid: 7, zxid: 9n, err: ErrorCode.marshallingError }, null),
  );
  const reader = new JuteReader(packet, 4, packet.length);
  assert.is(readReplyTooLarge(readReplyHeader(reader).err, reader), null);
  const other = written((writer) => writer.writeBytes(new Uint8Array(16)));
  assert.is(readReplyTooLarge(ErrorCode.noNode, new JuteReader(other, 0, 16)), null);
});

test.run();
