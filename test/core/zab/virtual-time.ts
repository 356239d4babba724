/** Events in the order of virtual time; those of the same moment in the order in which they were planned. */
export class VirtualTime {
  #nowMs = 0;
  #sequence = 0;
  readonly #heap: { readonly atMs: number; readonly sequence: number; readonly run: () => void }[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.#nowMs + delayMs, sequence: (this.#sequence += 1), run };
    let index = this.#heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(this.#heap[parent]!, event)) break;
      this.#heap[index] = this.#heap[parent]!;
      index = parent;
    }
    this.#heap[index] = event;
  }

  /** Runs the next event; false if there is none up to `untilMs`. */
  step(untilMs: number): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > untilMs) return false;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    this.#nowMs = first.atMs;
    first.run();
    return true;
  }

  #sink(event: { atMs: number; sequence: number; run: () => void }): void {
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && isBefore(this.#heap[child + 1]!, this.#heap[child]!)) child += 1;
      if (isBefore(event, this.#heap[child]!)) break;
      this.#heap[index] = this.#heap[child]!;
      index = child;
    }
    this.#heap[index] = event;
  }
}

function isBefore(
  a: { readonly atMs: number; readonly sequence: number },
  b: { readonly atMs: number; readonly sequence: number },
): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
