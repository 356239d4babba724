import { QuorateError } from './quorate-error.js';

/**
 * Lets the stack of a `QuorateError` begin at whoever called `call`. The message says it all; what Node prints of an error that nobody
 * catches begins with the source at the top of the stack, which would be a line of this package. Other errors stay as they are.
 */
export function atCaller(error: unknown, call: (...parameters: never[]) => unknown): unknown {
  const { captureStackTrace } = Error as { captureStackTrace?: (error: Error, above: unknown) => void };
  if (error instanceof QuorateError) captureStackTrace?.(error, call);
  return error;
}
