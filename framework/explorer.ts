import { classNameOf, type Constructor } from './constructor.js';
import { declarationsOf, DECORATOR_NAMES, type Declaration, type DeclarationKind } from './declarations.js';
import { DeclarationError, type DeclarationProblem } from './declaration-error.js';
import { configNameProblem } from './config/config-paths.js';
import { checkDependencies } from './dependencies.js';
import { checkLockedMembers } from './locked-members.js';
import type {
  Plan,
  PlannedConfig,
  PlannedHealth,
  PlannedLeaderJob,
  PlannedService,
  PlannedShards,
  PlannedWorker,
} from './plan.js';
import { unknownDecoratorOptions } from './option-names.js';
import { durationMs, scheduleOf } from './runtime/schedule.js';
import { compileSchema, type Schema, type Validator } from './schema.js';
import { isSegment } from './segment.js';
import type { Token } from './container.js';
import type { ConfigOptions } from './decorators/config.js';
import type { LeaderOnlyOptions } from './decorators/leader-only.js';
import type { ShardedOptions } from './decorators/sharded.js';
import type { ServiceOptions } from './decorators/service.js';
import type { WorkerOptions } from './decorators/worker.js';

/** As of a queue that is consumed without saying. */
const DEFAULT_RETRIES = 5;
/** Runs of a leader job that are kept for those who ask. */
const DEFAULT_HISTORY = 20;
/** As of `ShardAssignment`. */
const MOST_SHARDS = 4096;

type Report = (problem: Omit<DeclarationProblem, 'className'>) => void;

/**
 * Reads what the decorators recorded and makes of it what the runners need.
 * @param isProvided whether a token is there without being declared.
 * @param replaced classes whose instances the application was given: not built, and as configuration not loaded.
 * @throws DeclarationError with every misuse that was found.
 */
export function explore(
  declared: readonly Constructor[],
  isProvided: (token: Token) => boolean,
  replaced: ReadonlySet<Token> = new Set(),
): Plan {
  const explorer = new Explorer();
  for (const [index, target] of declared.entries()) explorer.read(target, index);
  checkDependencies(
    explorer.built.filter((target) => !replaced.has(target)),
    isProvided,
    new Set<Token>(explorer.plan.configs.map(({ target }) => target)),
    (problem) => explorer.problems.push(problem),
  );
  if (explorer.problems.length > 0) throw new DeclarationError(explorer.problems);
  const { plan } = explorer;
  return { ...plan, configs: plan.configs.filter(({ target }) => !replaced.has(target)) };
}

class Explorer {
  readonly problems: DeclarationProblem[] = [];
  /** Classes whose instances the container builds. */
  readonly built: Constructor[] = [];
  readonly plan = {
    configs: [] as PlannedConfig[],
    services: [] as PlannedService[],
    leaderJobs: [] as PlannedLeaderJob[],
    shards: [] as PlannedShards[],
    workers: [] as PlannedWorker[],
  };
  readonly #seen = new Set<unknown>();
  /** Who has a name already, by kind and name. */
  readonly #owners = new Map<string, string>();

  read(target: Constructor, index: number): void {
    const report = this.#reporter(target);
    if (typeof target !== 'function') {
      const remedy = 'list classes only; an undefined class is usually a circular import between two files';
      this.problems.push({
        className: `declare[${index}]`,
        problem: `is ${classNameOf(target)}, not a class`,
        remedy,
      });
      return;
    }
    if (this.#seen.has(target)) {
      report({ problem: 'is listed twice in declare', remedy: 'list it once' });
      return;
    }
    this.#seen.add(target);
    const declarations = declarationsOf(target);
    if (declarations.length === 0) {
      const remedy =
        'put @Config, @Service, @LeaderOnly, @Sharded or @Worker on it; a class that is only injected need not be declared';
      report({ problem: 'is in declare but not decorated', remedy });
    }
    this.#checkCombination(declarations, report);
    for (const declaration of declarations) {
      for (const problem of unknownDecoratorOptions(declaration)) report(problem);
      if (Object(declaration.options) === declaration.options) this.#plan(target, declaration, report);
    }
    checkLockedMembers(target, report);
    if (declarations.some(({ kind }) => kind !== 'config')) this.built.push(target);
  }

  #reporter(target: Constructor): Report {
    return (problem) => this.problems.push({ className: classNameOf(target), ...problem });
  }

  #checkCombination(declarations: readonly Declaration[], report: Report): void {
    const kinds = declarations.map(({ kind }) => kind);
    const twice = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
    if (twice !== undefined) {
      report({ problem: `has ${DECORATOR_NAMES[twice]} twice`, remedy: 'write a class for each' });
    } else if (kinds.length > 1 && kinds.includes('config')) {
      report({
        problem: 'has @Config and another declaration',
        remedy: 'keep configuration in a class of its own',
      });
    }
  }

  #plan(target: Constructor, declaration: Declaration, report: Report): void {
    switch (declaration.kind) {
      case 'config':
        return this.#planConfig(target, declaration.options, report);
      case 'service':
        return this.#planService(target, declaration.options, report);
      case 'leader-only':
        return this.#planLeaderJob(target, declaration.options, report);
      case 'sharded':
        return this.#planShards(target, declaration.options, report);
      case 'worker':
        return this.#planWorker(target, declaration.options, report);
    }
  }

  #planConfig(target: Constructor, { name, schema, file, env }: ConfigOptions, report: Report): void {
    const isClaimed = this.#claimName('config', name, target, report);
    const problem = isClaimed ? configNameProblem(name) : undefined;
    if (problem !== undefined)
      report({ member: 'name', problem: `'${name}' cannot be a name: ${problem}`, remedy: 'choose another' });
    if (target.length > 0)
      report({
        member: 'constructor',
        problem: 'takes parameters',
        remedy: 'give the fields their defaults instead',
      });
    const validate = this.#compile(schema, report);
    this.plan.configs.push({ target, name, schema, validate, layers: { file, env } });
  }

  #planService(target: Constructor, options: ServiceOptions, report: Report): void {
    this.#claimName('service', options.name, target, report);
    const { port } = options;
    if (typeof port === 'number' && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
      report({
        member: 'port',
        problem: `${port} is no port`,
        remedy: 'give a whole number from 0 to 65535',
      });
    for (const member of ['start', 'stop', 'healthy']) {
      const value = (target.prototype as Record<string, unknown>)[member];
      if (value !== undefined && typeof value !== 'function')
        report({
          member,
          problem: 'is not a method',
          remedy: 'the framework calls it: make it one, or rename it',
        });
    }
    this.plan.services.push({ target, options, health: this.#planHealth(options, report) });
  }

  #planHealth({ health = {} }: ServiceOptions, report: Report): PlannedHealth {
    const { every = '5s', timeout = '2s', failures = 3 } = health;
    try {
      if (!Number.isSafeInteger(failures) || failures < 1) throw new RangeError(`${failures} failures`);
      return { everyMs: durationMs(every), timeoutMs: durationMs(timeout), failures };
    } catch (error) {
      const remedy = "give durations such as '5s', and a whole number of failures of at least 1";
      report({ member: 'health', problem: `cannot be understood: ${messageOf(error)}`, remedy });
      return { everyMs: 0, timeoutMs: 0, failures: 0 };
    }
  }

  #planLeaderJob(target: Constructor, options: LeaderOnlyOptions, report: Report): void {
    this.#claimName('leader-only', options.name, target, report);
    this.#requireMethod(target, 'run', 'run({ signal, fence, occurrence })', report);
    const { every, cron, timezone, missed }: Readonly<Record<string, unknown>> = { ...options };
    if (every !== undefined && cron !== undefined) {
      report({ problem: '@LeaderOnly has every and cron together', remedy: 'keep one of them' });
      return;
    }
    if (timezone !== undefined && cron === undefined)
      report({
        member: 'timezone',
        problem: 'means nothing without cron',
        remedy: 'add cron or leave it out',
      });
    if (missed !== undefined && cron === undefined)
      report({ member: 'missed', problem: 'means nothing without cron', remedy: 'add cron or leave it out' });
    const { name, history = DEFAULT_HISTORY } = options;
    if (!Number.isSafeInteger(history) || history < 0)
      report({ member: 'history', problem: `${history} runs`, remedy: 'give a whole number of at least 0' });
    try {
      this.plan.leaderJobs.push({ target, name, schedule: scheduleOf(options), history });
    } catch (error) {
      const remedy =
        cron === undefined
          ? "give milliseconds, or a text such as '30s'"
          : "give five or six fields, such as '0 3 * * *', and an IANA time zone, such as 'Europe/Berlin'";
      const member = cron === undefined ? 'every' : 'cron';
      report({ member, problem: `cannot be understood: ${messageOf(error)}`, remedy });
    }
  }

  #planShards(target: Constructor, { name, shards, rejoinMs = 0 }: ShardedOptions, report: Report): void {
    this.#claimName('sharded', name, target, report);
    this.#requireMethod(target, 'run', 'run({ shard, signal, fence })', report);
    if (!Number.isSafeInteger(shards) || shards < 1 || shards > MOST_SHARDS)
      report({
        member: 'shards',
        problem: `${shards} cannot be`,
        remedy: `give a whole number from 1 to ${MOST_SHARDS}`,
      });
    if (!(rejoinMs >= 0 && rejoinMs < Infinity))
      report({ member: 'rejoinMs', problem: `${rejoinMs} cannot be`, remedy: 'give milliseconds from 0 up' });
    this.plan.shards.push({ target, name, shards, rejoinMs });
  }

  #planWorker(target: Constructor, options: WorkerOptions, report: Report): void {
    this.#checkHandler(target, options, report);
    const { queue: declared, concurrency = 1, retries = DEFAULT_RETRIES } = options;
    if (declared === undefined) {
      report({ member: 'queue', problem: 'is missing', remedy: 'name the queue: @Worker({ queue: … })' });
      return;
    }
    const { name: queue, schema: shared } =
      typeof declared === 'string' ? { name: declared, schema: undefined } : declared;
    this.#claimName('worker', queue, target, report);
    if (!(Number.isInteger(concurrency) && concurrency >= 1))
      report({
        member: 'concurrency',
        problem: `${concurrency} is too few`,
        remedy: 'give a whole number from 1',
      });
    if (!(Number.isInteger(retries) && retries >= 0))
      report({
        member: 'retries',
        problem: `${retries} makes no sense`,
        remedy: 'give a whole number from 0',
      });
    if (options.schema !== undefined && shared !== undefined && options.schema !== shared)
      report({
        member: 'schema',
        problem: 'differs from that of the queue',
        remedy: 'leave it to the queue',
      });
    this.#checkWorkerLimits(options, report);
    const schema = options.schema ?? shared;
    const { fleetConcurrency, rateLimit, groupRateLimit, backoffMs, batch, isolated } = options;
    this.plan.workers.push({
      target,
      queue,
      schema,
      validate: this.#compile(schema, report),
      concurrency,
      retries,
      batch,
      isolated,
      limits: { fleetConcurrency, rateLimit, groupRateLimit, backoffMs },
    });
  }

  /** The jobs are done by the class or by a module in threads, never by both. */
  #checkHandler(target: Constructor, { isolated, batch }: WorkerOptions, report: Report): void {
    if (isolated === undefined) return this.#requireMethod(target, 'handle', 'handle(job)', report);
    if ('handle' in (target.prototype as object))
      report({
        member: 'handle',
        problem: 'is never called, since the jobs are done in threads',
        remedy: 'move it into the module of isolated',
      });
    if (!(isolated.module instanceof URL || typeof isolated.module === 'string'))
      report({
        member: 'isolated.module',
        problem: 'is missing',
        remedy: "give one: new URL('./handler.js', import.meta.url)",
      });
    if (batch !== undefined)
      report({
        member: 'batch',
        problem: 'cannot be had with isolated',
        remedy: 'leave one of them out: a thread does one job at a time',
      });
  }

  #checkWorkerLimits(options: WorkerOptions, report: Report): void {
    const { fleetConcurrency, rateLimit, groupRateLimit, batch, isolated } = options;
    const wholes = {
      fleetConcurrency,
      'rateLimit.max': rateLimit?.max,
      'groupRateLimit.max': groupRateLimit?.max,
      'batch.size': batch?.size,
      'isolated.threads': isolated?.threads,
    };
    for (const [member, value] of Object.entries(wholes)) {
      if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
      report({ member, problem: `${value} is too few`, remedy: 'give a whole number from 1' });
    }
    const spans = { 'rateLimit.perMs': rateLimit?.perMs, 'groupRateLimit.perMs': groupRateLimit?.perMs };
    for (const [member, value] of Object.entries(spans)) {
      if (value === undefined || value > 0) continue;
      report({ member, problem: `${value} is no span of time`, remedy: 'give milliseconds above 0' });
    }
  }

  #claimName(kind: DeclarationKind, name: string, target: Constructor, report: Report): boolean {
    const member = kind === 'worker' ? 'queue' : 'name';
    if (typeof name !== 'string' || !isSegment(name)) {
      const remedy =
        'a name is one segment of a path: not empty, without / and control characters, not . or ..';
      report({ member, problem: `${JSON.stringify(name)} cannot be a name`, remedy });
      return false;
    }
    const key = `${kind} ${name}`;
    const owner = this.#owners.get(key);
    if (owner === undefined) {
      this.#owners.set(key, classNameOf(target));
      return true;
    }
    const problem = `${DECORATOR_NAMES[kind]} '${name}' is also declared by ${owner}`;
    report({ member, problem, remedy: 'give each a name of its own' });
    return false;
  }

  #requireMethod(target: Constructor, member: string, shape: string, report: Report): void {
    if (typeof (target.prototype as Record<string, unknown>)[member] !== 'function')
      report({ member, problem: 'is missing', remedy: `add a method ${shape}` });
  }

  #compile(schema: Schema | undefined, report: Report): Validator {
    if (schema === undefined) return () => [];
    try {
      return compileSchema(schema);
    } catch (error) {
      report({
        member: 'schema',
        problem: `is not a valid JSON Schema: ${messageOf(error)}`,
        remedy: 'correct it',
      });
      return () => [];
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
