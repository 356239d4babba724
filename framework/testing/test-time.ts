import { checkOptions, QuorateError, type OptionNames } from '../../core/runtime/index.js';
import type { VirtualClock } from '../../core/testing/index.js';
import { Pacer } from './pacer.js';

/** How often a condition is asked that answers by a promise, in virtual time. */
const POLL_MS = 10;

export interface WaitOptions {
  /** Virtual time that it may take. */
  readonly maxMs?: number | undefined;
  /** Names in the failure what was waited for. Left out: the text of the condition. */
  readonly what?: string | undefined;
}

const WAIT_OPTIONS: OptionNames<WaitOptions> = { maxMs: true, what: true };

/**
 * What a test waited for did not come in the virtual time that it had. The message says what was waited for, how
 * members and applications are, and what is pending.
 */
export class TestTimeoutError extends QuorateError {}

/** The verbs that move the time of a fleet. Time stands still between them. */
export class TestTime {
  readonly #clock: VirtualClock;
  readonly #pacer: Pacer;
  readonly #patienceMs: number;
  readonly #situation: () => readonly string[];

  constructor(
    clock: VirtualClock,
    options: { readonly patienceMs: number; readonly situation: () => readonly string[] },
  ) {
    this.#clock = clock;
    this.#pacer = new Pacer(clock);
    this.#patienceMs = options.patienceMs;
    this.#situation = options.situation;
  }

  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`time cannot be advanced by ${ms} ms`);
    await this.#pacer.move(() => false, ms);
  }

  /** Moves time until the condition holds: asked at every standstill, or every 10 ms if it answers by a promise. */
  async until(condition: () => boolean | Promise<boolean>, options: WaitOptions = {}): Promise<void> {
    checkOptions('until', options, WAIT_OPTIONS);
    const { maxMs = this.#patienceMs, what = String(condition) } = options;
    const deadline = this.#clock.now() + maxMs;
    const left = (): number => deadline - this.#clock.now();
    for (;;) {
      let answer: boolean | Promise<boolean> = false;
      const hasAnswered = await this.#pacer.move(() => (answer = condition()) !== false, left());
      if (!hasAnswered) throw this.#timeout(what, maxMs);
      if (await this.wait(Promise.resolve<boolean>(answer), { maxMs: left(), what })) return;
      if (left() <= 0) throw this.#timeout(what, maxMs);
      await this.advance(Math.min(POLL_MS, left()));
    }
  }

  /** Moves time until the promise settles, and settles likewise. */
  async wait<T>(promise: Promise<T>, options: WaitOptions = {}): Promise<T> {
    checkOptions('wait', options, WAIT_OPTIONS);
    const { maxMs = this.#patienceMs, what = 'a promise' } = options;
    let isSettled = false;
    const note = (): void => void (isSettled = true);
    promise.then(note, note);
    if (!(await this.#pacer.move(() => isSettled, maxMs))) throw this.#timeout(what, maxMs);
    return promise;
  }

  #timeout(what: string, maxMs: number): TestTimeoutError {
    const lines = [
      `waited ${maxMs} ms of virtual time in vain for ${what}`,
      ...this.#situation(),
      `pending: ${this.#clock.describePending()}`,
    ];
    return new TestTimeoutError('TEST_TIMEOUT', lines.join('\n'), { fields: { what, maxMs } });
  }
}
