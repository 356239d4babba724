import { crc32 } from 'node:zlib';
import { MARK_LENGTH, GROUP_MARK_BYTES, groupMarkOffset, headerCheck, writeGroupMark } from './group-mark.js';

/*
 * One record of the log, little endian, at a multiple of eight bytes:
 *
 *    0  u32  chain         crc of everything below and of the payload, continued from the record before
 *    4  u32  headerCheck   crc of the 24 bytes that follow, started from the directory's own salt
 *    8  u32  payloadBytes  or the kind of a mark
 *   12  u32  syncedTo      offset up to which this file had been synced when the record was written
 *   16  u64  zxid
 *   24  u64  prevZxid      zxid of the record before: a gap shows itself
 *   32       payload, then zeros up to the next multiple of eight
 *
 * Thirty-two zeros are the end of the log: files are preallocated. `syncedTo` lets the reader tell a torn write
 * from damage: a record that verifies proves that everything below its `syncedTo` once was on disk, so what does not
 * verify there was damaged later. A mark is a header without a record. Behind each group stands a group mark
 * (`group-mark.ts`). Version 0.1.0 wrote a closing mark directly behind the last record when the log was closed.
 */
export const RECORD_HEADER_BYTES = 32;
const ALIGNMENT = 8;
const ZEROS = Buffer.alloc(RECORD_HEADER_BYTES);
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
  /** `isClosed`: a closing mark of version 0.1.0 stands there, so everything before it was synced. */
  | { readonly type: 'end'; readonly isClosed: boolean }
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

  /**
   * `buffer` has room for all that will be added and `GROUP_MARK_ROOM` more. `start` is the place of the group in the file;
   * everything before it has been synced, which is what the records of the group prove.
   */
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

  /** Ends the group with its mark and returns all of it. */
  finish(): Buffer {
    const start = this.#syncedTo;
    const markAt = groupMarkOffset(start + this.#at) - start;
    this.#buffer.fill(0, this.#at, markAt);
    writeGroupMark(this.#buffer, markAt, { start, end: this.end, salt: this.#salt });
    return this.#buffer.subarray(0, markAt + GROUP_MARK_BYTES);
  }

  /** Where it ends. */
  get end(): LogPosition {
    return { offset: this.#syncedTo + this.#at, zxid: this.#zxid, chain: this.#chain };
  }
}

/** Writes all of a header but its two checksums. */
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

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Reads what stands at `at`, which is `previous.offset` in the file. */
export function decodeRecord(buffer: Buffer, at: number, previous: LogPosition, salt: number): Decoded {
  if (buffer.length - at < RECORD_HEADER_BYTES) return { type: 'partial', bytes: RECORD_HEADER_BYTES };
  if (isEnd(buffer, at)) return { type: 'end', isClosed: false };
  if (buffer.readUInt32LE(at + 4) !== headerCheck(buffer, at, salt)) {
    return { type: 'damaged', reason: 'the checksum of a record header does not match' };
  }
  const length = buffer.readUInt32LE(at + 8);
  if (length === MARK_LENGTH) {
    return { type: 'end', isClosed: buffer.readUInt32LE(at + 12) === previous.offset };
  }
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
