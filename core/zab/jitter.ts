/** A small reproducible source of chance (Steele and Vigna's SplitMix, 32-bit form), so that members do not act in step. */
export class Jitter {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** `ms`, or up to half as much again. */
  spread(ms: number): number {
    return ms * (1 + this.#next() / 2);
  }

  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 0x100000000;
  }
}
