/** Facts that an error carries beside its message. */
export type ErrorFields = Readonly<Record<string, unknown>>;

/**
 * The base of every error that Quorate throws at its users. `code` is stable and is what programs should
 * test; `message` says what was being done, to what, and what to do next; `fields` carries the facts.
 */
export class QuorateError extends Error {
  readonly code: string;
  readonly fields: ErrorFields;

  constructor(code: string, message: string, options: { fields?: ErrorFields; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.fields = options.fields ?? {};
  }
}
