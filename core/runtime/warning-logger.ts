import type { LogFields, Logger } from './logger.js';
import { stackWithoutOwnFrames } from './own-frames.js';
import { printableLine } from './printable-text.js';
import { QuorateError } from './quorate-error.js';

/** Nested objects and long texts are cut: a line is for reading. */
const LONGEST_VALUE = 300;

/**
 * The default logger: writes warnings and errors to standard error (in a browser to the console), one readable line each,
 * and drops the rest. An error that is no `QuorateError`, such as one that a handler of the user threw, is followed by its
 * stack, without the frames of this package below the user's. It writes with `console.warn` and `console.error`, so that a test runner can take the lines.
 */
export const warningLogger: Logger = withFields({});

function withFields(inherited: LogFields): Logger {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (message, fields = {}) =>
      console.warn(lineOf('warning', message, { ...fields, ...inherited, ...fields })),
    error: (message, fields = {}) =>
      console.error(lineOf('error', message, { ...fields, ...inherited, ...fields })),
    child: (fields) => withFields({ ...inherited, ...fields }),
  };
}

/** `[quorate] warning: The job failed queue=mails attempt=1`, and below it the stack of a foreign error. */
function lineOf(level: string, message: string, fields: LogFields): string {
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${textOf(value)}`);
  const stacks = Object.values(fields).flatMap((value) => stackOf(value) ?? []);
  return [`[quorate] ${level}: ${message}${facts.join('')}`, ...stacks].join('\n');
}

function textOf(value: unknown): string {
  const text = value instanceof Error ? errorText(value) : plainText(value);
  const short = text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
  // Messages may hold data of others, and terminals obey control characters.
  return printableLine(/^[^\s"=]+$/.test(short) ? short : JSON.stringify(short));
}

function errorText(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? `${code}: ${error.message}` : `${error.name}: ${error.message}`;
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner));
  } catch {
    // It contains itself, for one.
    return 'an object';
  }
}

/** Undefined for errors whose message says it all: those of Quorate, and those of the operating system. */
function stackOf(value: unknown): string | undefined {
  if (!(value instanceof Error) || value instanceof QuorateError || 'syscall' in value) return undefined;
  if (value.stack === undefined) return undefined;
  const lines = stackWithoutOwnFrames(value.stack)
    .split('\n')
    .map((line) => `    ${printableLine(line.trim())}`);
  const cause = stackOf(value.cause);
  return [...lines, ...(cause === undefined ? [] : ['    caused by:', cause])].join('\n');
}
