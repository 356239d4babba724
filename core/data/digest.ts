import { copyPacked, MAX_PACKED_BYTES, type StoredData } from './stored-data.js';

/**
 * A 64-bit digest of a set of items, in two 32-bit lanes: the sum of the items' hashes. Adding and taking
 * away one item costs one hash, and the order in which items came does not matter, so members that hold
 * the same state have the same digest however they came to it.
 */
const LOW_SEED = 0x3c6ef372;
const HIGH_SEED = 0x1f83d9ab | 0;

/** One long as two ints: several times faster than a DataView, but in the byte order of the machine. */
const long = new BigInt64Array(1);
const halves = new Int32Array(long.buffer);
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const LOW_HALF = IS_LITTLE_ENDIAN ? 0 : 1;
const HIGH_HALF = 1 - LOW_HALF;

/** Data are hashed from here, a word at a time: several times faster than byte by byte or character by character. */
const block = new Uint8Array(MAX_PACKED_BYTES);
const blockWords = new Int32Array(block.buffer);

/** The running hash of one item, in two lanes. One shared instance: nothing here is re-entrant. */
class HashLanes {
  low = 0;
  high = 0;

  start(): void {
    this.low = LOW_SEED;
    this.high = HIGH_SEED;
  }

  resume(low: number, high: number): void {
    this.low = low;
    this.high = high;
  }

  int(value: number): void {
    let word = Math.imul(value, 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    let lane = this.low ^ Math.imul(word, 0x1b873593);
    this.low = (Math.imul((lane << 13) | (lane >>> 19), 5) + 0xe6546b64) | 0;
    word = Math.imul(value, 0x239b961b);
    word = (word << 16) | (word >>> 16);
    lane = this.high ^ Math.imul(word, 0x38b34ae5);
    this.high = (Math.imul((lane << 17) | (lane >>> 15), 5) + 0x561ccd1b) | 0;
  }

  long(value: bigint): void {
    long[0] = value;
    this.int(halves[HIGH_HALF]!);
    this.int(halves[LOW_HALF]!);
  }

  /** A whole number up to 2^53, such as a moment in milliseconds. */
  whole(value: number): void {
    this.int(value >>> 0);
    this.int(Math.floor(value / 0x1_0000_0000));
  }

  string(value: string): void {
    const length = value.length;
    this.int(length);
    let index = 0;
    for (; index + 1 < length; index += 2) {
      this.int(value.charCodeAt(index) | (value.charCodeAt(index + 1) << 16));
    }
    if (index < length) this.int(value.charCodeAt(index));
  }

  /** Null and empty hash differently; an array and a string with the same bytes, one per character, do not. */
  bytes(value: StoredData): void {
    if (value === null) return this.int(-1);
    this.int(value.length);
    if (typeof value === 'string') {
      copyPacked(value, block);
      return this.last(value.length);
    }
    let from = 0;
    for (; value.length - from > block.length; from += block.length) {
      block.set(value.subarray(from, from + block.length));
      this.words(blockWords.length);
    }
    block.set(from === 0 ? value : value.subarray(from));
    this.last(value.length - from);
  }

  /** So many bytes of `block`; the last, incomplete word is there even if it is empty. */
  private last(length: number): void {
    this.words(length >> 2);
    let rest = 0;
    for (let index = length & ~3, shift = 0; index < length; index++, shift += 8)
      rest |= block[index]! << shift;
    this.int(rest);
  }

  /** As `int` of each, with the lanes in registers: this loop is what a write of a kilobyte costs most time in. */
  private words(count: number): void {
    let { low, high } = this;
    for (let index = 0; index < count; index++) {
      const value = littleEndian(blockWords[index]!);
      let word = Math.imul(value, 0xcc9e2d51);
      word = (word << 15) | (word >>> 17);
      low ^= Math.imul(word, 0x1b873593);
      low = (Math.imul((low << 13) | (low >>> 19), 5) + 0xe6546b64) | 0;
      word = Math.imul(value, 0x239b961b);
      word = (word << 16) | (word >>> 16);
      high ^= Math.imul(word, 0x38b34ae5);
      high = (Math.imul((high << 17) | (high >>> 15), 5) + 0x561ccd1b) | 0;
    }
    this.low = low;
    this.high = high;
  }

  finish(): void {
    this.low = avalanche(this.low);
    this.high = avalanche(this.high);
  }
}

function littleEndian(word: number): number {
  if (IS_LITTLE_ENDIAN) return word;
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function avalanche(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

export const lanes = new HashLanes();

export class StateDigest {
  #low = 0;
  #high = 0;

  /** Takes up the item that `lanes` holds the finished hash of. */
  add(): void {
    this.#low = (this.#low + lanes.low) | 0;
    this.#high = (this.#high + lanes.high) | 0;
  }

  subtract(): void {
    this.#low = (this.#low - lanes.low) | 0;
    this.#high = (this.#high - lanes.high) | 0;
  }

  get value(): bigint {
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
  }
}
