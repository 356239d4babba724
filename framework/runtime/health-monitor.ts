import type { EventHub, ApplicationState } from '../events.js';
import type { ApplicationHealth, HealthCheck, HealthContribution } from '../health.js';
import type { Plan } from '../plan.js';

/** What is declared, by what it is. */
type Kind = 'configuration' | 'services' | 'leader jobs' | 'shards' | 'workers';

/** What a runner says of itself. */
interface Watched {
  readonly impediment: string | null;
}

const NOT_STARTED: Watched = { impediment: 'is not started yet' };

/** What the health of an application is made of: its state, its connection, what its runners say, and what plugins add. */
export class HealthMonitor {
  readonly #contributions: HealthContribution[] = [];
  readonly #watched: Readonly<Record<Kind, Map<string, Watched>>>;
  #connection = 'connecting';

  constructor(plan: Plan, events: EventHub) {
    const named = (names: readonly string[]): Map<string, Watched> =>
      new Map(names.map((name) => [name, NOT_STARTED]));
    this.#watched = {
      configuration: named(plan.configs.map(({ name }) => name)),
      services: named(plan.services.map(({ options }) => options.name)),
      'leader jobs': named(plan.leaderJobs.map(({ name }) => name)),
      shards: named(plan.shards.map(({ name }) => name)),
      workers: named(plan.workers.map(({ queue }) => queue)),
    };
    events.on('connection', ({ state }) => (this.#connection = state));
  }

  /** From now on the runner says how this declaration is; until then it is not started. */
  watch(kind: Kind, name: string, runner: Watched): void {
    this.#watched[kind].set(name, runner);
  }

  add(contribution: HealthContribution): void {
    this.#contributions.push(contribution);
  }

  /** Rejects never. */
  async health(state: ApplicationState): Promise<ApplicationHealth> {
    const checks: HealthCheck[] = [
      { name: 'state', isHealthy: state === 'running', detail: state },
      { name: 'connection', isHealthy: this.#connection === 'connected', detail: this.#connection },
      ...Object.entries(this.#watched).map(([kind, runners]) => summary(kind, runners)),
      ...(await Promise.all(this.#contributions.map(contributed))),
    ];
    return {
      isLive: state !== 'failed' && state !== 'stopped',
      isReady: checks.every(({ isHealthy }) => isHealthy),
      checks,
    };
  }
}

function summary(name: string, runners: ReadonlyMap<string, Watched>): HealthCheck {
  const problems = [...runners].flatMap(([declared, { impediment }]) =>
    impediment === null ? [] : [`${declared} ${impediment}`],
  );
  return problems.length === 0
    ? { name, isHealthy: true }
    : { name, isHealthy: false, detail: problems.join('; ') };
}

async function contributed({ name, check }: HealthContribution): Promise<HealthCheck> {
  try {
    return { name, isHealthy: await check() };
  } catch (error) {
    return { name, isHealthy: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
