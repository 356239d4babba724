import { crc32 } from 'node:zlib';

/*
 * One record of the log, little endian, at a multiple of eight bytes:
 *
 *    0  u32  chain         crc of everything below and of the payload, continued from the record before
 *    4  u32  headerCheck   crc of the 24 bytes that follow, started from the directory's own salt
 *    8  u32  payloadBytes  or `MARK_LENGTH`
 *   12  u32  syncedTo      offset up to which this file had been synced when the record was written
 *   16  u64  zxid
 *   24  u64  prevZxid      zxid of the record before: a gap shows itself
 *   32       payload, then zeros up to the next multiple of eight
 *
 * Thirty-two zeros are the end of the log: files are preallocated. `syncedTo` lets the reader tell a torn write
 * from damage: a record that verifies proves that everything below its `syncedTo` once was on disk, so what does not
 * verify there was damaged later. A mark is a header without a record, written when the log is closed, to say so
 * of the last records too; the next append overwrites it.
 */
export const RECORD_HEADER_BYTES = 32;
const ALIGNMENT = 8;
const MARK_LENGTH = 0xffffffff;
const ZEROS = Buffer.alloc(RECORD_HEADER_BYTES);

/** Where a record ends: what the next one has to continue. */
export interface LogPosition {
  /** In the segment's file. */
  readonly offset: number;
  /** Of the last record before; 0n at the beginning of history. */
  readonly zxid: bigint;
  readonly chain: number;
}

export type Decoded =
  | {
      readonly type: 'record';
      readonly zxid: bigint;
      /** A view of the buffer that was decoded. */
      readonly payload: Buffer;
      readonly next: LogPosition;
    }
  | { readonly type: 'end' }
  /** The header verifies, the buffer ends before the record does; `bytes` is the whole record's size. */
  | { readonly type: 'partial'; readonly bytes: number }
  | { readonly type: 'damaged'; readonly reason: string };

/** Bytes that a record of such a payload takes in the file. */
export function recordBytes(payloadBytes: number): number {
  return (RECORD_HEADER_BYTES + payloadBytes + ALIGNMENT - 1) & -ALIGNMENT;
}

/** Writes a record into `buffer` at `at`, which has `recordBytes` of room there; returns its chain value. */
export function encodeRecord(
  buffer: Buffer,
  at: number,
  record: {
    readonly zxid: bigint;
    readonly payload: Uint8Array;
    readonly previous: LogPosition;
    readonly syncedTo: number;
    readonly salt: number;
  },
): number {
  const { payload, previous } = record;
  const end = at + RECORD_HEADER_BYTES + payload.length;
  writeHeader(buffer, at, { ...record, length: payload.length, prevZxid: previous.zxid });
  buffer.set(payload, at + RECORD_HEADER_BYTES);
  buffer.fill(0, end, at + recordBytes(payload.length));
  const chain = crc32(buffer.subarray(at + 4, end), previous.chain);
  buffer.writeUInt32LE(chain, at);
  return chain;
}

/** The mark that everything before `end` has been synced. */
export function encodeMark(end: LogPosition, salt: number): Buffer {
  const buffer = Buffer.alloc(RECORD_HEADER_BYTES);
  const { zxid, offset } = end;
  writeHeader(buffer, 0, { length: MARK_LENGTH, syncedTo: offset, zxid, prevZxid: zxid, salt });
  return buffer;
}

function writeHeader(
  buffer: Buffer,
  at: number,
  header: {
    readonly length: number;
    readonly syncedTo: number;
    readonly zxid: bigint;
    readonly prevZxid: bigint;
    readonly salt: number;
  },
): void {
  buffer.writeUInt32LE(header.length, at + 8);
  buffer.writeUInt32LE(header.syncedTo, at + 12);
  buffer.writeBigUInt64LE(header.zxid, at + 16);
  buffer.writeBigUInt64LE(header.prevZxid, at + 24);
  buffer.writeUInt32LE(headerCheck(buffer, at, header.salt), at + 4);
}

function headerCheck(buffer: Buffer, at: number, salt: number): number {
  return crc32(buffer.subarray(at + 8, at + RECORD_HEADER_BYTES), salt);
}

/** Reads what stands at `at`, which is `previous.offset` in the file. */
export function decodeRecord(buffer: Buffer, at: number, previous: LogPosition, salt: number): Decoded {
  if (buffer.length - at < RECORD_HEADER_BYTES) return { type: 'partial', bytes: RECORD_HEADER_BYTES };
  if (buffer.compare(ZEROS, 0, RECORD_HEADER_BYTES, at, at + RECORD_HEADER_BYTES) === 0)
    return { type: 'end' };
  if (buffer.readUInt32LE(at + 4) !== headerCheck(buffer, at, salt)) {
    return { type: 'damaged', reason: 'the checksum of a record header does not match' };
  }
  const length = buffer.readUInt32LE(at + 8);
  if (length === MARK_LENGTH) return { type: 'end' };
  const bytes = recordBytes(length);
  if (buffer.length - at < bytes) return { type: 'partial', bytes };
  const prevZxid = buffer.readBigUInt64LE(at + 24);
  if (prevZxid !== previous.zxid) {
    const found = `0x${prevZxid.toString(16)}`;
    return { type: 'damaged', reason: `a record continues ${found}, not 0x${previous.zxid.toString(16)}` };
  }
  const end = at + RECORD_HEADER_BYTES + length;
  const chain = crc32(buffer.subarray(at + 4, end), previous.chain);
  if (chain !== buffer.readUInt32LE(at)) {
    return { type: 'damaged', reason: 'the checksum of a record does not match' };
  }
  const zxid = buffer.readBigUInt64LE(at + 16);
  const payload = buffer.subarray(at + RECORD_HEADER_BYTES, end);
  return { type: 'record', zxid, payload, next: { offset: previous.offset + bytes, zxid, chain } };
}

/**
 * How far `file` — its content from `offset` on, a multiple of eight — proves that it had been synced: the highest `syncedTo` of any
 * header that verifies there, or 0.
 */
export function findSyncedTo(content: Buffer, offset: number, salt: number): number {
  let synced = 0;
  for (let at = 0; at + RECORD_HEADER_BYTES <= content.length; at += ALIGNMENT) {
    const syncedTo = content.readUInt32LE(at + 12);
    const isPlausible = syncedTo > synced && syncedTo <= offset + at;
    if (isPlausible && content.readUInt32LE(at + 4) === headerCheck(content, at, salt)) synced = syncedTo;
  }
  return synced;
}
