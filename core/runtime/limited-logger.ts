import type { Clock } from './clock.js';
import type { LogFields, Logger } from './logger.js';

/** Lines of one kind that are written in one interval; those above are counted. */
const MOST_LINES = { info: 100, warn: 20, error: 20 } as const;
/** Length of an interval (ms). It begins with the first line of a kind. */
const INTERVAL_MS = 10_000;
/** Characters of one text in a line. */
const MOST_CHARACTERS = 1_000;
/** Items of one list, and fields of one object, in a line. */
const MOST_ITEMS = 100;
/** How deeply lists and objects in a line are shown. */
const MOST_LEVELS = 4;

type Level = keyof typeof MOST_LINES;

interface Kind {
  count: number;
  leftOut: number;
}

/**
 * A logger whose lines cannot be multiplied or lengthened by whoever causes them: of each kind, which is level and message, a number of
 * lines is written in ten seconds, and then one line with how many were left out (`leftOut`). Long texts and lists are cut. Lines for
 * debugging pass as they are.
 */
export function limitedLogger(logger: Logger, clock: Clock): Logger {
  return limited(logger, new Limits(clock, logger));
}

function limited(logger: Logger, limits: Limits): Logger {
  const write = (level: Level, message: string, fields: LogFields = {}): void => {
    if (limits.admits(level, message)) logger[level](message, cut(fields) as LogFields);
  };
  return {
    debug: (message, fields) => logger.debug(message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    child: (fields) => limited(logger.child(cut(fields) as LogFields), limits),
  };
}

/** Counts the lines of each kind. */
class Limits {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Those whose interval has not ended: messages are constants, so there are few. */
  readonly #kinds = new Map<string, Kind>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  admits(level: Level, message: string): boolean {
    const key = `${level} ${message}`;
    const known = this.#kinds.get(key);
    if (known === undefined) {
      this.#kinds.set(key, { count: 1, leftOut: 0 });
      this.#clock.setTimer(INTERVAL_MS, () => this.#end(key, level, message));
      return true;
    }
    known.count += 1;
    if (known.count <= MOST_LINES[level]) return true;
    known.leftOut += 1;
    return false;
  }

  #end(key: string, level: Level, message: string): void {
    const leftOut = this.#kinds.get(key)?.leftOut ?? 0;
    this.#kinds.delete(key);
    if (leftOut > 0) this.#logger[level](message, { leftOut, inMs: INTERVAL_MS });
  }
}

function cut(value: unknown, level = 0): unknown {
  if (typeof value === 'string') return cutText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return cutError(value);
  if (level === MOST_LEVELS) return Array.isArray(value) ? 'a list' : 'an object';
  if (Array.isArray(value)) {
    const items: unknown[] = value.slice(0, MOST_ITEMS).map((item) => cut(item, level + 1));
    return value.length > MOST_ITEMS ? [...items, `… ${value.length - MOST_ITEMS} more`] : items;
  }
  // What a class made has a form of its own in a log line.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const entries = Object.entries(value).slice(0, MOST_ITEMS);
  return Object.fromEntries(entries.map(([key, item]) => [cutText(key), cut(item, level + 1)]));
}

function cutText(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}… (${text.length - MOST_CHARACTERS} more characters)`;
}

/** The same error, or one like it with a shorter message. */
function cutError(error: Error): Error {
  if (error.message.length <= MOST_CHARACTERS) return error;
  const message = cutText(error.message);
  const shorter = Object.create(Object.getPrototypeOf(error) as object) as Error;
  return Object.assign(shorter, {
    name: error.name,
    message,
    stack: `${error.name}: ${message}\n${stackLinesOf(error)}`,
    ...('code' in error ? { code: error.code } : {}),
  });
}

function stackLinesOf({ stack = '', message }: Error): string {
  const at = stack.indexOf(message);
  return stack.slice(at === -1 ? 0 : at + message.length + 1, 4 * MOST_CHARACTERS + message.length);
}
