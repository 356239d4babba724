import type { Clock, Logger } from '../../core/runtime/index.js';
import { settledBefore, settledWithin } from './waiting.js';

/** What even a late step is given. */
const LEAST_MS = 100;

type Undo = (deadline: AbortSignal) => Promise<void>;

/** What was started, to be stopped in the reverse order. What fails or hangs is logged and holds up nothing else. */
export class UndoStack {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #steps: { readonly subject: string; readonly undo: Undo }[] = [];

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** `undo` is given the deadline of the whole stop. */
  push(subject: string, undo: Undo): void {
    this.#steps.push({ subject, undo });
  }

  /**
   * The steps may take until `deadline` aborts, and `graceMs` beyond, all together: those that only have to give
   * something back still can. What comes after that is begun, and hardly waited for.
   */
  async unwind(deadline: AbortSignal, graceMs: number): Promise<void> {
    let graceEnd = Infinity;
    const startGrace = (): void => void (graceEnd = this.#clock.now() + graceMs);
    if (deadline.aborted) startGrace();
    else deadline.addEventListener('abort', startGrace, { once: true });
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const { subject, undo } = step;
      try {
        const work = undo(deadline);
        const isDone =
          (await settledBefore(deadline, work)) ||
          (await settledWithin(this.#clock, Math.max(LEAST_MS, graceEnd - this.#clock.now()), work));
        if (!isDone) this.#logger.warn('not stopped in time, going on without it', { subject });
      } catch (error) {
        this.#logger.error('could not be stopped in order', { subject, error });
      }
    }
    deadline.removeEventListener('abort', startGrace);
  }
}
