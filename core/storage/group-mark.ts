import { crc32 } from 'node:zlib';
import type { LogPosition } from './log-record.js';

/*
 * The mark of a group (the records of one sync). It is written together with the records, at the beginning of the next
 * block, so that damage to one block never takes both the last records and what identifies them. Little endian, with the
 * first sixteen bytes as in a record header:
 *
 *    0  u32  `GROUP_TAG`
 *    4  u32  headerCheck, as of a record
 *    8  u32  `MARK_LENGTH`
 *   12  u32  start        offset of the group; everything below had been synced when it was written
 *   16  u64  zxid         of the last record of the group
 *   24  u32  end          offset behind the last record of the group
 *   28  u32  chain        of the last record of the group
 *
 * The mark shows that the group was handed to the disk. It does not show that the sync of the group returned: after a power
 * failure a disk may hold the mark without the records. The next group, or the file `end-of-log`, proves that.
 */

/** What a disk damages, or loses, as one piece. */
export const BLOCK_BYTES = 4096;
export const GROUP_MARK_BYTES = 32;
/** Bytes that a mark and the zeros before it may take. */
export const GROUP_MARK_ROOM = BLOCK_BYTES + GROUP_MARK_BYTES;

/** In the place of the length of a payload: the header is that of a mark. */
export const MARK_LENGTH = 0xffffffff;
/** Tells the mark of a group from the closing mark of version 0.1.0, which has zeros there. */
const GROUP_TAG = 0x50524751;

const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => ~crc32(Uint8Array.of(byte), 0xffffffff));

export interface GroupMark {
  /** Offset of the first record of the group. */
  readonly start: number;
  /** Behind its last record. */
  readonly end: LogPosition;
}

/** Offset of the mark of a group that ends at `end`: the first block that holds nothing of the group. */
export function groupMarkOffset(end: number): number {
  return Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES;
}

export function writeGroupMark(
  buffer: Buffer,
  at: number,
  mark: GroupMark & { readonly salt: number },
): void {
  const { start, end, salt } = mark;
  buffer.writeUInt32LE(GROUP_TAG, at);
  buffer.writeUInt32LE(MARK_LENGTH, at + 8);
  buffer.writeUInt32LE(start, at + 12);
  buffer.writeBigUInt64LE(end.zxid, at + 16);
  buffer.writeUInt32LE(end.offset, at + 24);
  buffer.writeUInt32LE(end.chain, at + 28);
  buffer.writeUInt32LE(headerCheck(buffer, at, salt), at + 4);
}

/** Reads the mark at `at`; null if none that verifies stands there. */
export function readGroupMark(buffer: Buffer, at: number, salt: number): GroupMark | null {
  if (at + GROUP_MARK_BYTES > buffer.length || buffer.readUInt32LE(at + 8) !== MARK_LENGTH) return null;
  if (buffer.readUInt32LE(at) !== GROUP_TAG || buffer.readUInt32LE(at + 4) !== headerCheck(buffer, at, salt))
    return null;
  return {
    start: buffer.readUInt32LE(at + 12),
    end: {
      offset: buffer.readUInt32LE(at + 24),
      zxid: buffer.readBigUInt64LE(at + 16),
      chain: buffer.readUInt32LE(at + 28),
    },
  };
}

/** Checksum of the 24 bytes behind it. Computes what crc32 does, in place: for so few bytes the call alone would take longer. */
export function headerCheck(buffer: Buffer, at: number, salt: number): number {
  let crc = ~salt;
  for (let index = at + 8; index < at + GROUP_MARK_BYTES; index++) {
    crc = CRC_OF_BYTE[(crc ^ buffer[index]!) & 0xff]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
