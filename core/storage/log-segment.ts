import { crc32 } from 'node:zlib';
import { DIRECTORY_ID_BYTES } from './directory-id.js';
import { readExactly, withFile, type Directory, type DiskFile } from './disk.js';
import { fileName, temporaryName, type HistoryFile } from './file-name.js';
import { requireKnownVersion } from './format-version.js';
import type { LogPosition } from './log-record.js';

/*
 * The header of a segment, little endian, written and synced before the first record:
 *
 *    0  magic     8  u32 version     12  u32 crc of everything else in it
 *   16  u64 first zxid     24  u64 zxid before it     32  u32 chain before it
 *   36  u32 offset at which the segment before ends     40  16 bytes, the directory's id     56  zeros
 */
export const SEGMENT_HEADER_BYTES = 64;
const MAGIC = Buffer.from('QRTLOG \n', 'latin1');
/** Segments of format 1, written by version 0.1.0, have no group marks: they are read, and never appended to. */
const VERSION = 2;
const OLDEST_VERSION = 1;

/** Twice the largest size at which a file is followed by the next: the last group of records may go beyond that. */
const LARGEST_FILE_BYTES = 2 * 1024 * 1024 * 1024;

/** Between two places of the index, and so what a reader skips at most to find its place. */
const INDEX_BYTES = 64 * 1024;
/** In front of the first place. Behind a place comes half as much as stands before it, so that short segments have places too. */
const FIRST_INDEX_BYTES = 512;

/** A file of the log, as it is known in memory. */
export interface Segment {
  readonly name: string;
  /** Format of the file. */
  readonly version: number;
  readonly firstZxid: bigint;
  /** Before its first record. */
  readonly start: LogPosition;
  /** Behind its last durable record. */
  end: LogPosition;
  /** Some positions between start and end, in order. */
  readonly index: LogPosition[];
  /** How many are reading it: it must not be removed meanwhile. */
  readers: number;
}

/** True of a segment that new records may be appended to. */
export function isCurrentFormat({ version }: Segment): boolean {
  return version === VERSION;
}

export interface SegmentHeader {
  /** Default: the current format. */
  readonly version?: number;
  readonly firstZxid: bigint;
  readonly prevZxid: bigint;
  readonly chain: number;
  /** 0 when no segment is before it. */
  readonly prevEnd: number;
}

export type HeaderReading =
  | { readonly type: 'header'; readonly header: SegmentHeader }
  /** `isEmpty`: nothing but zeros stands behind it, so the segment was never used. */
  | { readonly type: 'damaged'; readonly isEmpty: boolean; readonly reason: string };

/**
 * Makes the file under another name, preallocates `allocateBytes`, and leaves it durable under its own: a file with that name
 * and without a whole header is damaged.
 */
export async function createSegment(
  directory: Directory,
  options: {
    readonly generation: number;
    readonly header: SegmentHeader;
    readonly directoryId: Uint8Array;
    readonly allocateBytes: number;
  },
): Promise<{ readonly file: DiskFile; readonly segment: Segment }> {
  const { header } = options;
  const name = fileName('log', options.generation, header.firstZxid);
  const draft = temporaryName(name);
  await withFile(directory, draft, 'create', async (file) => {
    await file.write(0, encodeHeader(header, options.directoryId));
    await writeZeros(file, SEGMENT_HEADER_BYTES, options.allocateBytes);
    await file.sync();
  });
  await directory.rename(draft, name);
  await directory.syncDirectory();
  const file = await directory.open(name, 'write');
  return { file, segment: segmentOf(name, header) };
}

export function segmentOf(name: string, header: SegmentHeader): Segment {
  const start = { offset: SEGMENT_HEADER_BYTES, zxid: header.prevZxid, chain: header.chain };
  const { version = VERSION, firstZxid } = header;
  return { name, version, firstZxid, start, end: start, index: [], readers: 0 };
}

export async function readHeader(
  directory: Directory,
  found: HistoryFile,
  directoryId: Uint8Array,
): Promise<HeaderReading> {
  return withFile(directory, found.name, 'read', async (file) => {
    const size = await file.size();
    if (size > LARGEST_FILE_BYTES) {
      const reason = `it has ${size} bytes, and no file of the log has more than ${LARGEST_FILE_BYTES}`;
      return { type: 'damaged', isEmpty: false, reason };
    }
    const bytes = await readExactly(file, 0, SEGMENT_HEADER_BYTES);
    if (bytes !== null && isWholeHeader(bytes)) {
      requireKnownVersion(directory, found.name, { version: bytes.readUInt32LE(8), newestKnown: VERSION });
    }
    const reason = bytes === null ? 'it ends within its header' : headerFault(bytes, found, directoryId);
    if (bytes !== null && reason === null) return { type: 'header', header: decodeHeader(bytes) };
    return { type: 'damaged', isEmpty: await isZeroFrom(file, SEGMENT_HEADER_BYTES), reason: reason ?? '' };
  });
}

/** The directory that a segment says it belongs to; null if its header cannot be read. */
export async function readDirectoryId(directory: Directory, { name }: HistoryFile): Promise<Buffer | null> {
  const bytes = await withFile(directory, name, 'read', (file) => readExactly(file, 0, SEGMENT_HEADER_BYTES));
  return bytes !== null && isWholeHeader(bytes) ? bytes.subarray(40, 40 + DIRECTORY_ID_BYTES) : null;
}

/** The closest known place at or before the end of `zxid`, from which to read on. */
export function positionBefore(segment: Segment, zxid: bigint): LogPosition {
  return segment.index.findLast((position) => position.zxid <= zxid) ?? segment.start;
}

/** Takes note of a place that the segment has reached. */
export function noteProgress(segment: Segment, position: LogPosition): void {
  const last = segment.index.at(-1) ?? segment.start;
  const distance = Math.min(INDEX_BYTES, Math.max(FIRST_INDEX_BYTES, last.offset / 2));
  if (position.offset - last.offset >= distance) segment.index.push(position);
  segment.end = position;
}

/** Forgets what stood behind `position`. */
export function endAt(segment: Segment, position: LogPosition): void {
  while ((segment.index.at(-1)?.offset ?? 0) > position.offset) segment.index.pop();
  segment.end = position;
}

const ZEROS = Buffer.alloc(1024 * 1024);

/** Writes zeros from `from` up to `to`, without a sync. */
export async function writeZeros(file: DiskFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += ZEROS.length) {
    await file.write(at, ZEROS.subarray(0, Math.min(ZEROS.length, to - at)));
  }
}

async function isZeroFrom(file: DiskFile, from: number): Promise<boolean> {
  const buffer = Buffer.alloc(ZEROS.length);
  for (let at = from; ; at += buffer.length) {
    const read = await file.read(at, buffer);
    if (ZEROS.compare(buffer, 0, read, 0, read) !== 0) return false;
    if (read < buffer.length) return true;
  }
}

function encodeHeader(header: SegmentHeader, directoryId: Uint8Array): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.set(MAGIC, 0);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeBigUInt64LE(header.firstZxid, 16);
  bytes.writeBigUInt64LE(header.prevZxid, 24);
  bytes.writeUInt32LE(header.chain, 32);
  bytes.writeUInt32LE(header.prevEnd, 36);
  bytes.set(directoryId, 40);
  bytes.writeUInt32LE(checkOf(bytes), 12);
  return bytes;
}

function decodeHeader(bytes: Buffer): SegmentHeader {
  return {
    version: bytes.readUInt32LE(8),
    firstZxid: bytes.readBigUInt64LE(16),
    prevZxid: bytes.readBigUInt64LE(24),
    chain: bytes.readUInt32LE(32),
    prevEnd: bytes.readUInt32LE(36),
  };
}

function headerFault(bytes: Buffer, found: HistoryFile, directoryId: Uint8Array): string | null {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 'it does not begin as a log segment does';
  if (bytes.readUInt32LE(12) !== checkOf(bytes)) return 'the checksum of its header does not match';
  if (bytes.readUInt32LE(8) < OLDEST_VERSION) return 'it claims format 0, which never existed';
  if (!bytes.subarray(40, 40 + DIRECTORY_ID_BYTES).equals(directoryId)) {
    return 'it was written in another data directory';
  }
  if (bytes.readBigUInt64LE(16) !== found.zxid) return 'it was written under another name';
  return null;
}

function isWholeHeader(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC) && bytes.readUInt32LE(12) === checkOf(bytes);
}

function checkOf(bytes: Buffer): number {
  return crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12)));
}
