import type { Clock } from '../../core/runtime/index.js';
import type { EventHub, ApplicationState } from '../events.js';
import type { ApplicationHealth, HealthCheck, HealthContribution } from '../health.js';
import type { Plan } from '../plan.js';
import { settledWithin } from './waiting.js';

/** What is declared, by what it is. */
type Kind = 'configuration' | 'services' | 'leader jobs' | 'shards' | 'workers';

/** What a runner says of itself. */
interface Watched {
  readonly impediment: string | null;
}

/** Whoever asks an application how it is, such as a load balancer, does not wait for long himself. */
const LONGEST_CHECK_MS = 2000;

const NOT_STARTED: Watched = { impediment: 'is not started yet' };

/** What the health of an application is made of: its state, its connection, what its runners say, and what plugins add. */
export class HealthMonitor {
  readonly #contributions: HealthContribution[] = [];
  /** Those that were asked and have not answered yet. */
  readonly #asked = new Map<HealthContribution, Promise<HealthCheck>>();
  readonly #clock: Clock;
  readonly #watched: Readonly<Record<Kind, Map<string, Watched>>>;
  #connection = 'connecting';

  constructor(plan: Plan, events: EventHub, clock: Clock) {
    this.#clock = clock;
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

  /** Resolves within `LONGEST_CHECK_MS`; rejects never. */
  async health(state: ApplicationState): Promise<ApplicationHealth> {
    const checks: HealthCheck[] = [
      { name: 'state', isHealthy: state === 'running', detail: state },
      { name: 'connection', isHealthy: this.#connection === 'connected', detail: this.#connection },
      ...Object.entries(this.#watched).map(([kind, runners]) => summary(kind, runners)),
      ...(await Promise.all(this.#contributions.map((one) => this.#contributed(one)))),
    ];
    return {
      isLive: state !== 'failed' && state !== 'stopped',
      isReady: checks.every(({ isHealthy }) => isHealthy),
      checks,
    };
  }

  /** One that has not answered yet is not asked again: the questions would pile up. */
  async #contributed(contribution: HealthContribution): Promise<HealthCheck> {
    const asked = this.#asked.get(contribution) ?? this.#ask(contribution);
    let answer: HealthCheck = {
      name: contribution.name,
      isHealthy: false,
      detail: `does not say within ${LONGEST_CHECK_MS} ms how it is`,
    };
    await settledWithin(
      this.#clock,
      LONGEST_CHECK_MS,
      asked.then((given) => (answer = given)),
    );
    return answer;
  }

  #ask(contribution: HealthContribution): Promise<HealthCheck> {
    const asked = checked(contribution).finally(() => this.#asked.delete(contribution));
    this.#asked.set(contribution, asked);
    return asked;
  }
}

async function checked({ name, check }: HealthContribution): Promise<HealthCheck> {
  try {
    return { name, isHealthy: await check() };
  } catch (error) {
    return { name, isHealthy: false, detail: error instanceof Error ? error.message : String(error) };
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
