/** Applications: decorators, lifecycle, configuration, services, leader jobs, queues. */
export { Config, type ConfigOptions } from './decorators/config.js';
export {
  Service,
  type FromInstance,
  type ServiceLifecycle,
  type ServiceOptions,
} from './decorators/service.js';
export {
  LeaderOnly,
  type Duration,
  type LeaderContext,
  type LeaderJob,
  type LeaderOnlyOptions,
  type Occurrence,
} from './decorators/leader-only.js';
export { Locked, type LockedOptions } from './decorators/locked.js';
export { Worker, type JobHandler, type WorkerOptions } from './decorators/worker.js';
export { schema, type Schema } from './schema.js';
export { defineQueue, type QueueReference } from './queue-reference.js';
export type { Constructor } from './constructor.js';
export { DeclarationError, type DeclarationProblem } from './declaration-error.js';
export { inject, token, InjectionError, type NamedToken, type Token } from './container.js';
export type { ApplicationEvent, ApplicationEventType, ApplicationState, EventOf } from './events.js';
export { Application } from './application.js';
export {
  provide,
  type ApplicationHooks,
  type ApplicationOptions,
  type Provision,
} from './application-options.js';
export { connect, type ConnectTarget, type Engine } from './engine.js';
export { Client, Logger } from './tokens.js';
export { Locks } from './locks.js';
export { currentHold } from './runtime/lock-interceptor.js';
export { JobInvalidError, Queue, Queues } from './queues.js';
export { Services, ServiceUnavailableError, type SearchOptions } from './services.js';
export {
  ConfigStore,
  type ConfigHistoryEntry,
  type ConfigRules,
  type StoredConfig,
} from './config/config-store.js';
export { ConfigRefusedError, ConfigUnknownError } from './config/config-errors.js';
export { onReload } from './config/live-config.js';
export * from '../core/recipes/index.js';
