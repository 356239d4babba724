/**
 * The records of ZooKeeper's client protocol and their frames; pure. Every operation has its encoder and
 * its decoder side by side. Bytes from outside become a record or a `MarshallingError`, never anything else.
 */
export { OpCode, type OpName } from './op-code.js';
export { ErrorCode, type ErrorName, errorCodeOf } from './error-code.js';
export * from './records.js';
export type * from './requests.js';
export { MarshallingError } from './marshalling-error.js';
export { JuteWriter } from './jute-writer.js';
export { JuteReader } from './jute-reader.js';
export { FrameError, type FrameFault, PacketSplitter, splitPackets } from './packet-splitter.js';
export { isClientOp } from './operations/registry.js';
export { endMultiRead, writeListHeader, writeReadResult } from './operations/multi.js';
export {
  type RequestHeader,
  readRequest,
  readRequestBody,
  readRequestHeader,
  writeRequest,
} from './request-packet.js';
export {
  readReplyBody,
  readReplyHeader,
  readWatchEvent,
  sealReply,
  writeReply,
  writeWatchEvent,
} from './reply-packet.js';
export {
  readConnectRequest,
  readConnectResponse,
  writeConnectRequest,
  writeConnectResponse,
} from './connect-packet.js';
export {
  aclListBytes,
  DEFAULT_MAX_REPLY_BYTES,
  LENGTH_BYTES,
  MULTI_HEADER_BYTES,
  readReplyTooLarge,
  REPLY_HEADER_BYTES,
  REPLY_MESSAGE_SLACK_BYTES,
  type ReplySize,
  STAT_BYTES,
  stringBytes,
  textBytes,
  writeReplyTooLarge,
} from './reply-size.js';
export { readStat, writeStat } from './stat.js';
export { readAclList, writeAclList } from './acl-list.js';
export { readStringList, writeStringList } from './string-list.js';
