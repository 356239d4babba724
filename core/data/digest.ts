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
const LOW_HALF = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;
const HIGH_HALF = 1 - LOW_HALF;

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
  bytes(value: Uint8Array | string | null): void {
    if (value === null) return this.int(-1);
    this.int(value.length);
    if (typeof value === 'string') this.characters(value);
    else this.array(value);
  }

  private characters(value: string): void {
    const whole = value.length & ~3;
    let index = 0;
    for (; index < whole; index += 4) {
      this.int(
        value.charCodeAt(index) |
          (value.charCodeAt(index + 1) << 8) |
          (value.charCodeAt(index + 2) << 16) |
          (value.charCodeAt(index + 3) << 24),
      );
    }
    let rest = 0;
    for (let shift = 0; index < value.length; index++, shift += 8) rest |= value.charCodeAt(index) << shift;
    this.int(rest);
  }

  private array(value: Uint8Array): void {
    const whole = value.length & ~3;
    let index = 0;
    for (; index < whole; index += 4) {
      this.int(
        value[index]! | (value[index + 1]! << 8) | (value[index + 2]! << 16) | (value[index + 3]! << 24),
      );
    }
    let rest = 0;
    for (let shift = 0; index < value.length; index++, shift += 8) rest |= value[index]! << shift;
    this.int(rest);
  }

  finish(): void {
    this.low = avalanche(this.low);
    this.high = avalanche(this.high);
  }
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
