/** Places of a queue that has held something. A power of two, as every later size is. */
const LEAST_PLACES = 4;
/** Default of `mostKept`. */
const MOST_KEPT_PLACES = 32;

/**
 * First in, first out, with constant cost at both ends. A ring: taking from the front moves nothing, and pushing allocates
 * only when more items wait than ever before.
 */
export class Fifo<T> {
  #places: (T | undefined)[] = [];
  readonly #mostKept: number;
  #head = 0;
  #length = 0;

  /**
   * `mostKept`: places that an empty queue keeps at most, default 32. It allocates nothing while no more items wait at a time, and
   * takes little when idle. A power of two.
   */
  constructor(mostKept = MOST_KEPT_PLACES) {
    this.#mostKept = mostKept;
  }

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#places.length) this.#grow();
    this.#places[(this.#head + this.#length) & (this.#places.length - 1)] = item;
    this.#length += 1;
  }

  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#places[this.#head];
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#places[this.#head];
    this.#places[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#places.length - 1);
    this.#length -= 1;
    if (this.#length === 0 && this.#places.length > this.#mostKept) this.clear();
    return item;
  }

  clear(): void {
    this.#places = [];
    this.#head = 0;
    this.#length = 0;
  }

  /** Takes everything out, in order. */
  drain(): T[] {
    const items = this.toArray();
    this.clear();
    return items;
  }

  /** Replaces the contents. */
  reset(items: readonly T[]): void {
    this.clear();
    for (const item of items) this.push(item);
  }

  toArray(): T[] {
    const items: T[] = [];
    for (let index = 0; index < this.#length; index++)
      items.push(this.#places[(this.#head + index) & (this.#places.length - 1)]!);
    return items;
  }

  #grow(): void {
    const { length } = this.#places;
    // Filled at once: an array with holes is a slower one.
    const places = new Array<T | undefined>(Math.max(LEAST_PLACES, 2 * length)).fill(undefined);
    for (let index = 0; index < length; index++)
      places[index] = this.#places[(this.#head + index) & (length - 1)];
    this.#places = places;
    this.#head = 0;
  }
}
