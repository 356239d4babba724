import { InvalidArgumentError } from '../core/runtime/index.js';
import type { ApplicationOptions } from './application-options.js';
import { DeclarationError } from './declaration-error.js';
import { checkApplicationOptionNames } from './option-names.js';

const LOGGER_METHODS = ['debug', 'info', 'warn', 'error', 'child'] as const;
const LISTS = ['use', 'provide'] as const;
const DURATIONS = ['sessionTimeoutMs', 'connectTimeoutMs', 'loopBlockedMs'] as const;

/** @throws InvalidArgumentError for the first option of an unknown name or of the wrong type. Only types can keep a program from it. */
export function checkApplicationOptions(options: ApplicationOptions): void {
  const refuse = (argument: string, expected: string, given: unknown): never => {
    throw new InvalidArgumentError('Application.start', argument, expected, given);
  };
  const given: unknown = options;
  if (!isObject(given)) return refuse('the argument', 'an object with connect and declare', given);
  checkApplicationOptionNames(options);
  const { connect, declare, id, drainDeadlineMs, lastKnownGood, logger, hooks, health } = given;
  if (connect === undefined || connect === null) {
    const expected =
      "a connect string such as 'embedded:' or 'ws://host:7300' (is the environment variable set that it comes from?)";
    return refuse('connect', expected, connect);
  }
  if (!Array.isArray(declare)) refuse('declare', 'an array of decorated classes and modules', declare);
  for (const name of LISTS)
    if (given[name] !== undefined && !Array.isArray(given[name])) refuse(name, 'an array', given[name]);
  for (const name of DURATIONS)
    if (given[name] !== undefined && !isAbove0(given[name]))
      refuse(name, 'a number of milliseconds above 0', given[name]);
  if (drainDeadlineMs !== undefined && !(drainDeadlineMs === 0 || isAbove0(drainDeadlineMs)))
    refuse('drainDeadlineMs', 'a number of milliseconds from 0', drainDeadlineMs);
  for (const [name, value] of Object.entries({ id, lastKnownGood: directoryOf(lastKnownGood) }))
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      refuse(name, 'a text that is not empty', value);
  for (const [name, value] of Object.entries({ hooks, health }))
    if (value !== undefined && !isObject(value)) refuse(name, 'an object', value);
  for (const [name, value] of Object.entries(isObject(hooks) ? hooks : {}))
    if (value !== undefined && typeof value !== 'function') refuse(`hooks.${name}`, 'a function', value);
  const isLogger = isObject(logger) && LOGGER_METHODS.every((name) => typeof logger[name] === 'function');
  if (logger !== undefined && !isLogger)
    refuse('logger', `an object with the methods ${LOGGER_METHODS.join(', ')}`, logger);
}

/** @throws DeclarationError when two plugins have the same name. */
export function checkPluginNames(names: readonly string[]): void {
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length === 0) return;
  throw new DeclarationError(
    twice.map((name) => ({
      className: name,
      problem: 'is in use twice',
      remedy: 'use each plugin once, or give each a name of its own',
    })),
  );
}

/** The path, which options may hold as well. */
function directoryOf(lastKnownGood: unknown): unknown {
  return isObject(lastKnownGood) ? (lastKnownGood['directory'] ?? null) : lastKnownGood;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbove0(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}
