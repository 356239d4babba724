/** Ports to the world — clock, random, logger — with their system versions; the base of all errors; a queue; who waits for a signal. */
export type { Clock, Timer } from './clock.js';
export { SystemClock } from './system-clock.js';
export type { Random } from './random.js';
export { SystemRandom } from './system-random.js';
export { SeededRandom } from './seeded-random.js';
export type { Logger, LogFields } from './logger.js';
export { silentLogger } from './logger.js';
export { warningLogger } from './warning-logger.js';
export { limitedLogger } from './limited-logger.js';
export { Fifo } from './fifo.js';
export { JsonTextError, parseJson } from './json-text.js';
export { printableLine, printableText } from './printable-text.js';
export { expectManyListeners, onAbort } from './abort-listeners.js';
export { describeValue, InvalidArgumentError } from './argument-error.js';
export { atCaller, atCallerWithCauses } from './at-caller.js';
export { didYouMean, nearNames, whatThereIs } from './near-names.js';
export {
  checkNestedOptions,
  checkOptions,
  describeOptionProblem,
  SIGNAL_OPTION,
  type OptionNames,
} from './option-names.js';
export { withoutCredentials } from './without-credentials.js';
export { QuorateError, type ErrorFields } from './quorate-error.js';
