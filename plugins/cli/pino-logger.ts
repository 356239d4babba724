import { pino } from 'pino';
import { printableText, type Logger } from '../../core/runtime/index.js';
import { pinoLogger as bind } from '../pino/index.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Binds the house's logger to pino: JSON lines on standard error, written before the call returns. What JSON does not escape, such as
 * C1 and bidirectional characters, is escaped too.
 */
export function pinoLogger(level: LogLevel): Logger {
  const standardError = pino.destination({ dest: 2, sync: true });
  const destination = { write: (line: string) => standardError.write(printableText(line)) };
  return bind(
    pino({ level, base: { pid: process.pid }, serializers: { error: pino.stdSerializers.err } }, destination),
  );
}
