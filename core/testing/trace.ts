import type { Clock, LogFields, Logger } from '../runtime/index.js';

/** What happened, in readable lines: virtual time, who, what. */
export class Trace {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;

  /** `write` gets each line as it comes. */
  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  note(who: string, what: string): void {
    this.#write(`${(this.#clock.now() / 1000).toFixed(4).padStart(10)} ${who.padEnd(4)} ${what}`);
  }

  /** A logger whose lines stand in the trace. */
  logger(who: string): Logger {
    const log = (message: string, fields?: LogFields): void => this.note(who, message + describe(fields));
    const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
    return logger;
  }
}

function describe(fields: LogFields | undefined): string {
  if (fields === undefined) return '';
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${show(value)}`)
    .join('');
}

function show(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(`${value.message}${causeOf(value)}`);
  if (typeof value === 'bigint') return `0x${BigInt.asUintN(64, value).toString(16)}`;
  return typeof value === 'object'
    ? JSON.stringify(value, (_, part: unknown) => plain(part))
    : `${value as string | number}`;
}

function plain(value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === 'bigint' ? String(value) : value;
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? ` (${cause.message}${causeOf(cause)})` : '';
}
