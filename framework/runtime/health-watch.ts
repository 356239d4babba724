import type { Clock } from '../../core/runtime/index.js';
import { settledWithin, sleep } from './waiting.js';

export interface HealthWatchOptions {
  /** False, or a failure, is unhealthy. `signal` aborts when nobody waits for the answer any more. */
  readonly check: (signal: AbortSignal) => unknown;
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** So many checks in a row have to fail before it counts as unhealthy; one that succeeds makes it healthy again. */
  readonly failures: number;
  readonly clock: Clock;
  /** Called at every change, one after the other; the next check waits for it. */
  changed(isHealthy: boolean, error: unknown): Promise<void>;
}

/** Asks something again and again whether it is well. */
export class HealthWatch {
  readonly #options: HealthWatchOptions;
  readonly #stopping = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  /** Asked, and not answered yet. */
  #isAsked = false;

  constructor(options: HealthWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#watching = this.#watch();
  }

  /** Resolves when `changed` is not called any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { clock, everyMs, failures } = this.#options;
    let failed = 0;
    let isHealthy = true;
    while (await sleep(clock, everyMs, this.#stopping.signal)) {
      const error = await this.#check();
      if (this.#stopping.signal.aborted) return;
      failed = error === null ? 0 : failed + 1;
      const isHealthyNow: boolean = failed === 0 || (isHealthy && failed < failures);
      if (isHealthyNow === isHealthy) continue;
      isHealthy = isHealthyNow;
      await this.#options.changed(isHealthy, error);
    }
  }

  /** Null: it is well. One that has not answered yet fails without being asked again: the questions would pile up. */
  async #check(): Promise<unknown> {
    const { clock, timeoutMs } = this.#options;
    const late = new Error(`it did not say within ${timeoutMs} ms whether it is healthy`);
    if (this.#isAsked) return late;
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stopping.signal]);
    try {
      return (await settledWithin(clock, timeoutMs, this.#ask(signal))) ? null : late;
    } catch (error) {
      return error ?? new Error('it failed without saying why');
    } finally {
      over.abort(late);
    }
  }

  #ask(signal: AbortSignal): Promise<void> {
    this.#isAsked = true;
    const asked = (async () => {
      if ((await this.#options.check(signal)) === false) throw new Error('it says that it is not healthy');
    })();
    const answered = (): void => void (this.#isAsked = false);
    // Also when nobody waits for it any more.
    asked.then(answered, answered);
    return asked;
  }
}
