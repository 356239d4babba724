import type { VirtualClock } from '../../core/testing/index.js';

interface Waiter {
  readonly holds: () => boolean;
  readonly deadline: number;
  readonly told: (holds: boolean) => void;
  readonly failed: (error: unknown) => void;
}

/** Moves one clock for any number of callers at once, for as long as one of them waits, and no further. */
export class Pacer {
  readonly #clock: VirtualClock;
  readonly #waiters = new Set<Waiter>();
  #hasNewcomer = false;
  #isDriving = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Moves time until `holds`, at most by `maxMs`; resolves with whether it holds, rejects with what it throws. */
  move(holds: () => boolean, maxMs: number): Promise<boolean> {
    const deadline = this.#clock.now() + maxMs;
    return new Promise((told, failed) => {
      this.#waiters.add({ holds, deadline, told, failed });
      this.#hasNewcomer = true;
      void this.#drive();
    });
  }

  async #drive(): Promise<void> {
    if (this.#isDriving) return;
    this.#isDriving = true;
    try {
      while (this.#waiters.size > 0) {
        const nearest = Math.min(...[...this.#waiters].map(({ deadline }) => deadline));
        await this.#clock.moveUntil(() => this.#tell(), nearest - this.#clock.now());
      }
    } catch (error) {
      for (const { failed } of this.#waiters) failed(error);
      this.#waiters.clear();
    } finally {
      this.#isDriving = false;
    }
  }

  /** Whether time has to stand still for somebody: who was told gets to do the next thing at this very moment. */
  #tell(): boolean {
    let hasNews = this.#hasNewcomer;
    this.#hasNewcomer = false;
    for (const waiter of this.#waiters) {
      try {
        const holds = waiter.holds();
        if (!holds && this.#clock.now() < waiter.deadline) continue;
        waiter.told(holds);
      } catch (error) {
        waiter.failed(error);
      }
      this.#waiters.delete(waiter);
      hasNews = true;
    }
    return hasNews;
  }
}
