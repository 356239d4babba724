import type { Clock, Logger } from '../runtime/index.js';

const INTERVAL_MS = 10_000;

/** Warnings that strangers can cause: at most one of each kind in ten seconds, with how many there have been. */
export class LimitedLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #kinds = new Map<string, { count: number; lastAt: number }>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** `kind` is the message, one of a fixed set; `fields` belong to the occurrence that is logged. */
  warn(kind: string, fields: Readonly<Record<string, unknown>>): void {
    const now = this.#clock.now();
    const known = this.#kinds.get(kind) ?? { count: 0, lastAt: Number.NEGATIVE_INFINITY };
    this.#kinds.set(kind, known);
    known.count += 1;
    if (now - known.lastAt < INTERVAL_MS) return;
    known.lastAt = now;
    this.#logger.warn(kind, { ...fields, count: known.count });
  }
}
