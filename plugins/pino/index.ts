/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/** `quorate/plugins/pino`: the logger of an application, or of a member, written by pino. */
import type { Logger as PinoLogger } from 'pino';
import type { LogFields, Logger } from '../../core/runtime/index.js';

/**
 * A logger for `logger` of `Application.start` and of members, which writes with a pino logger made elsewhere: its level,
 * serializers, redaction and destination stay as they are. Errors are in the field `error`; give it pino's serializer:
 * `pino({ serializers: { error: pino.stdSerializers.err } })`.
 */
export function pinoLogger(logger: PinoLogger): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields: LogFields) => pinoLogger(logger.child(fields)),
  };
}
