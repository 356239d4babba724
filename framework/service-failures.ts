import type { Clock } from '../core/runtime/index.js';

/** How long an instance that could not be reached comes last. */
const REMEMBERED_MS = 5000;

/** Which instances could not be reached a moment ago. It forgets by itself: ids of instances that are gone are never asked for again. */
export class ServiceFailures {
  readonly #clock: Clock;
  /** Until when each is remembered, the earliest first. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#until.size;
  }

  add(key: string): void {
    this.#forget();
    this.#until.delete(key);
    this.#until.set(key, this.#clock.now() + REMEMBERED_MS);
  }

  has(key: string): boolean {
    this.#forget();
    return this.#until.has(key);
  }

  #forget(): void {
    const now = this.#clock.now();
    for (const [key, until] of this.#until) {
      if (now < until) return;
      this.#until.delete(key);
    }
  }
}
