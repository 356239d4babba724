/** Coordination primitives over the client's public door. */
export type { AcquireOptions, Hold, Lock, TryAcquireOptions } from './contention/hold.js';
export { FairLock, type LockOptions } from './locks/fair-lock.js';
export { ReadWriteLock } from './locks/read-write-lock.js';
export { Semaphore, type SemaphoreOptions } from './locks/semaphore.js';
export { MultiLock, type MultiHold } from './locks/multi-lock.js';
export { multiFenced, writeFenced } from './locks/fenced-write.js';
export type { LockExplanation, LockHolder, LockKind, LockParticipant } from './locks/explanation.js';
export { TryLock, type LockOwner, type TryLockOptions } from './locks/try-lock.js';
export {
  LeaderLatch,
  type LatchParticipant,
  type LeaderLatchOptions,
  type RecipeState,
} from './leader/leader-latch.js';
export { LeaderSelector, type LeaderSelectorOptions } from './leader/leader-selector.js';
export {
  RunLedger,
  type ClaimedRun,
  type Due,
  type KeptRun,
  type RunLedgerOptions,
} from './schedule/run-ledger.js';
export { describeFailure, type RunKind, type RunOutcome, type RunRecord } from './schedule/run-record.js';
export {
  GroupMembership,
  type GroupMember,
  type GroupMembershipOptions,
  type MembershipEvent,
} from './membership/group-membership.js';
export { divideShards } from './shards/shard-division.js';
export { ShardAssignment, type OwnedShard, type ShardAssignmentOptions } from './shards/shard-assignment.js';
export { Barrier, type BarrierOptions, type BarrierWait } from './barriers/barrier.js';
export { DoubleBarrier, type DoubleBarrierOptions } from './barriers/double-barrier.js';
export { Counter, type CounterOptions } from './shared/counter.js';
export {
  SharedValue,
  type SharedValueOptions,
  type ValueCodec,
  type Versioned,
} from './shared/shared-value.js';
export { KeptNode, type KeptNodeOptions } from './nodes/kept-node.js';
export { NodeCache } from './cache/node-cache.js';
export { TreeCache, type TreeCacheOptions } from './cache/tree-cache.js';
export type { CacheEvent, NodeStat, NodeValue } from './cache/node-value.js';
export type { NewServiceInstance, ServiceInstance, UriSpec } from './discovery/service-instance.js';
export { ServiceDirectory, type DirectoryEvent } from './discovery/service-directory.js';
export { ServiceRegistry, type ServiceRegistration } from './discovery/service-registry.js';
export { QUEUE_OPTIONS, WorkQueue, type EnqueueOptions, type WorkQueueOptions } from './queue/work-queue.js';
export { QueueConsumer } from './queue/queue-consumer.js';
export {
  RATE_LIMIT_OPTIONS,
  type ConsumeOptions,
  type JobHandler,
  type RateLimit,
} from './queue/consume-options.js';
export { batchHandler, type JobBatchHandler, type JobBatchOptions } from './queue/job-batches.js';
export { JobDraft, type JobOptions } from './queue/job-draft.js';
export type { QueueEvent } from './queue/queue-events.js';
export type { DeadLetter, Job, JobCodec, JobStatus, QueueCounts } from './queue/job.js';
export {
  AcquireTimeoutError,
  CacheOverflowError,
  ClaimLostError,
  DrainDeadlineError,
  EnqueueBacklogError,
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
  JobNotEncodableError,
  JobDeadError,
  JobSettledError,
  JobTooLargeError,
  LayoutConflictError,
  QueueFullError,
  RecipeStateError,
  ShardMovedError,
} from './errors.js';
