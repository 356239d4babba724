/** What has come and gone, and how long replies took in milliseconds, since the beginning or the last reset. */
export class Traffic {
  received = 0;
  sent = 0;
  readonly replyBytes = new Extremes(-1);
  #replies = 0;
  #latencySumMs = 0;
  readonly #latencyMs = new Extremes();

  /** A reply has been written, so long after its request arrived. */
  replied(latencyMs: number, bytes: number): void {
    this.sent += 1;
    this.#replies += 1;
    this.#latencySumMs += latencyMs;
    this.#latencyMs.add(latencyMs);
    this.replyBytes.add(bytes);
  }

  get latency(): LatencyFigures {
    const { last, least, most } = this.#latencyMs;
    return {
      lastMs: last,
      minMs: least,
      avgMs: this.#replies === 0 ? 0 : this.#latencySumMs / this.#replies,
      maxMs: most,
    };
  }

  reset(): void {
    this.received = 0;
    this.sent = 0;
    this.#replies = 0;
    this.#latencySumMs = 0;
    this.#latencyMs.reset();
    this.replyBytes.reset();
  }
}

export interface LatencyFigures {
  readonly lastMs: number;
  readonly minMs: number;
  readonly avgMs: number;
  readonly maxMs: number;
}

/** The last, the smallest and the largest of some values; `none` before the first. */
export class Extremes {
  readonly #none: number;
  #isEmpty = true;
  last: number;
  least: number;
  most: number;

  constructor(none = 0) {
    this.#none = none;
    this.last = this.least = this.most = none;
  }

  add(value: number): void {
    this.last = value;
    if (this.#isEmpty) {
      this.#isEmpty = false;
      this.least = this.most = value;
    } else if (value < this.least) this.least = value;
    else if (value > this.most) this.most = value;
  }

  reset(): void {
    this.last = this.least = this.most = this.#none;
    this.#isEmpty = true;
  }
}
