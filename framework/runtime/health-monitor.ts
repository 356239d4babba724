import type { EventHub, ApplicationState } from '../events.js';
import type { ApplicationHealth, HealthCheck, HealthContribution } from '../health.js';
import type { Plan } from '../plan.js';

/** What the health of an application is made of: its state, its connection, its services, and what plugins add. */
export class HealthMonitor {
  readonly #contributions: HealthContribution[] = [];
  readonly #unconfigured: Set<string>;
  readonly #unregistered: Set<string>;
  #connection = 'connecting';

  constructor(plan: Plan, events: EventHub) {
    this.#unconfigured = new Set(plan.configs.map(({ name }) => name));
    this.#unregistered = new Set(plan.services.map(({ options }) => options.name));
    events.on('connection', ({ state }) => (this.#connection = state));
    events.on('config-loaded', ({ name }) => this.#unconfigured.delete(name));
    events.on('service-registered', ({ name }) => this.#unregistered.delete(name));
    events.on('service-healthy', ({ name }) => this.#unregistered.delete(name));
    events.on('service-unhealthy', ({ name }) => this.#unregistered.add(name));
    events.on('service-unregistered', ({ name }) => this.#unregistered.add(name));
  }

  add(contribution: HealthContribution): void {
    this.#contributions.push(contribution);
  }

  /** Rejects never. */
  async health(state: ApplicationState): Promise<ApplicationHealth> {
    const checks: HealthCheck[] = [
      { name: 'state', isHealthy: state === 'running', detail: state },
      { name: 'connection', isHealthy: this.#connection === 'connected', detail: this.#connection },
      missing('configuration', this.#unconfigured),
      missing('services', this.#unregistered),
      ...(await Promise.all(this.#contributions.map(contributed))),
    ];
    return {
      isLive: state !== 'failed' && state !== 'stopped',
      isReady: checks.every(({ isHealthy }) => isHealthy),
      checks,
    };
  }
}

function missing(name: string, names: ReadonlySet<string>): HealthCheck {
  if (names.size === 0) return { name, isHealthy: true };
  return { name, isHealthy: false, detail: `missing: ${[...names].join(', ')}` };
}

async function contributed({ name, check }: HealthContribution): Promise<HealthCheck> {
  try {
    return { name, isHealthy: await check() };
  } catch (error) {
    return { name, isHealthy: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
