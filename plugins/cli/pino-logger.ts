import { pino, type Logger as PinoLogger } from 'pino';
import type { LogFields, Logger } from '../../core/runtime/index.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Binds the house's logger to pino: JSON lines on standard error, written before the call returns. */
export function pinoLogger(level: LogLevel): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  return bind(
    pino({ level, base: { pid: process.pid }, serializers: { error: pino.stdSerializers.err } }, destination),
  );
}

function bind(logger: PinoLogger): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields: LogFields) => bind(logger.child(fields)),
  };
}
