import { QuorateError } from './quorate-error.js';

/** A call with an argument of the wrong type or outside its range; nothing was done. Code `INVALID_ARGUMENT`. */
export class InvalidArgumentError extends QuorateError {
  /**
   * `call` is what was called, such as `Locks.run`; `expected` continues "must be", such as `a function`; `given` is the value,
   * of which the message shows texts, numbers and the kind of everything else; `hint` ends the message.
   */
  constructor(call: string, argument: string, expected: string, given: unknown, hint = '') {
    super(
      'INVALID_ARGUMENT',
      `${call}: ${argument} must be ${expected}, not ${describeValue(given)}${hint}`,
      {
        fields: { call, argument },
      },
    );
  }
}

/** What a value is, in a few words: `undefined`, `"text"`, `5`, `an array`, `an object`. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
