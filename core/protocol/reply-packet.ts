import { ErrorCode, errorCodeOf } from './error-code.js';
import type { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';
import { OpCode } from './op-code.js';
import { MarshallingError } from './marshalling-error.js';
import { operationOf } from './operations/registry.js';
import { LENGTH_BYTES } from './reply-size.js';
import { type ReplyHeader, type WatchEvent, WatchEventType, Xid } from './records.js';
import type { ClientOp, ReplyBodies, ReplyToWrite } from './requests.js';

/** KeeperState.SyncConnected: the only one that a server ever reports. */
const SYNC_CONNECTED = 3;

/** One whole packet, its length in front. The body is written only if the header says ok, or for SASL; null means that there is none. */
export function writeReply(writer: JuteWriter, header: ReplyHeader, reply: ReplyToWrite | null): void {
  const packet = writer.startPacket();
  writeReplyHeader(writer, header.xid, header.zxid, header.err);
  // A refused step of SASL has a body, too.
  if (reply !== null && (header.err === ErrorCode.ok || reply.op === OpCode.sasl)) {
    operationOf<ClientOp>(reply.op).reply.write(writer, reply.body);
  }
  writer.endPacket(packet);
}

/** Fills in the length and the header of a packet whose body is complete and ends with it. */
export function sealReply(packet: Uint8Array, { xid, zxid, err }: ReplyHeader): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  view.setInt32(0, packet.length - LENGTH_BYTES);
  view.setInt32(4, xid);
  view.setBigInt64(8, zxid);
  view.setInt32(16, err);
}

/** A code that this version does not know arrives as `systemError`. */
export function readReplyHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.readInt(), zxid: reader.readLong(), err: errorCodeOf(reader.readInt()) };
}

/** What follows a header that says ok. Throws `MarshallingError`. */
export function readReplyBody<Op extends ClientOp>(op: Op, reader: JuteReader): ReplyBodies[Op] {
  return operationOf(op).reply.read(reader);
}

/** A notification, as one whole packet. `zxid` is that of the transaction that caused it, or -1n. */
export function writeWatchEvent(writer: JuteWriter, zxid: bigint, event: WatchEvent): void {
  const packet = writer.startPacket();
  writeReplyHeader(writer, Xid.notification, zxid, ErrorCode.ok);
  writer.writeInt(event.type);
  writer.writeInt(SYNC_CONNECTED);
  writer.writeString(event.path);
  writer.endPacket(packet);
}

/** What follows a header with xid -1. Throws `MarshallingError`, also for a type that does not travel. */
export function readWatchEvent(reader: JuteReader): WatchEvent {
  const type = reader.readInt();
  if (!isWatchEventType(type)) throw new MarshallingError(`watch event of type ${type}`);
  reader.readInt();
  return { type, path: reader.readText() };
}

function writeReplyHeader(writer: JuteWriter, xid: number, zxid: bigint, err: ErrorCode): void {
  writer.writeInt(xid);
  writer.writeLong(zxid);
  writer.writeInt(err);
}

function isWatchEventType(type: number): type is WatchEventType {
  return type >= WatchEventType.created && type <= WatchEventType.childrenChanged;
}
