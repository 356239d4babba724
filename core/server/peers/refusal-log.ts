import type { Clock, LogFields, Logger } from '../../runtime/index.js';

/** The same refusal is told again after this time. */
const REPEAT_MS = 60_000;
/** Strangers may come from anywhere; beyond this many all are told anew. */
const MOST_KNOWN = 1_000;

/** Attempts are repeated for as long as they fail: the log tells of a failure when it is new, and now and then; of each at debug level. */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #last = new Map<string, { readonly what: string; readonly at: number }>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** `whom` tells apart those whose failures are told apart. */
  note(whom: string, message: string, fields: LogFields): void {
    const now = this.#clock.now();
    const what = `${message} ${typeof fields.problem === 'string' ? fields.problem : ''}`;
    const last = this.#last.get(whom);
    if (last?.what === what && now - last.at < REPEAT_MS) return this.#logger.debug(message, fields);
    if (this.#last.size >= MOST_KNOWN) this.#last.clear();
    this.#last.set(whom, { what, at: now });
    this.#logger.warn(message, fields);
  }

  /** It has worked: the next failure is new. */
  forget(whom: string): void {
    this.#last.delete(whom);
  }
}
