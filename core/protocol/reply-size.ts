import type { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';
import { ErrorCode } from './error-code.js';
import type { Acl } from './records.js';

/**
 * Largest reply, without its length field, that members send and that this client accepts, over every transport, unless it is
 * configured otherwise: a list of some 400 000 children.
 */
export const DEFAULT_MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** What comes with the replies of one turn in one message, besides the largest of them. */
export const REPLY_MESSAGE_SLACK_BYTES = 1024 * 1024;

/** Size of a reply that a member refuses to build, and the most that it allows. Bytes. */
export interface ReplySize {
  readonly bytes: number;
  readonly limit: number;
}

/** Encoded sizes, so that a reply is refused before it is built. */
export const REPLY_HEADER_BYTES = 16;
export const STAT_BYTES = 68;
/** Length or count in front of a string, a buffer or a list. */
export const LENGTH_BYTES = 4;
/** In front of each result of a multi, and behind the last. */
export const MULTI_HEADER_BYTES = 9;

/** For well-formed text, as decoding gives. A UTF-16 code unit takes one to three bytes; both halves of a pair together four. */
export function textBytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}

export function stringBytes(text: string): number {
  return LENGTH_BYTES + textBytes(text);
}

export function aclListBytes(acl: readonly Acl[]): number {
  let bytes = LENGTH_BYTES;
  for (const { id } of acl) bytes += 4 + stringBytes(id.scheme) + stringBytes(id.id);
  return bytes;
}

/**
 * A refused read. ZooKeeper's clients see the code and read no further; Quorate's client also reads size and limit, which stand
 * behind the header.
 */
export function writeReplyTooLarge(
  writer: JuteWriter,
  header: { readonly xid: number; readonly zxid: bigint },
  { bytes, limit }: ReplySize,
): void {
  const packet = writer.startPacket();
  writer.writeInt(header.xid);
  writer.writeLong(header.zxid);
  writer.writeInt(ErrorCode.marshallingError);
  writer.writeNumberAsLong(bytes);
  writer.writeNumberAsLong(limit);
  writer.endPacket(packet);
}

/** What stands behind the header of a reply with `err`; null if that is not a refusal because of size. */
export function readReplyTooLarge(err: ErrorCode, reader: JuteReader): ReplySize | null {
  if (err !== ErrorCode.marshallingError || reader.remaining !== 16) return null;
  return { bytes: Number(reader.readLong()), limit: Number(reader.readLong()) };
}
