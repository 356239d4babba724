import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { BackupError } from './backup-error.js';

/*
 * A backup, little endian:
 *
 *   0  magic     8  u32 version    12  u32 length of the header    16  the header, JSON    then u32 crc of everything so far
 *
 * Then chunks: u32 length, u32 crc of the length and the chunk, continued from the crc before, and the chunk. The chunk of length
 * zero is the last one: it holds the SHA-256 of the content, which is a snapshot of the state. Nothing follows it.
 */
const MAGIC = Buffer.from('QRTBKUP\n', 'latin1');
const VERSION = 1;
const FIXED_BYTES = 16;
const CRC_BYTES = 4;
const CHUNK_HEADER_BYTES = 8;
const HASH_BYTES = 32;
/** Far above what a header or a chunk takes. */
const MAX_PART_BYTES = 4 * 1024 * 1024;

/** What a backup says of itself. Zxids and the digest are hexadecimal. */
export interface BackupHeader {
  /** Id of the ensemble; null if it has none. */
  readonly ensemble: string | null;
  /** Null if it was taken of a directory. */
  readonly member: number | null;
  /** Last transaction in it. */
  readonly zxid: string;
  /** The highest epoch that the member knew of. */
  readonly epoch: number;
  /** Digest of the state, and how many znodes it has. */
  readonly digest: string;
  readonly znodes: number;
  /** ISO 8601, by the clock of the member. */
  readonly takenAt: string;
}

/** Encodes a backup, piece by piece: the header, then the content in chunks, then the end. */
export class BackupEncoder {
  readonly #hash = createHash('sha256');
  #chain = 0;

  header(header: BackupHeader): Buffer {
    const json = Buffer.from(JSON.stringify(header));
    const bytes = Buffer.alloc(FIXED_BYTES + json.length + CRC_BYTES);
    bytes.set(MAGIC, 0);
    bytes.writeUInt32LE(VERSION, 8);
    bytes.writeUInt32LE(json.length, 12);
    bytes.set(json, FIXED_BYTES);
    this.#chain = crc32(bytes.subarray(0, -CRC_BYTES));
    bytes.writeUInt32LE(this.#chain, bytes.length - CRC_BYTES);
    return bytes;
  }

  /** `content`: not empty. */
  chunk(content: Uint8Array): Buffer {
    this.#hash.update(content);
    return this.#framed(content.length, content);
  }

  end(): Buffer {
    return this.#framed(0, this.#hash.digest());
  }

  #framed(length: number, body: Uint8Array): Buffer {
    const bytes = Buffer.alloc(CHUNK_HEADER_BYTES + body.length);
    bytes.writeUInt32LE(length, 0);
    bytes.set(body, CHUNK_HEADER_BYTES);
    this.#chain = chunkCheck(bytes, this.#chain);
    bytes.writeUInt32LE(this.#chain, 4);
    return bytes;
  }
}

/** Decodes a backup, fed in pieces of any size. `push` and `finish` throw `BackupError` on bytes that are not a whole backup. */
export class BackupDecoder {
  readonly #hash: Hash = createHash('sha256');
  readonly #name: string;
  #pending: Buffer = Buffer.alloc(0);
  #offset = 0;
  #chain = 0;
  #header: BackupHeader | null = null;
  #sha256: string | null = null;

  /** `name`: of the file, for errors. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Null until enough of it was pushed. */
  get header(): BackupHeader | null {
    return this.#header;
  }

  /** Of the content, in hexadecimal; null before the end. */
  get sha256(): string | null {
    return this.#sha256;
  }

  /** The content in these bytes and those kept from before, in order, each piece verified. */
  push(bytes: Uint8Array): Buffer[] {
    this.#pending = this.#pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#pending, bytes]);
    const content: Buffer[] = [];
    if (this.#header === null && !this.#takeHeader()) return content;
    for (let chunk = this.#takeChunk(); chunk !== null; chunk = this.#takeChunk()) content.push(chunk);
    if (this.#sha256 !== null && this.#pending.length > 0) throw this.#damage('something follows its end');
    return content;
  }

  /** To be called behind the last byte. */
  finish(): { readonly header: BackupHeader; readonly sha256: string } {
    if (this.#header === null || this.#sha256 === null)
      throw this.#damage('it ends before its end: it is not complete');
    return { header: this.#header, sha256: this.#sha256 };
  }

  #takeHeader(): boolean {
    const bytes = this.#pending;
    const magic = bytes.subarray(0, MAGIC.length);
    if (!magic.equals(MAGIC.subarray(0, magic.length)))
      throw this.#damage('it does not begin as a backup does');
    if (bytes.length < FIXED_BYTES) return false;
    const version = bytes.readUInt32LE(8);
    if (version !== VERSION)
      throw new BackupError('BACKUP_FORMAT_UNKNOWN', this.#name, `its format is ${version}`);
    const end = FIXED_BYTES + bytes.readUInt32LE(12);
    if (end > MAX_PART_BYTES) throw this.#damage('the length of its header is wrong');
    if (bytes.length < end + CRC_BYTES) return false;
    this.#chain = crc32(bytes.subarray(0, end));
    if (bytes.readUInt32LE(end) !== this.#chain)
      throw this.#damage('the checksum of its header does not match');
    this.#header = JSON.parse(bytes.toString('utf8', FIXED_BYTES, end)) as BackupHeader;
    this.#drop(end + CRC_BYTES);
    return true;
  }

  /** Null if there is no whole one, or none any more. */
  #takeChunk(): Buffer | null {
    const bytes = this.#pending;
    if (bytes.length < CHUNK_HEADER_BYTES || this.#sha256 !== null) return null;
    const length = bytes.readUInt32LE(0);
    if (length > MAX_PART_BYTES) throw this.#damage('the length of a part is wrong');
    const end = CHUNK_HEADER_BYTES + (length === 0 ? HASH_BYTES : length);
    if (bytes.length < end) return null;
    const whole = bytes.subarray(0, end);
    this.#chain = chunkCheck(whole, this.#chain);
    if (bytes.readUInt32LE(4) !== this.#chain) throw this.#damage('the checksum of a part does not match');
    const body = whole.subarray(CHUNK_HEADER_BYTES);
    if (length === 0) this.#end(body);
    else this.#hash.update(body);
    this.#drop(end);
    return length === 0 ? null : body;
  }

  #end(expected: Buffer): void {
    const found = this.#hash.digest();
    if (!found.equals(expected)) throw this.#damage('the SHA-256 of its content does not match');
    this.#sha256 = found.toString('hex');
  }

  #drop(bytes: number): void {
    this.#pending = this.#pending.subarray(bytes);
    this.#offset += bytes;
  }

  #damage(reason: string): BackupError {
    return new BackupError('BACKUP_DAMAGED', this.#name, `${reason} (behind byte ${this.#offset})`);
  }
}

function chunkCheck(chunk: Buffer, chain: number): number {
  return crc32(chunk.subarray(CHUNK_HEADER_BYTES), crc32(chunk.subarray(0, 4), chain));
}
