import { MarshallingError } from './marshalling-error.js';
import { nodeBuffer } from './node-buffer.js';

const TWO_POW_32 = 4_294_967_296;

interface Utf8Bytes {
  /** A fast call of Node's that works on any array of bytes. */
  readonly utf8Slice: (this: Uint8Array, from: number, to: number) => string;
}

/** Node's, where there is one. */
const utf8Slice = (nodeBuffer?.prototype as Utf8Bytes | undefined)?.utf8Slice;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Turns two ints into one long with a single allocation. */
const scratch = new DataView(new ArrayBuffer(8));

/**
 * Reads jute from `bytes` between `offset` and `end`. Every method throws `MarshallingError` when the bytes
 * do not hold what is asked for, before anything is allocated for it. What is left unread at the end is nobody's error:
 * newer peers may append fields.
 */
export class JuteReader {
  private readonly bytes: Uint8Array;
  private position: number;
  private readonly end: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = offset;
    this.end = end;
  }

  /** Where the next byte is read, counted from the start of the array given. */
  get offset(): number {
    return this.position;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  readBool(): boolean {
    return this.bytes[this.advance(1, 'a boolean')] !== 0;
  }

  readInt(): number {
    return this.intAt(this.advance(4, 'an int'));
  }

  readLong(): bigint {
    const at = this.advance(8, 'a long');
    scratch.setInt32(0, this.intAt(at));
    scratch.setInt32(4, this.intAt(at + 4));
    return scratch.getBigInt64(0);
  }

  /** The same, but `known` itself if that is what it equals: then nothing is allocated to be kept. */
  readLongLike(known: bigint): bigint {
    const at = this.advance(8, 'a long');
    scratch.setBigInt64(0, known);
    const isKnown = scratch.getInt32(0) === this.intAt(at) && scratch.getInt32(4) === this.intAt(at + 4);
    if (isKnown) return known;
    this.position = at;
    return this.readLong();
  }

  /** A long as a number; one that a number cannot hold exactly becomes ±`Number.MAX_SAFE_INTEGER`. */
  readLongAsNumber(): number {
    const at = this.advance(8, 'a long');
    const value = this.intAt(at) * TWO_POW_32 + (this.intAt(at + 4) >>> 0);
    return Math.min(Math.max(value, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  }

  /** Bytes that are no UTF-8 are replaced, never refused. */
  readString(): string | null {
    const length = this.readLength('a string');
    if (length === -1) return null;
    const at = this.advance(length, 'a string');
    return length === 0 ? '' : decode(this.bytes, at, at + length);
  }

  /** A string of which null and empty mean the same: some clients write the empty string as null. */
  readText(): string {
    return this.readString() ?? '';
  }

  /** A view of the bytes given to the constructor, not a copy. */
  readBuffer(): Uint8Array | null {
    const length = this.readLength('a buffer');
    return length === -1 ? null : this.readBytes(length);
  }

  /** Passes over a buffer, which ends at `offset` then; its length, or -1 for null. */
  passBuffer(): number {
    const length = this.readLength('a buffer');
    if (length > 0) this.advance(length, 'a buffer');
    return length;
  }

  /** Passes over `expected` if that is what comes next. */
  skips(expected: Uint8Array): boolean {
    const { length } = expected;
    if (length > this.remaining) return false;
    for (let index = 0; index < length; index++)
      if (this.bytes[this.position + index] !== expected[index]) return false;
    this.position += length;
    return true;
  }

  /** Another reader, of the bytes behind a length: what is read there does not count here. */
  readPart(): JuteReader {
    const length = Math.max(0, this.readLength('a part'));
    const at = this.advance(length, 'a part');
    return new JuteReader(this.bytes, at, at + length);
  }

  /** The next `length` bytes, as a view. */
  readBytes(length: number): Uint8Array {
    const at = this.advance(length, 'bytes');
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, length);
  }

  /**
   * Number of elements that follow; 0 for a null vector. `minElementBytes` is what the smallest element takes,
   * so that a short packet cannot ask for a long list.
   */
  readCount(minElementBytes: number): number {
    const count = this.readInt();
    if (count === -1) return 0;
    if (count < 0 || count * minElementBytes > this.remaining) {
      throw new MarshallingError(
        `a vector of ${count} elements does not fit in the ${this.remaining} bytes left`,
      );
    }
    return count;
  }

  private readLength(what: string): number {
    const length = this.readInt();
    if (length < -1) throw new MarshallingError(`${what} of ${length} bytes`);
    return length;
  }

  private advance(count: number, what: string): number {
    const at = this.position;
    if (count > this.end - at) {
      throw new MarshallingError(`${what} of ${count} bytes where only ${this.end - at} are left`);
    }
    this.position = at + count;
    return at;
  }

  private intAt(at: number): number {
    const { bytes } = this;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }
}

/** The same bytes with Node's fast paths; free if they have them already. */
export function asNodeBuffer(bytes: Uint8Array): Uint8Array {
  if (nodeBuffer === undefined || bytes instanceof nodeBuffer) return bytes;
  return nodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function decode(bytes: Uint8Array, from: number, to: number): string {
  return utf8Slice === undefined ? decoder.decode(bytes.subarray(from, to)) : utf8Slice.call(bytes, from, to);
}
