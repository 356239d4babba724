import { crc32 } from 'node:zlib';
import { DIRECTORY_ID_BYTES } from './directory-id.js';
import { readExactly, withFile, type Directory, type DiskFile } from './disk.js';
import { LOG_END_FILE, temporaryName } from './file-name.js';
import { requireKnownVersion } from './format-version.js';
import { BLOCK_BYTES } from './group-mark.js';
import type { LogPosition } from './log-record.js';
import { CorruptionError } from './storage-error.js';

/*
 * The file `end-of-log` says, apart from the log, how far the log is known to be durable: two slots in blocks of their own, written
 * in turn and in place, so that a crash in the midst of a write leaves the other one. The slot with the higher number counts.
 *
 *    0  magic   8  u32 version   12  u32 crc of the rest   16  u64 number of the write   24  u64 zxid that the history reaches
 *   32  u32 generation   36  u32 1 if a segment is named   40  u64 its first zxid   48  u32 bytes of its file at least
 *   52  u32 offset up to which its records are durable   56  u64 zxid there   64  u32 chain there   68  16 bytes, the directory's id
 *   84  u32 1 while the switch to the next generation is under way   88  zeros up to the end of the block
 */
const MAGIC = Buffer.from('QRTEND \n', 'latin1');
const VERSION = 1;
const SLOT_OFFSETS = [0, BLOCK_BYTES] as const;

/** What is known of a log apart from its own files. Every claim was durable before it was written here. */
export interface LogEnd {
  /** The generation of files that counts. */
  readonly generation: number;
  /** The history reaches at least this zxid, in a snapshot or in the log. */
  readonly zxid: bigint;
  /** The newest segment; null if nothing is known of any. */
  readonly newest: ProvenSegment | null;
  /** A snapshot of the next generation may be there, which no switch has made to count. Default false. */
  readonly isSwitching?: boolean;
}

export interface ProvenSegment {
  readonly firstZxid: bigint;
  /** Bytes that its file has at least. */
  readonly allocatedBytes: number;
  /** Its records up to there are durable. */
  readonly position: LogPosition;
}

/** A statement that claims nothing of the files of a generation. */
export function noClaim(generation: number): LogEnd {
  return { generation, zxid: 0n, newest: null };
}

/** Makes the file under its name, with `end` in it. Whatever has the name is replaced in one step. */
export async function createLogEnd(
  directory: Directory,
  directoryId: Uint8Array,
  end: LogEnd,
): Promise<void> {
  const draft = temporaryName(LOG_END_FILE);
  await withFile(directory, draft, 'create', async (file) => {
    await file.write(SLOT_OFFSETS[0], encodeSlot(end, 1n, directoryId));
    await file.write(SLOT_OFFSETS[1], Buffer.alloc(BLOCK_BYTES));
    await file.sync();
  });
  await directory.rename(draft, LOG_END_FILE);
  await directory.syncDirectory();
}

/** Rejects with `CorruptionError` if the file is missing or neither slot verifies. */
export async function readLogEnd(directory: Directory, directoryId: Uint8Array): Promise<LogEnd> {
  return (await readNewestSlot(directory, directoryId)).end;
}

/** Replaces what the file says. Durable when it resolves. One call at a time. */
export class LogEndWriter {
  readonly #directory: Directory;
  readonly #directoryId: Uint8Array;
  /** Of the last write; null until the file has been read. */
  #number: bigint | null = null;

  constructor(directory: Directory, directoryId: Uint8Array) {
    this.#directory = directory;
    this.#directoryId = directoryId;
  }

  async write(end: LogEnd): Promise<void> {
    this.#number ??= (await readNewestSlot(this.#directory, this.#directoryId)).number;
    const number = this.#number + 1n;
    const slot = encodeSlot(end, number, this.#directoryId);
    const offset = SLOT_OFFSETS[Number((number + 1n) % 2n)]!;
    await withFile(this.#directory, LOG_END_FILE, 'write', (file) => file.writeThrough(offset, slot));
    this.#number = number;
  }
}

interface Slot {
  readonly number: bigint;
  readonly end: LogEnd;
}

async function readNewestSlot(directory: Directory, directoryId: Uint8Array): Promise<Slot> {
  const slots: Slot[] = [];
  if (!(await directory.list()).includes(LOG_END_FILE)) {
    throw damage(directory, 'it is missing, so nothing shows that the log is complete');
  }
  await withFile(directory, LOG_END_FILE, 'read', async (file) => {
    for (const offset of SLOT_OFFSETS) {
      const bytes = await readBlock(file, offset);
      if (bytes === null || !isSlot(bytes)) continue;
      const version = bytes.readUInt32LE(8);
      requireKnownVersion(directory, LOG_END_FILE, { version, newestKnown: VERSION });
      if (bytes.subarray(68, 68 + DIRECTORY_ID_BYTES).equals(directoryId)) slots.push(decodeSlot(bytes));
    }
  });
  const newest = slots.sort((a, b) => (a.number < b.number ? 1 : -1))[0];
  if (newest === undefined)
    throw damage(directory, 'no checksum in it matches, so nothing shows that the log is complete');
  return newest;
}

/** Null if the block is not whole or cannot be read: the other slot counts then. */
async function readBlock(file: DiskFile, offset: number): Promise<Buffer | null> {
  try {
    return await readExactly(file, offset, BLOCK_BYTES);
  } catch (error) {
    if (error instanceof CorruptionError) return null;
    throw error;
  }
}

function isSlot(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC) && bytes.readUInt32LE(12) === checkOf(bytes);
}

function encodeSlot(end: LogEnd, number: bigint, directoryId: Uint8Array): Buffer {
  const { generation, zxid, newest, isSwitching = false } = end;
  // A whole block: the disk need not read it, and so may write it anew where it cannot be read.
  const bytes = Buffer.alloc(BLOCK_BYTES);
  bytes.set(MAGIC, 0);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeBigUInt64LE(number, 16);
  bytes.writeBigUInt64LE(zxid, 24);
  bytes.writeUInt32LE(generation, 32);
  if (newest !== null) {
    bytes.writeUInt32LE(1, 36);
    bytes.writeBigUInt64LE(newest.firstZxid, 40);
    bytes.writeUInt32LE(newest.allocatedBytes, 48);
    bytes.writeUInt32LE(newest.position.offset, 52);
    bytes.writeBigUInt64LE(newest.position.zxid, 56);
    bytes.writeUInt32LE(newest.position.chain, 64);
  }
  bytes.set(directoryId, 68);
  bytes.writeUInt32LE(isSwitching ? 1 : 0, 84);
  bytes.writeUInt32LE(checkOf(bytes), 12);
  return bytes;
}

function decodeSlot(bytes: Buffer): Slot {
  const position = {
    offset: bytes.readUInt32LE(52),
    zxid: bytes.readBigUInt64LE(56),
    chain: bytes.readUInt32LE(64),
  };
  const newest = {
    firstZxid: bytes.readBigUInt64LE(40),
    allocatedBytes: bytes.readUInt32LE(48),
    position,
  };
  return {
    number: bytes.readBigUInt64LE(16),
    end: {
      generation: bytes.readUInt32LE(32),
      zxid: bytes.readBigUInt64LE(24),
      newest: bytes.readUInt32LE(36) === 1 ? newest : null,
      ...(bytes.readUInt32LE(84) === 1 ? { isSwitching: true } : {}),
    },
  };
}

function checkOf(bytes: Buffer): number {
  return crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12)));
}

function damage(directory: Directory, reason: string): CorruptionError {
  return new CorruptionError({ location: directory.location, file: LOG_END_FILE, reason });
}
