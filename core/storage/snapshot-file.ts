import { crc32 } from 'node:zlib';
import { DIRECTORY_ID_BYTES } from './directory-id.js';
import { readExactly, withFile, type Directory, type DiskFile } from './disk.js';
import type { HistoryFile } from './file-name.js';
import { requireKnownVersion } from './format-version.js';
import { CorruptionError, errnoOf, StorageError } from './storage-error.js';
import type { ContentCheck, EpochTable } from './storage.js';

/*
 * A snapshot file, little endian:
 *
 *    0  magic     8  u32 version    12  u32 flags    16  u64 zxid    24  u32 number of epochs    28  u32 zero
 *   32  16 bytes, the directory's id
 *   48  for each epoch: u32 epoch, u64 last zxid; then u32 crc of everything so far
 *
 * Then chunks: u32 length, u32 crc of the length and the chunk, continued from the crc before, and the chunk. The
 * chunk of length zero is the last one: it holds the u64 number of content bytes. Nothing follows it.
 */
const MAGIC = Buffer.from('QRTSNAP\n', 'latin1');
/** Format 1 is that of 0.1.0. A reader knows the newest format and the one before; it refuses later ones by name. */
const VERSION = 1;
const OLDEST_VERSION = 1;
const FIXED_BYTES = 48;
const EPOCH_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const TOTAL_BYTES = 8;
/** Small pieces are gathered into chunks of this size, large ones are cut. */
const CHUNK_BYTES = 256 * 1024;
/** Synced as it grows: the log's own syncs would wait behind one of hundreds of megabytes. */
const SYNC_BYTES = 8 * 1024 * 1024;
const STANDS_ALONE = 1;

export interface SnapshotHeader {
  readonly zxid: bigint;
  readonly epochs: EpochTable;
  /** The log holds nothing up to it, because it came from a leader: no log at all may follow it. */
  readonly standsAlone: boolean;
}

/** Writes a whole snapshot file and syncs it. Errors of `content` pass through as they are. */
export async function writeSnapshotFile(
  directory: Directory,
  name: string,
  options: {
    readonly header: SnapshotHeader;
    readonly directoryId: Uint8Array;
    readonly content: AsyncIterable<Uint8Array>;
  },
): Promise<void> {
  await withFile(directory, name, 'create', async (file) => {
    const header = encodeHeader(options.header, options.directoryId);
    await file.write(0, header);
    const writer = new ChunkWriter(file, header.length, header.readUInt32LE(header.length - 4));
    for await (const piece of options.content) await writer.add(piece);
    await writer.end();
    await file.sync();
  });
}

/** Reads the header of a snapshot file; rejects with `CorruptionError` if it is not whole. */
export async function readSnapshotHeader(
  directory: Directory,
  found: HistoryFile,
  directoryId: Uint8Array,
): Promise<SnapshotHeader> {
  return withFile(directory, found.name, 'read', async (file) => {
    const bytes = await readHeaderBytes(file);
    if (bytes !== null && isWholeHeader(bytes)) {
      requireKnownVersion(directory, found.name, { version: bytes.readUInt32LE(8), newestKnown: VERSION });
    }
    const fault = bytes === null ? await shortFault(file) : headerFault(bytes, found, directoryId);
    if (bytes === null || fault !== null) throw damage(directory, found.name, 0, fault ?? '');
    return decodeHeader(bytes);
  });
}

/** The content, chunk by chunk, each verified before it is given out; rejects with `CorruptionError`. */
export async function* readSnapshotContent(
  directory: Directory,
  name: string,
): AsyncGenerator<Uint8Array, void> {
  const file = await directory.open(name, 'read');
  /** On its way while the chunk before is made use of. */
  let reading: Promise<Buffer> | null = null;
  try {
    const header = await readHeaderBytes(file);
    if (header === null) throw damage(directory, name, 0, 'it ends within its header');
    let chain = header.readUInt32LE(header.length - 4);
    let offset = header.length;
    let total = 0;
    for (;;) {
      const chunk = chunkIn(await (reading ?? readFrom(file, offset)), chain);
      if (chunk === null)
        throw damage(directory, name, offset, 'a part is cut off or its checksum does not match');
      chain = chunk.chain;
      offset += CHUNK_HEADER_BYTES + chunk.bytes.length;
      if (chunk.isLast) {
        const isWhole = chunk.bytes.readBigUInt64LE() === BigInt(total) && offset === (await file.size());
        if (!isWhole) throw damage(directory, name, offset, 'its length is wrong');
        return;
      }
      total += chunk.bytes.length;
      reading = readFrom(file, offset);
      yield chunk.bytes;
    }
  } finally {
    await reading?.catch(() => undefined);
    await file.close();
  }
}

/** Reads the whole file; rejects with `CorruptionError` if anything in it is wrong, `checkContent`'s objections included. */
export async function verifySnapshot(
  directory: Directory,
  found: HistoryFile,
  directoryId: Uint8Array,
  checkContent: ContentCheck = readToTheEnd,
): Promise<SnapshotHeader> {
  const header = await readSnapshotHeader(directory, found, directoryId);
  try {
    await checkContent(readSnapshotContent(directory, found.name), header);
  } catch (error) {
    if (error instanceof StorageError || errnoOf(error) !== undefined) throw error;
    const reason = `its checksums match, but not its content: ${error instanceof Error ? error.message : String(error)}`;
    throw new CorruptionError({ location: directory.location, file: found.name, reason, cause: error });
  }
  return header;
}

const readToTheEnd: ContentCheck = async (content) => {
  for await (const _ of content);
};

/** The directory in which a snapshot says it was written; null if its header is not whole. */
export async function readSnapshotDirectoryId(
  directory: Directory,
  { name }: HistoryFile,
): Promise<Buffer | null> {
  const bytes = await withFile(directory, name, 'read', readHeaderBytes);
  return bytes === null || !isWholeHeader(bytes) ? null : bytes.subarray(32, 32 + DIRECTORY_ID_BYTES);
}

function isWholeHeader(bytes: Buffer): boolean {
  const hasMagic = bytes.subarray(0, MAGIC.length).equals(MAGIC);
  return hasMagic && bytes.readUInt32LE(bytes.length - 4) === crc32(bytes.subarray(0, -4));
}

/** Gathers small pieces and cuts large ones. */
class ChunkWriter {
  readonly #file: DiskFile;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_HEADER_BYTES + CHUNK_BYTES);
  #offset: number;
  #chain: number;
  #filled = 0;
  #total = 0;
  #unsyncedBytes = 0;

  constructor(file: DiskFile, offset: number, chain: number) {
    this.#file = file;
    this.#offset = offset;
    this.#chain = chain;
  }

  async add(piece: Uint8Array): Promise<void> {
    for (let from = 0; from < piece.length;) {
      const part = piece.subarray(from, from + CHUNK_BYTES - this.#filled);
      this.#chunk.set(part, CHUNK_HEADER_BYTES + this.#filled);
      this.#filled += part.length;
      this.#total += part.length;
      from += part.length;
      if (this.#filled === CHUNK_BYTES) await this.#flush();
    }
  }

  async end(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
    this.#chunk.writeBigUInt64LE(BigInt(this.#total), CHUNK_HEADER_BYTES);
    await this.#write(0, TOTAL_BYTES);
  }

  async #flush(): Promise<void> {
    const length = this.#filled;
    this.#filled = 0;
    await this.#write(length, length);
  }

  async #write(length: number, bodyBytes: number): Promise<void> {
    const bytes = this.#chunk.subarray(0, CHUNK_HEADER_BYTES + bodyBytes);
    bytes.writeUInt32LE(length, 0);
    this.#chain = chunkCheck(bytes, this.#chain);
    bytes.writeUInt32LE(this.#chain, 4);
    await this.#file.write(this.#offset, bytes);
    this.#offset += bytes.length;
    this.#unsyncedBytes += bytes.length;
    if (this.#unsyncedBytes < SYNC_BYTES) return;
    this.#unsyncedBytes = 0;
    await this.#file.syncData();
  }
}

/** As much as the largest chunk takes, or less at the end of the file: one trip to the disk for a chunk. */
async function readFrom(file: DiskFile, offset: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(CHUNK_HEADER_BYTES + CHUNK_BYTES);
  return bytes.subarray(0, await file.read(offset, bytes));
}

/** The chunk that `read` begins with; null if it is not whole. */
function chunkIn(
  read: Buffer,
  chain: number,
): { readonly bytes: Buffer; readonly chain: number; readonly isLast: boolean } | null {
  const length = read.length < CHUNK_HEADER_BYTES ? Infinity : read.readUInt32LE();
  const end = CHUNK_HEADER_BYTES + (length === 0 ? TOTAL_BYTES : length);
  if (end > read.length) return null;
  const whole = read.subarray(0, end);
  if (whole.readUInt32LE(4) !== chunkCheck(whole, chain)) return null;
  return {
    bytes: whole.subarray(CHUNK_HEADER_BYTES),
    chain: whole.readUInt32LE(4),
    isLast: length === 0,
  };
}

function chunkCheck(chunk: Buffer, chain: number): number {
  return crc32(chunk.subarray(CHUNK_HEADER_BYTES), crc32(chunk.subarray(0, 4), chain));
}

function encodeHeader(header: SnapshotHeader, directoryId: Uint8Array): Buffer {
  const { epochs } = header;
  const bytes = Buffer.alloc(FIXED_BYTES + epochs.length * EPOCH_BYTES + 4);
  bytes.set(MAGIC, 0);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(header.standsAlone ? STANDS_ALONE : 0, 12);
  bytes.writeBigUInt64LE(header.zxid, 16);
  bytes.writeUInt32LE(epochs.length, 24);
  bytes.set(directoryId, 32);
  epochs.forEach(({ epoch, lastZxid }, row) => {
    bytes.writeUInt32LE(epoch, FIXED_BYTES + row * EPOCH_BYTES);
    bytes.writeBigUInt64LE(lastZxid, FIXED_BYTES + row * EPOCH_BYTES + 4);
  });
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

async function readHeaderBytes(file: DiskFile): Promise<Buffer | null> {
  const fixed = await readExactly(file, 0, FIXED_BYTES);
  const length = FIXED_BYTES + (fixed?.readUInt32LE(24) ?? Infinity) * EPOCH_BYTES + 4;
  return length > (await file.size()) ? null : readExactly(file, 0, length);
}

function headerFault(bytes: Buffer, found: HistoryFile, directoryId: Uint8Array): string | null {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 'it does not begin as a snapshot does';
  const version = bytes.readUInt32LE(8);
  if (!isWholeHeader(bytes)) {
    const claim = version > VERSION ? `; it claims format ${version}, which a later version may write` : '';
    return `the checksum of its header does not match${claim}`;
  }
  if (version < OLDEST_VERSION) return `it claims format ${version}, which never existed`;
  if (!bytes.subarray(32, 32 + DIRECTORY_ID_BYTES).equals(directoryId)) {
    return 'it was written in another data directory';
  }
  return bytes.readBigUInt64LE(16) === found.zxid ? null : 'it was written under another name';
}

async function shortFault(file: DiskFile): Promise<string> {
  const fixed = await readExactly(file, 0, FIXED_BYTES);
  if (fixed === null) return 'it ends within its header';
  const claimed = fixed.readUInt32LE(24);
  return `its header claims ${claimed} epochs, for which a file of ${await file.size()} bytes has no room`;
}

function decodeHeader(bytes: Buffer): SnapshotHeader {
  const epochs = Array.from({ length: bytes.readUInt32LE(24) }, (_, row) => ({
    epoch: bytes.readUInt32LE(FIXED_BYTES + row * EPOCH_BYTES),
    lastZxid: bytes.readBigUInt64LE(FIXED_BYTES + row * EPOCH_BYTES + 4),
  }));
  return {
    zxid: bytes.readBigUInt64LE(16),
    epochs,
    standsAlone: (bytes.readUInt32LE(12) & STANDS_ALONE) !== 0,
  };
}

function damage(directory: Directory, file: string, offset: number, reason: string): CorruptionError {
  return new CorruptionError({ location: directory.location, file, offset, reason });
}
