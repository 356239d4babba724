/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Applications: decorators, lifecycle, configuration, services, leader jobs, queues; and the coordination
 * primitives that they are made of.
 */
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
  type MissedRuns,
  type Occurrence,
  type OverlappingRuns,
} from './decorators/leader-only.js';
export { Locked, type LockedOptions } from './decorators/locked.js';
export { Sharded, type ShardedOptions, type ShardedTask } from './decorators/sharded.js';
export {
  Worker,
  type BatchOptions,
  type BatchWorker,
  type IsolatedOptions,
  type QueueWorker,
  type WorkerOptions,
} from './decorators/worker.js';
export { schema, schemaOf, type Schema } from './schema.js';
export { defineQueue, type QueueReference } from './queue-reference.js';
export type { Constructor } from './constructor.js';
export { DeclarationError, type DeclarationProblem } from './declaration-error.js';
export { inject, token, InjectionError, type NamedToken, type Token } from './container.js';
export type { ApplicationEvent, ApplicationEventType, ApplicationState, EventOf } from './events.js';
export { Application } from './application.js';
export type { LastKnownGoodOptions } from './config/last-known-good.js';
export {
  provide,
  type ApplicationHooks,
  type ApplicationOptions,
  type Provision,
} from './application-options.js';
export { module, type Declared, type Module, type ModuleOptions } from './module.js';
export type { Plugin, PluginContext } from './plugin.js';
export type { ApplicationHealth, HealthCheck, HealthContribution } from './health.js';
export type { HealthEndpointOptions } from './runtime/health-endpoint.js';
export { diagnosticsChannel, type DiagnosticsMessage } from './diagnostics.js';
export { connect, type ConnectTarget, type Engine } from './engine.js';
export { Client, Logger } from './tokens.js';
export { LeaderJobs, LeaderJobUnknownError } from './leader-jobs.js';
export { Locks, type RunLockedOptions } from './locks.js';
export { currentHold } from './held-locks.js';
export { JobInvalidError, Queue, Queues } from './queues.js';
export {
  IsolatedHandler,
  IsolationError,
  type IsolatedJob,
  type IsolatedHandlerOptions,
} from './isolation/isolated-handler.js';
export { Services, type ServicesOptions } from './services.js';
export type { PickOptions, SearchOptions } from './service-options.js';
export type { ServiceRequest } from './service-call.js';
export type { FetchService } from './service-redirects.js';
export {
  ServiceCallError,
  ServiceDeadlineError,
  ServiceNotCallableError,
  ServiceUnavailableError,
} from './service-errors.js';
export {
  leastLoaded,
  nearestZone,
  random,
  roundRobin,
  sticky,
  weighted,
  type Choice,
  type Strategy,
} from './service-strategies.js';
export {
  ConfigStore,
  type ConfigHistoryEntry,
  type ConfigRules,
  type StoredConfig,
} from './config/config-store.js';
export {
  ConfigRefusedError,
  ConfigRevisionError,
  ConfigUnknownError,
  ConfigRulesError,
  ConfigUnreadableError,
} from './config/config-errors.js';
export { ConfigLayerError, type LayerOptions } from './config/layers.js';
export type { AppliedConfig } from './config/applied-config.js';
export type { Difference } from './config/difference.js';
export { redact, redactDifference } from './config/secrets.js';
export { onReload } from './config/live-config.js';
export {
  InvalidArgumentError,
  QuorateError,
  silentLogger,
  warningLogger,
  type Clock,
  type LogFields,
  type Random,
} from '../core/runtime/index.js';
export { CREATOR_ACL } from '../core/client/index.js';
export type {
  AuthInfo,
  ConnectOptions,
  ConnectionState,
  DefaultAcl,
  Session,
  TlsOptions,
  TlsSource,
} from '../core/client/index.js';
export {
  AcquireTimeoutError,
  Barrier,
  CacheOverflowError,
  ClaimLostError,
  Counter,
  DoubleBarrier,
  DrainDeadlineError,
  EnqueueBacklogError,
  FairLock,
  GroupMembership,
  HoldLostError,
  HoldMismatchError,
  HoldReleasedError,
  InvalidInstanceError,
  InvalidJobOptionsError,
  InvalidLockSetError,
  InvalidNameError,
  InvalidPartiesError,
  InvalidPermitsError,
  InvalidShardsError,
  JobCancelledError,
  JobDeadError,
  JobDraft,
  JobNotEncodableError,
  JobSettledError,
  JobTooLargeError,
  KeptNode,
  LayoutConflictError,
  LeaderLatch,
  LeaderSelector,
  multiFenced,
  MultiLock,
  NodeCache,
  QueueConsumer,
  QueueFullError,
  ReadWriteLock,
  RecipeStateError,
  RunLedger,
  Semaphore,
  ServiceDirectory,
  ServiceRegistry,
  ShardAssignment,
  ShardMovedError,
  SharedValue,
  TreeCache,
  TryLock,
  WorkQueue,
  writeFenced,
  type AcquireOptions,
  type BarrierOptions,
  type BarrierWait,
  type CacheEvent,
  type ClaimedRun,
  type ConsumeOptions,
  type CounterOptions,
  type DeadLetter,
  type DirectoryEvent,
  type DoubleBarrierOptions,
  type Due,
  type EnqueueOptions,
  type GroupMember,
  type GroupMembershipOptions,
  type Hold,
  type Job,
  type JobBatchHandler,
  type JobBatchOptions,
  type JobCodec,
  type JobHandler,
  type JobOptions,
  type JobStatus,
  type KeptNodeOptions,
  type KeptRun,
  type LatchParticipant,
  type LeaderLatchOptions,
  type LeaderSelectorOptions,
  type Lock,
  type LockExplanation,
  type LockHolder,
  type LockKind,
  type LockOptions,
  type LockOwner,
  type LockParticipant,
  type MembershipEvent,
  type MultiHold,
  type NewServiceInstance,
  type NodeStat,
  type NodeValue,
  type OwnedShard,
  type QueueCounts,
  type QueueEvent,
  type RateLimit,
  type RecipeState,
  type RunKind,
  type RunLedgerOptions,
  type RunOutcome,
  type RunRecord,
  type SemaphoreOptions,
  type ServiceInstance,
  type ServiceRegistration,
  type ShardAssignmentOptions,
  type SharedValueOptions,
  type TreeCacheOptions,
  type TryAcquireOptions,
  type TryLockOptions,
  type UriSpec,
  type ValueCodec,
  type Versioned,
  type WorkQueueOptions,
} from '../core/recipes/index.js';
