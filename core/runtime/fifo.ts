/** First in, first out, with constant cost at both ends: taking from the front moves nothing. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.reset([]);
    else if (this.#head >= 64 && this.#head * 2 >= this.#items.length) this.reset(this.toArray());
    return item;
  }

  clear(): void {
    this.reset([]);
  }

  /** Takes everything out, in order. */
  drain(): T[] {
    const items = this.toArray();
    this.reset([]);
    return items;
  }

  /** Replaces the contents. The array is the queue's from now on. */
  reset(items: T[]): void {
    this.#items = items;
    this.#head = 0;
  }

  toArray(): T[] {
    return this.#items.slice(this.#head) as T[];
  }
}
