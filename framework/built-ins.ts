import type { Client as SessionClient } from '../core/client/index.js';
import type { Hold } from '../core/recipes/index.js';
import type { Logger as LoggerPort } from '../core/runtime/index.js';
import { ConfigStore } from './config/config-store.js';
import type { Container, Token } from './container.js';
import { LeaderJobs } from './leader-jobs.js';
import { Locks } from './locks.js';
import type { Plan } from './plan.js';
import { Queues } from './queues.js';
import { Services, type ServicesOptions } from './services.js';
import { Client, Logger } from './tokens.js';

/** What can be injected in every application. */
export const BUILT_IN: readonly Token[] = [Client, Logger, LeaderJobs, Locks, Queues, Services, ConfigStore];

/** The instances behind `BUILT_IN` that the application itself uses too. */
export interface BuiltIns {
  readonly locks: Locks;
  readonly queues: Queues;
  readonly services: Services;
  readonly store: ConfigStore;
  readonly jobs: LeaderJobs;
}

/** Makes the parts of an application that work with its client. `onHeld` is called with every lock that is acquired. */
export function makeBuiltIns(
  client: SessionClient,
  {
    id,
    plan,
    onHeld,
    services = {},
  }: {
    id: string;
    plan: Plan;
    onHeld: (name: string, hold: Hold) => void;
    services?: ServicesOptions | undefined;
  },
): BuiltIns {
  const validators = new Map(plan.workers.map(({ queue, validate }) => [queue, validate]));
  return {
    locks: new Locks(client, id, onHeld),
    queues: new Queues(client, validators),
    services: new Services(client, { allow: services.allow }),
    store: new ConfigStore(client),
    jobs: new LeaderJobs(
      client,
      plan.leaderJobs.map(({ name }) => name),
    ),
  };
}

export function provideBuiltIns(
  container: Container,
  client: SessionClient,
  { logger, builtIns }: { readonly logger: LoggerPort; readonly builtIns: BuiltIns },
): void {
  container.provide(Client, client);
  container.provide(Logger, logger);
  container.provide(LeaderJobs, builtIns.jobs);
  container.provide(Locks, builtIns.locks);
  container.provide(Queues, builtIns.queues);
  container.provide(Services, builtIns.services);
  container.provide(ConfigStore, builtIns.store);
}
