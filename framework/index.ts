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
