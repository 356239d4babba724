import type { Clock, Logger } from '../../core/runtime/index.js';
import { settledWithin } from './waiting.js';

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

  /** Each step may take until `deadline` aborts, and `graceMs` beyond: a step that only has to give something back still can. */
  async unwind(deadline: AbortSignal, graceMs: number): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const { subject, undo } = step;
      try {
        if (!(await this.#finishes(undo(deadline), deadline, graceMs)))
          this.#logger.warn('not stopped in time, going on without it', { subject });
      } catch (error) {
        this.#logger.error('could not be stopped in order', { subject, error });
      }
    }
  }

  async #finishes(work: Promise<void>, deadline: AbortSignal, graceMs: number): Promise<boolean> {
    let stop: () => void = () => undefined;
    const isDue = new Promise<void>((resolve) => {
      stop = resolve;
      if (deadline.aborted) resolve();
      else deadline.addEventListener('abort', () => resolve(), { once: true });
    });
    const settled = work.finally(stop);
    await Promise.race([isDue, settled]);
    return settledWithin(this.#clock, graceMs, settled);
  }
}
