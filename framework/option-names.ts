/**
 * The names of the options that programs without types can misspell. An option of another name would have no effect, and
 * nobody would notice.
 */
import { RATE_LIMIT_OPTIONS } from '../core/recipes/index.js';
import {
  checkNestedOptions,
  checkOptions,
  describeOptionProblem,
  didYouMean,
  nearNames,
  type OptionNames,
} from '../core/runtime/index.js';
import type { ApplicationHooks, ApplicationOptions } from './application-options.js';
import type { LastKnownGoodOptions } from './config/last-known-good.js';
import { DECORATOR_NAMES, type Declaration, type DeclarationKind } from './declarations.js';
import type { DeclarationProblem } from './declaration-error.js';
import type { ConfigOptions } from './decorators/config.js';
import type { LeaderOnlyOptions } from './decorators/leader-only.js';
import type { ServiceOptions } from './decorators/service.js';
import type { ShardedOptions } from './decorators/sharded.js';
import type { BatchOptions, IsolatedOptions, WorkerOptions } from './decorators/worker.js';
import type { LockedOptions } from './decorators/locked.js';
import type { HealthEndpointOptions } from './runtime/health-endpoint.js';
import type { ServicesOptions } from './services.js';

const APPLICATION: OptionNames<ApplicationOptions> = {
  connect: true,
  declare: true,
  tls: true,
  auth: true,
  acl: true,
  use: true,
  provide: true,
  id: true,
  sessionTimeoutMs: true,
  connectTimeoutMs: true,
  drainDeadlineMs: true,
  lastKnownGood: true,
  services: true,
  environment: true,
  health: true,
  loopBlockedMs: true,
  handleSignals: true,
  hooks: true,
  logger: true,
  clock: true,
  random: true,
};

const CONFIG: OptionNames<ConfigOptions> = { name: true, schema: true, file: true, env: true };

const SERVICE: OptionNames<ServiceOptions> = {
  name: true,
  port: true,
  address: true,
  payload: true,
  zone: true,
  weight: true,
  health: true,
};

const LEADER_ONLY: OptionNames<LeaderOnlyOptions> = {
  name: true,
  every: true,
  cron: true,
  timezone: true,
  missed: true,
  overlap: true,
  history: true,
};

const SHARDED: OptionNames<ShardedOptions> = { name: true, shards: true, rejoinMs: true };

const WORKER: OptionNames<WorkerOptions> = {
  queue: true,
  schema: true,
  concurrency: true,
  fleetConcurrency: true,
  rateLimit: true,
  groupRateLimit: true,
  retries: true,
  backoffMs: true,
  batch: true,
  isolated: true,
};

const DECLARATIONS: Readonly<Record<DeclarationKind, Readonly<Record<string, true>>>> = {
  config: CONFIG,
  service: SERVICE,
  'leader-only': LEADER_ONLY,
  sharded: SHARDED,
  worker: WORKER,
};

/** Options that are objects of options themselves. */
const HOOKS: OptionNames<ApplicationHooks> = {
  event: true,
  connected: true,
  started: true,
  draining: true,
  stopped: true,
};
const HEALTH_ENDPOINT: OptionNames<HealthEndpointOptions> = { port: true, host: true };
const SERVICES: OptionNames<ServicesOptions> = { allow: true };
const LAST_KNOWN_GOOD: OptionNames<LastKnownGoodOptions> = { directory: true, secrets: true };
const HEALTH: OptionNames<NonNullable<ServiceOptions['health']>> = {
  every: true,
  timeout: true,
  failures: true,
};
const BATCH: OptionNames<BatchOptions> = { size: true, lingerMs: true };
const ISOLATED: OptionNames<IsolatedOptions> = {
  module: true,
  threads: true,
  exportName: true,
  graceMs: true,
  maxMemoryMb: true,
};
const LOCKED: OptionNames<LockedOptions> = { wait: true, mode: true, permits: true };

const NESTED: Readonly<Partial<Record<DeclarationKind, Readonly<Record<string, Known>>>>> = {
  service: { health: HEALTH },
  'leader-only': { missed: { all: true } },
  worker: {
    rateLimit: RATE_LIMIT_OPTIONS,
    groupRateLimit: RATE_LIMIT_OPTIONS,
    batch: BATCH,
    isolated: ISOLATED,
  },
};

type Known = Readonly<Record<string, true>>;
type Problem = Omit<DeclarationProblem, 'className'>;

/** @throws InvalidArgumentError for options of `Application.start` that have no known name, those within options included; `tls` and `auth` are the client's. */
export function checkApplicationOptionNames(options: ApplicationOptions): void {
  const call = 'Application.start';
  checkOptions(call, options, APPLICATION);
  const { hooks, health, services, lastKnownGood } = options;
  checkNestedOptions(call, 'hooks', hooks, HOOKS);
  checkNestedOptions(call, 'health', health, HEALTH_ENDPOINT);
  checkNestedOptions(call, 'services', services, SERVICES);
  if (typeof lastKnownGood === 'object')
    checkNestedOptions(call, 'lastKnownGood', lastKnownGood, LAST_KNOWN_GOOD);
}

/** One problem for each option of a decorator that has no known name, and one for options that are no object. */
export function unknownDecoratorOptions(declaration: Declaration): readonly Problem[] {
  const { kind } = declaration;
  const decorator = DECORATOR_NAMES[kind];
  const options: unknown = declaration.options;
  if (!isObject(options))
    return [
      { problem: `gives ${decorator} no object with options`, remedy: `use ${listOf(DECLARATIONS[kind])}` },
    ];
  return [
    ...unknownOptions(options, DECLARATIONS[kind], decorator),
    ...Object.entries(NESTED[kind] ?? {}).flatMap(([option, known]) =>
      nestedProblems(options[option], { option, known, decorator }),
    ),
  ];
}

/** The same for the options of `@Locked` on a member. */
export function unknownLockedOptions(member: string, options: unknown): readonly Problem[] {
  const problem = describeOptionProblem(options as LockedOptions, LOCKED);
  return problem === null ? [] : [{ member, problem: `@Locked: ${problem}`, remedy: 'correct it' }];
}

/** An option with a shape of its own, such as `missed: 'once'`, is not looked into. */
function nestedProblems(
  value: unknown,
  {
    option,
    known,
    decorator,
  }: { readonly option: string; readonly known: Known; readonly decorator: string },
): readonly Problem[] {
  if (value === undefined || typeof value === 'string') return [];
  if (!isObject(value))
    return [{ member: option, problem: 'is no object with options', remedy: `use ${listOf(known)}` }];
  return unknownOptions(value, known, `${option} of ${decorator}`, `${option}.`);
}

/**
 * A name that resembles an option which is given too is left alone: a declaration that is to run with several versions may give both names of
 * one option, and no misspelling hides behind it.
 */
function unknownOptions(options: object, known: Known, of: string, prefix = ''): readonly Problem[] {
  const names = Object.keys(known);
  const isGivenToo = (name: string): boolean =>
    nearNames(name, names).some((near) => Object.hasOwn(options, near));
  return Object.keys(options)
    .filter((name) => !Object.hasOwn(known, name) && !isGivenToo(name))
    .map((name) => ({
      member: `${prefix}${name}`,
      problem: `is no option of ${of}${didYouMean(name, names)}`,
      remedy: `use ${listOf(known)}`,
    }));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(names: Known): string {
  return Object.keys(names).join(', ');
}
