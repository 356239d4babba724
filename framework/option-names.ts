/**
 * The names of the options that programs without types can misspell. An option of another name would have no effect, and
 * nobody would notice.
 */
import type { ApplicationOptions } from './application-options.js';
import { DECORATOR_NAMES, type Declaration, type DeclarationKind } from './declarations.js';
import type { DeclarationProblem } from './declaration-error.js';
import type { ConfigOptions } from './decorators/config.js';
import type { LeaderOnlyOptions } from './decorators/leader-only.js';
import type { ServiceOptions } from './decorators/service.js';
import type { ShardedOptions } from './decorators/sharded.js';
import type { WorkerOptions } from './decorators/worker.js';

/** Names every option once: the compiler refuses a list with one too many or too few. */
type Names<Options> = Readonly<Record<keyof Options, true>>;

const APPLICATION: Names<ApplicationOptions> = {
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

const CONFIG: Names<ConfigOptions> = { name: true, schema: true, file: true, env: true };

const SERVICE: Names<ServiceOptions> = {
  name: true,
  port: true,
  address: true,
  payload: true,
  zone: true,
  weight: true,
  health: true,
};

const LEADER_ONLY: Names<LeaderOnlyOptions> = {
  name: true,
  every: true,
  cron: true,
  timezone: true,
  missed: true,
  overlap: true,
  history: true,
};

const SHARDED: Names<ShardedOptions> = { name: true, shards: true, rejoinMs: true };

const WORKER: Names<WorkerOptions> = {
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

/** The first option of `Application.start` that has no known name, and the known ones. */
export function unknownApplicationOption(
  options: object,
): { readonly name: string; readonly known: string } | undefined {
  const [name] = unknownNames(options, APPLICATION);
  return name === undefined ? undefined : { name, known: listOf(APPLICATION) };
}

/** One problem for each option of a decorator that has no known name, and one for options that are no object. */
export function unknownDecoratorOptions(
  declaration: Declaration,
): readonly Omit<DeclarationProblem, 'className'>[] {
  const { kind } = declaration;
  const known = DECLARATIONS[kind];
  const decorator = DECORATOR_NAMES[kind];
  const options: unknown = declaration.options;
  const remedy = `use ${listOf(known)}`;
  if (typeof options !== 'object' || options === null)
    return [{ problem: `gives ${decorator} no object with options`, remedy }];
  return unknownNames(options, known).map((member) => ({
    member,
    problem: `is no option of ${decorator}`,
    remedy,
  }));
}

function unknownNames(options: object, known: Readonly<Record<string, true>>): readonly string[] {
  return Object.keys(options).filter((name) => !Object.hasOwn(known, name));
}

function listOf(names: Readonly<Record<string, true>>): string {
  return Object.keys(names).join(', ');
}
