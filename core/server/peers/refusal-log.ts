import type { Clock, LogFields, Logger } from '../../runtime/index.js';

/** The same refusal is logged again after this time, and then after twice as long each time. */
const FIRST_REPEAT_MS = 60_000;
const LONGEST_REPEAT_MS = 3_600_000;
/** Anybody may connect; beyond this many senders all are logged anew. */
const MOST_KNOWN = 1_000;

interface Noted {
  readonly what: string;
  readonly at: number;
  readonly repeatMs: number;
}

/** Attempts are repeated for as long as they fail: the log has a failure when it is new, and seldom as long as it lasts; each attempt at debug level. */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #last = new Map<string, Noted>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** `whom`: failures of others are logged apart. The port of a connection changes with each attempt, so it makes no failure a new one. */
  note(whom: string, message: string, fields: LogFields): void {
    const now = this.#clock.now();
    const { problem } = fields;
    const what = typeof problem === 'string' ? `${message} ${withoutPorts(problem)}` : message;
    const last = this.#last.get(whom);
    const isSame = last?.what === what;
    if (isSame && now - last.at < last.repeatMs) return this.#logger.debug(message, fields);
    if (this.#last.size >= MOST_KNOWN) this.#last.clear();
    const repeatMs = isSame ? Math.min(2 * last.repeatMs, LONGEST_REPEAT_MS) : FIRST_REPEAT_MS;
    this.#last.set(whom, { what, at: now, repeatMs });
    this.#logger.warn(message, fields);
  }

  /** It has worked: the next failure is new. */
  forget(whom: string): void {
    this.#last.delete(whom);
  }
}

function withoutPorts(problem: string): string {
  return problem.replaceAll(/:\d+\b/g, '');
}
