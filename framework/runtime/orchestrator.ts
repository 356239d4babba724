import { ServiceRegistry } from '../../core/recipes/index.js';
import type { Container } from '../container.js';
import type { ConfigStore } from '../config/config-store.js';
import type { LastKnownGood } from '../config/last-known-good.js';
import type { Plan } from '../plan.js';
import type { Queues } from '../queues.js';
import { ConfigFamily } from './config-family.js';
import type { HealthMonitor } from './health-monitor.js';
import { LeaderRunner } from './leader-runner.js';
import type { Runner, RunnerContext } from './runner.js';
import { ShardRunner } from './shard-runner.js';
import { ServiceRunner } from './service-runner.js';
import type { UndoStack } from './undo-stack.js';
import { WorkerRunner } from './worker-runner.js';

export interface OrchestratorParts {
  readonly plan: Plan;
  readonly context: RunnerContext;
  readonly container: Container;
  readonly undo: UndoStack;
  readonly queues: Queues;
  readonly store: ConfigStore;
  readonly known: LastKnownGood | undefined;
  readonly health: HealthMonitor;
  /** False: there is no server yet; what needs one starts by itself when there is. */
  readonly isOnline: boolean;
}

/**
 * Starts the runners of a plan in order — configuration, services, their registration, workers and leader jobs —
 * and leaves on the undo stack how each is stopped. A failure leaves the stack with what had been started until
 * then.
 */
export async function startRunners(parts: OrchestratorParts): Promise<void> {
  await loadConfigs(parts);
  const { container, plan } = parts;
  const services = await startServices(parts);
  // Built before anything is registered or runs: a class that cannot be built fails the start, not a job.
  const jobs = [...plan.leaderJobs, ...plan.shards, ...plan.workers].map(({ target }) =>
    container.get(target),
  );
  await registerServices(services, parts);
  await startWork(jobs, parts);
}

async function loadConfigs({
  plan,
  context,
  container,
  undo,
  health,
  isOnline,
  ...rest
}: OrchestratorParts): Promise<void> {
  const family = new ConfigFamily(plan.configs, context, rest);
  for (const { name } of family.runners) health.watch('configuration', name, family);
  undo.push('configuration', () => family.close());
  for (const [index, runner] of family.runners.entries())
    container.provide(plan.configs[index]!.target, runner.live.instance);
  await family.load({ isOnline });
}

async function startServices({
  plan,
  context,
  container,
  undo,
  health,
}: OrchestratorParts): Promise<ServiceRunner[]> {
  const registry = new ServiceRegistry(context.client);
  undo.push('the registry of services', () => registry.close());
  const runners: ServiceRunner[] = [];
  for (const planned of plan.services) {
    const runner = new ServiceRunner(planned, container.get(planned.target), context, registry);
    health.watch('services', planned.options.name, runner);
    undo.push(runner.subject, () => runner.stopInstance());
    await runner.startInstance();
    runners.push(runner);
  }
  return runners;
}

async function registerServices(
  runners: readonly ServiceRunner[],
  { undo, isOnline }: OrchestratorParts,
): Promise<void> {
  undo.push('registrations', async () => {
    await Promise.all(runners.map((runner) => runner.unregister()));
  });
  await Promise.all(runners.map((runner) => runner.register({ isOnline })));
}

async function startWork(
  instances: readonly object[],
  { plan, context, undo, queues, health }: OrchestratorParts,
): Promise<void> {
  const rest = [...instances];
  const leaders = plan.leaderJobs.map((planned) => new LeaderRunner(planned, rest.shift()!, context));
  const shards = plan.shards.map((planned) => new ShardRunner(planned, rest.shift()!, context));
  const workers = plan.workers.map(
    (planned) => new WorkerRunner(planned, rest.shift()!, context, queues.of(planned.queue)),
  );
  for (const [index, { name }] of plan.leaderJobs.entries())
    health.watch('leader jobs', name, leaders[index]!);
  for (const [index, { name }] of plan.shards.entries()) health.watch('shards', name, shards[index]!);
  for (const [index, { queue }] of plan.workers.entries()) health.watch('workers', queue, workers[index]!);
  const runners: readonly Runner[] = [...leaders, ...shards, ...workers];
  undo.push('leaderships and claims', async () => {
    await Promise.all(runners.map((runner) => runner.close()));
  });
  // All at once: the deadline is one for all.
  undo.push('work in hand', async (deadline) => {
    await Promise.all(runners.map((runner) => runner.drain(deadline)));
  });
  for (const runner of runners) await runner.start();
}
