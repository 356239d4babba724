import type { Client as SessionClient } from '../core/client/index.js';
import type { Logger as LoggerPort } from '../core/runtime/index.js';
import { token } from './container.js';

/** The session client of the application. */
export type Client = SessionClient;
export const Client = token<SessionClient>('Client');

/** The application's logger; each line carries the name of the application. */
export type Logger = LoggerPort;
export const Logger = token<LoggerPort>('Logger');
