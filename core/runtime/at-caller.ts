import { QuorateError } from './quorate-error.js';
import { removeOwnFramesOfCauses } from './own-frames.js';

/**
 * Lets the stack of a `QuorateError` begin at whoever called `call`. The message says it all; what Node prints of an error that nobody
 * catches begins with the source at the top of the stack, which would be a line of this package. Other errors stay as they are.
 */
export function atCaller(error: unknown, call: (...parameters: never[]) => unknown): unknown {
  const { captureStackTrace } = Error as { captureStackTrace?: (error: Error, above: unknown) => void };
  if (error instanceof QuorateError) captureStackTrace?.(error, call);
  return error;
}

/** The same for calls at the start of a program, whose errors often end it: the causes lose the frames of this package too. */
export function atCallerWithCauses(error: unknown, call: (...parameters: never[]) => unknown): unknown {
  removeOwnFramesOfCauses(error);
  return atCaller(error, call);
}
