/** Facts beside a log line. Values must be plain; `error` is printed with its message, code and stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured logging, as a port. The message is a constant sentence; everything that varies is a field.
 * The command line binds it to pino; a library user may bind it to anything with these four methods.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** Drops every line. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
