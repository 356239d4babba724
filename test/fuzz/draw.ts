import { SeededRandom } from '../../core/runtime/index.js';

/** Draws of one attacker: the same seed gives the same inputs, whatever the members answer. */
export class Draw {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  /** A whole number from `least` to `most`. */
  int(least: number, most: number): number {
    return least + Math.floor(this.#random.next() * (most - least + 1));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)]!;
  }

  bytes(length: number): Buffer {
    return Buffer.from(this.#random.bytes(length));
  }

  list<T>(most: number, next: () => T): T[] {
    return Array.from({ length: this.int(0, most) }, next);
  }

  /** Numbers of 32 bits at which codecs go wrong, and others. */
  edge(): number {
    return this.chance(0.5)
      ? this.pick([0, 1, -1, -2, 2, 31, 100, 0x7fffffff, -0x80000000, 0x20000001, 0xffff, 0x10000])
      : this.int(-0x80000000, 0x7fffffff);
  }

  edgeLong(): bigint {
    return this.chance(0.5)
      ? this.pick([0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 0xffffffffn, 1n << 32n])
      : this.bytes(8).readBigInt64BE();
  }

  /** The bytes, or the bytes with a mistake in them. */
  mutated(bytes: Uint8Array, probability: number): Buffer {
    const whole = Buffer.from(bytes);
    if (whole.length === 0 || !this.chance(probability)) return whole;
    const at = this.int(0, whole.length - 1);
    switch (this.int(0, 5)) {
      case 0:
        return whole.subarray(0, at);
      case 1:
        return Buffer.concat([whole, this.bytes(this.int(1, 40))]);
      case 2:
        whole[at]! ^= 1 << this.int(0, 7);
        return whole;
      case 3: {
        const number = Buffer.alloc(4);
        number.writeInt32BE(this.edge());
        return Buffer.concat([whole.subarray(0, at), number, whole.subarray(at + 4)]);
      }
      case 4:
        return Buffer.concat([whole.subarray(0, at), this.bytes(this.int(1, 9)), whole.subarray(at)]);
      default:
        return Buffer.concat([
          whole.subarray(0, at),
          whole.subarray(Math.min(whole.length, at + this.int(1, 9))),
        ]);
    }
  }

  /** Cuts the bytes into up to `most` pieces, for a stream. */
  pieces(bytes: Buffer, most: number): Buffer[] {
    const cuts = this.list(most - 1, () => this.int(0, bytes.length)).sort((one, other) => one - other);
    return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
  }
}
