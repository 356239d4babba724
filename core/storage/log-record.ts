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
const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => ~crc32(Uint8Array.of(byte), 0xffffffff));
/** Turns two ints into one long with a single allocation. */
const scratch = new DataView(new ArrayBuffer(8));

/** Where a record ends: what the next one has to continue. */
export interface LogPosition {
  /** In the segment's file. */
  readonly offset: number;
  /** Of the last record before; 0n at the beginning of history. */
  readonly zxid: bigint;
  readonly chain: number;
}

export type Decoded =
  | DecodedRecord
  /** `isMark`: everything before it was synced. */
  | { readonly type: 'end'; readonly isMark: boolean }
  /** The header verifies, the buffer ends before the record does; `bytes` is the whole record's size. */
  | { readonly type: 'partial'; readonly bytes: number }
  | { readonly type: 'damaged'; readonly reason: string };

/** Makes its payload only when asked: who looks for a place in the log passes over most records. */
export class DecodedRecord {
  readonly type = 'record';
  readonly syncedTo: number;
  /** Where it ends. */
  readonly next: LogPosition;
  private readonly buffer: Buffer;
  private readonly payloadEnd: number;
  private readonly payloadBytes: number;

  constructor(
    { buffer, end, length }: { readonly buffer: Buffer; readonly end: number; readonly length: number },
    syncedTo: number,
    next: LogPosition,
  ) {
    this.buffer = buffer;
    this.payloadEnd = end;
    this.payloadBytes = length;
    this.syncedTo = syncedTo;
    this.next = next;
  }

  get zxid(): bigint {
    return this.next.zxid;
  }

  /** A view of the buffer that was decoded. */
  get payload(): Buffer {
    return this.buffer.subarray(this.payloadEnd - this.payloadBytes, this.payloadEnd);
  }
}

/** Bytes that a record of such a payload takes in the file. */
export function recordBytes(payloadBytes: number): number {
  return (RECORD_HEADER_BYTES + payloadBytes + ALIGNMENT - 1) & -ALIGNMENT;
}

/** Lays the records of one group side by side in a buffer: the one copy that a payload goes through. */
export class RecordWriter {
  readonly #buffer: Buffer;
  readonly #view: DataView;
  readonly #salt: number;
  readonly #syncedTo: number;
  #at = 0;
  #zxid: bigint;
  #chain: number;

  /** `buffer` has room for all that will be added; `start` is where the group will stand and, as everything before it has been synced, what its records bear witness to. */
  constructor(buffer: Buffer, start: LogPosition, salt: number) {
    this.#buffer = buffer;
    this.#view = viewOf(buffer);
    this.#salt = salt;
    this.#syncedTo = start.offset;
    this.#zxid = start.zxid;
    this.#chain = start.chain;
  }

  add(zxid: bigint, payload: Uint8Array): void {
    const at = this.#at;
    const end = at + RECORD_HEADER_BYTES + payload.length;
    this.#at = at + recordBytes(payload.length);
    this.#buffer.set(payload, at + RECORD_HEADER_BYTES);
    for (let padding = end; padding < this.#at; padding++) this.#buffer[padding] = 0;
    writeHeader(this.#view, at, payload.length, this.#syncedTo, zxid, this.#zxid);
    this.#view.setUint32(at + 4, headerCheck(this.#buffer, at, this.#salt), true);
    this.#chain = crc32(this.#buffer.subarray(at + 4, end), this.#chain);
    this.#view.setUint32(at, this.#chain, true);
    this.#zxid = zxid;
  }

  /** The group. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  /** Where it ends. */
  get end(): LogPosition {
    return { offset: this.#syncedTo + this.#at, zxid: this.#zxid, chain: this.#chain };
  }
}

/** The mark that everything before `end` has been synced. */
export function encodeMark(end: LogPosition, salt: number): Buffer {
  const buffer = Buffer.alloc(RECORD_HEADER_BYTES);
  const { zxid, offset } = end;
  writeHeader(viewOf(buffer), 0, MARK_LENGTH, offset, zxid, zxid);
  buffer.writeUInt32LE(headerCheck(buffer, 0, salt), 4);
  return buffer;
}

/** All but the two checksums. */
function writeHeader(
  view: DataView,
  at: number,
  length: number,
  syncedTo: number,
  zxid: bigint,
  prevZxid: bigint,
): void {
  view.setUint32(at + 8, length, true);
  view.setUint32(at + 12, syncedTo, true);
  view.setBigUint64(at + 16, zxid, true);
  view.setBigUint64(at + 24, prevZxid, true);
}

/** What crc32 computes, in place: of so few bytes the call alone would take longer. */
function headerCheck(buffer: Buffer, at: number, salt: number): number {
  let crc = ~salt;
  for (let index = at + 8; index < at + RECORD_HEADER_BYTES; index++) {
    crc = CRC_OF_BYTE[(crc ^ buffer[index]!) & 0xff]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Reads what stands at `at`, which is `previous.offset` in the file. */
export function decodeRecord(buffer: Buffer, at: number, previous: LogPosition, salt: number): Decoded {
  if (buffer.length - at < RECORD_HEADER_BYTES) return { type: 'partial', bytes: RECORD_HEADER_BYTES };
  if (isEnd(buffer, at)) return { type: 'end', isMark: false };
  if (buffer.readUInt32LE(at + 4) !== headerCheck(buffer, at, salt)) {
    return { type: 'damaged', reason: 'the checksum of a record header does not match' };
  }
  const length = buffer.readUInt32LE(at + 8);
  if (length === MARK_LENGTH) return { type: 'end', isMark: true };
  const bytes = recordBytes(length);
  if (buffer.length - at < bytes) return { type: 'partial', bytes };
  const prevZxid = longAt(buffer, at + 24);
  if (prevZxid !== previous.zxid) {
    const found = `0x${prevZxid.toString(16)}`;
    return { type: 'damaged', reason: `a record continues ${found}, not 0x${previous.zxid.toString(16)}` };
  }
  const end = at + RECORD_HEADER_BYTES + length;
  const chain = crc32(buffer.subarray(at + 4, end), previous.chain);
  if (chain !== buffer.readUInt32LE(at)) {
    return { type: 'damaged', reason: 'the checksum of a record does not match' };
  }
  const next = { offset: previous.offset + bytes, zxid: longAt(buffer, at + 16), chain };
  return new DecodedRecord({ buffer, end, length }, buffer.readUInt32LE(at + 12), next);
}

function isEnd(buffer: Buffer, at: number): boolean {
  const isLikely = buffer[at] === 0 && buffer[at + 4] === 0;
  return isLikely && buffer.compare(ZEROS, 0, RECORD_HEADER_BYTES, at, at + RECORD_HEADER_BYTES) === 0;
}

function longAt(buffer: Buffer, at: number): bigint {
  scratch.setInt32(0, buffer.readInt32LE(at), true);
  scratch.setInt32(4, buffer.readInt32LE(at + 4), true);
  return scratch.getBigUint64(0, true);
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
