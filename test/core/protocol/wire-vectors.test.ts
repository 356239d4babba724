import * as assert from 'uvu/assert';
import { test } from 'uvu';
import {
  type ConnectRequest,
  type ConnectResponse,
  ErrorCode,
  type JuteReader,
  JuteWriter,
  OPEN_ACL,
  OpCode,
  WatchEventType,
  Xid,
  readConnectRequest,
  readConnectResponse,
  readReplyBody,
  readReplyHeader,
  readRequest,
  readWatchEvent,
  splitPackets,
  writeConnectRequest,
  writeConnectResponse,
  writeReply,
  writeRequest,
  writeWatchEvent,
} from '../../../core/protocol/index.js';

/** Hex digits in groups; `00*8` stands for eight bytes of zero. */
function bytes(text: string): Uint8Array {
  const expanded = text.replaceAll(/([0-9a-f]{2})\*(\d+)/g, (_, byte: string, times: string) =>
    byte.repeat(Number(times)),
  );
  return new Uint8Array(Buffer.from(expanded.replaceAll(/\s/g, ''), 'hex'));
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}

function written(write: (writer: JuteWriter) => void): string {
  const writer = new JuteWriter();
  write(writer);
  return hex(writer.take());
}

function packet(vector: string): JuteReader {
  const [reader, ...others] = splitPackets(bytes(vector), 1_048_575);
  assert.is(others.length, 0);
  return reader!;
}

const CONNECT_REQUEST = '0000002d 00000000 00*8 00002710 00*8 00000010 00*16 00';
const CONNECT_REQUEST_44 = '0000002c 00000000 00*8 00002710 00*8 00000010 00*16';
const CONNECT_RESPONSE = '00000025 00000000 00002710 0100001234560000 00000010 07*16 00';
const EXPIRED = '00000025 00000000 00000000 00*8 00000010 00*16 00';
const PING = '00000008 fffffffe 0000000b';
const PING_REPLY = '00000010 fffffffe 0000000100000005 00000000';
const CREATE =
  '00000032 00000001 00000001 00000002 2f61 00000001 78 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000000';
const CREATE_REPLY = '00000016 00000001 0000000100000002 00000000 00000002 2f61';
const EXISTS = '0000000f 00000002 00000003 00000002 2f62 01';
const EXISTS_REPLY = '00000010 00000002 0000000100000002 ffffff9b';
const EVENT = '0000001e ffffffff ff*8 00000000 00000001 00000003 00000002 2f62';
const MULTI =
  '00000038 00000003 0000000e 0000000d 00 ffffffff 00000002 2f61 00000000 00000002 00 ffffffff 00000003 2f7a7a ffffffff ffffffff 01 ffffffff';
const MULTI_REPLY =
  '00000033 00000003 0000000100000003 00000000 ffffffff 00 00000000 00000000 ffffffff 00 ffffff9b ffffff9b ffffffff 01 ffffffff';

const newSession: ConnectRequest = {
  protocolVersion: 0,
  lastZxidSeen: 0n,
  timeoutMs: 10_000,
  sessionId: 0n,
  password: new Uint8Array(16),
  readOnly: false,
};

test('a connect request has 45 bytes, as clients since 3.4 send it', () => {
  assert.is(
    written((writer) => writeConnectRequest(writer, newSession)),
    hex(bytes(CONNECT_REQUEST)),
  );
  assert.equal(readConnectRequest(packet(CONNECT_REQUEST)), newSession);
});

test('a connect request of 44 bytes, without the trailing byte, is understood and remembered', () => {
  const old = { ...newSession, readOnly: null };

  assert.equal(readConnectRequest(packet(CONNECT_REQUEST_44)), old);
  assert.is(
    written((writer) => writeConnectRequest(writer, old)),
    hex(bytes(CONNECT_REQUEST_44)),
  );
});

test('a connect response has 37 bytes, and 36 for a client that sent 44', () => {
  const response: ConnectResponse = {
    protocolVersion: 0,
    timeoutMs: 10_000,
    sessionId: 0x0100_0012_3456_0000n,
    password: new Uint8Array(16).fill(7),
    readOnly: false,
  };

  assert.is(
    written((writer) => writeConnectResponse(writer, response)),
    hex(bytes(CONNECT_RESPONSE)),
  );
  assert.equal(readConnectResponse(packet(CONNECT_RESPONSE)), response);
  const short = written((writer) => writeConnectResponse(writer, { ...response, readOnly: null }));
  assert.is(short.length / 2, 4 + 36);
});

test('the expired answer has a password of sixteen zeros', () => {
  const expired: ConnectResponse = { ...newSession, timeoutMs: 0 };

  assert.is(
    written((writer) => writeConnectResponse(writer, expired)),
    hex(bytes(EXPIRED)),
  );
  const { timeoutMs, sessionId } = readConnectResponse(packet(EXPIRED));
  assert.equal([timeoutMs, sessionId], [0, 0n]);
});

test('a session password of another length than sixteen is never sent', () => {
  const response: ConnectResponse = { ...newSession, password: new Uint8Array(15) };

  assert.throws(() => writeConnectResponse(new JuteWriter(), response), /password of 15 bytes/);
});

test('ping and its reply are headers only', () => {
  assert.is(
    written((writer) => writeRequest(writer, Xid.ping, OpCode.ping, {})),
    hex(bytes(PING)),
  );
  assert.equal(readRequest(packet(PING)), { xid: -2, op: OpCode.ping, body: {} });

  const header = { xid: Xid.ping, zxid: 0x1_0000_0005n, err: ErrorCode.ok };
  assert.is(
    written((writer) => writeReply(writer, header, { op: OpCode.ping, body: {} })),
    hex(bytes(PING_REPLY)),
  );
  assert.equal(readReplyHeader(packet(PING_REPLY)), header);
});

test('create with an open ACL, and its reply', () => {
  const body = { path: '/a', data: bytes('78'), acl: OPEN_ACL, flags: 0, ttlMs: 0 };
  assert.is(
    written((writer) => writeRequest(writer, 1, OpCode.create, body)),
    hex(bytes(CREATE)),
  );
  assert.equal(readRequest(packet(CREATE)), { xid: 1, op: OpCode.create, body });

  const header = { xid: 1, zxid: 0x1_0000_0002n, err: ErrorCode.ok };
  assert.is(
    written((writer) => writeReply(writer, header, { op: OpCode.create, body: { path: '/a' } })),
    hex(bytes(CREATE_REPLY)),
  );
  const reader = packet(CREATE_REPLY);
  assert.equal(readReplyHeader(reader), header);
  assert.equal(readReplyBody(OpCode.create, reader), { path: '/a' });
});

test('exists of a missing znode is answered by a header alone', () => {
  const body = { path: '/b', watch: true };
  assert.is(
    written((writer) => writeRequest(writer, 2, OpCode.exists, body)),
    hex(bytes(EXISTS)),
  );
  assert.equal(readRequest(packet(EXISTS)), { xid: 2, op: OpCode.exists, body });

  const header = { xid: 2, zxid: 0x1_0000_0002n, err: ErrorCode.noNode };
  assert.is(
    written((writer) => writeReply(writer, header, null)),
    hex(bytes(EXISTS_REPLY)),
  );
  assert.equal(readReplyHeader(packet(EXISTS_REPLY)), header);
});

test('a watch event carries xid -1, state SyncConnected, type and path', () => {
  const event = { type: WatchEventType.created, path: '/b' };

  assert.is(
    written((writer) => writeWatchEvent(writer, -1n, event)),
    hex(bytes(EVENT)),
  );
  const reader = packet(EVENT);
  assert.equal(readReplyHeader(reader), { xid: Xid.notification, zxid: -1n, err: ErrorCode.ok });
  assert.equal(readWatchEvent(reader), event);
});

test('a multi and the reply to one that failed', () => {
  const body = {
    ops: [
      { op: OpCode.check, body: { path: '/a', version: 0 } },
      { op: OpCode.delete, body: { path: '/zz', version: -1 } },
    ],
  };
  assert.is(
    written((writer) => writeRequest(writer, 3, OpCode.multi, body)),
    hex(bytes(MULTI)),
  );
  assert.equal(readRequest(packet(MULTI)), { xid: 3, op: OpCode.multi, body });

  const header = { xid: 3, zxid: 0x1_0000_0003n, err: ErrorCode.ok };
  const reply = { results: [{ error: ErrorCode.ok }, { error: ErrorCode.noNode }] };
  assert.is(
    written((writer) => writeReply(writer, header, { op: OpCode.multi, body: reply })),
    hex(bytes(MULTI_REPLY)),
  );
  const reader = packet(MULTI_REPLY);
  assert.equal(readReplyHeader(reader), header);
  assert.equal(readReplyBody(OpCode.multi, reader), reply);
});

test.run();
