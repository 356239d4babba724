import { describeValue, QuorateError } from '../runtime/index.js';

/** An `acquire` waited as long as it was told to. Code `ACQUIRE_TIMEOUT`. */
export class AcquireTimeoutError extends QuorateError {
  constructor(path: string, timeoutMs: number) {
    super(
      'ACQUIRE_TIMEOUT',
      `${path} was not acquired within ${timeoutMs} ms: another holds it. Wait longer, or do without.`,
      { fields: { path, timeoutMs } },
    );
  }
}

/** Why a hold's signal aborted: it was taken away. Code `HOLD_LOST`; `cause` says by what. */
export class HoldLostError extends QuorateError {
  constructor(path: string, why: string, cause?: unknown) {
    super('HOLD_LOST', `${path} is no longer held: ${why}. Stop what depends on it.`, {
      fields: { path },
      cause,
    });
  }
}

/** Why a hold's signal aborted: its own holder released it. Code `HOLD_RELEASED`. */
export class HoldReleasedError extends QuorateError {
  constructor(path: string) {
    super('HOLD_RELEASED', `${path} was released by its holder.`, { fields: { path } });
  }
}

/**
 * `within` named a hold of something else, or one that is over: nothing was acquired. Code `HOLD_MISMATCH`; `cause` says
 * how it ended.
 */
export class HoldMismatchError extends QuorateError {
  constructor(lock: string, held: string, cause?: unknown) {
    super(
      'HOLD_MISMATCH',
      cause === undefined
        ? `${held} is no hold of ${lock}: within takes a hold of the same lock.`
        : `${held} is not held any more, so ${lock} cannot be acquired within it. Acquire it anew.`,
      { fields: { lock, held }, cause },
    );
  }
}

/** A semaphore cannot have that many permits. Code `INVALID_PERMITS`. */
export class InvalidPermitsError extends QuorateError {
  constructor(path: string, permits: number) {
    super('INVALID_PERMITS', `${path} cannot have ${permits} permits: give a whole number of at least 1.`, {
      fields: { path, permits },
    });
  }
}

/** A barrier cannot have that many parties. Code `INVALID_PARTIES`. */
export class InvalidPartiesError extends QuorateError {
  constructor(path: string, parties: number) {
    super(
      'INVALID_PARTIES',
      `${path} cannot wait for ${parties} parties: give a whole number of at least 1.`,
      {
        fields: { path, parties },
      },
    );
  }
}

/** Locks that cannot be held together. Code `INVALID_LOCK_SET`. */
export class InvalidLockSetError extends QuorateError {
  constructor(problem: string) {
    super('INVALID_LOCK_SET', `These locks cannot be acquired as one: ${problem}.`, {});
  }
}

/** There cannot be so many shards, or their places cannot be kept for so long. Code `INVALID_SHARDS`. */
export class InvalidShardsError extends QuorateError {
  constructor(path: string, option: 'shards' | 'rejoinMs', value: number, remedy: string) {
    super('INVALID_SHARDS', `${option} of ${path} cannot be ${value}: give ${remedy}.`, {
      fields: { path, option, value },
    });
  }
}

/** Why the signal of a shard's task aborted: another member is to have the shard, and waits for the task to end. Code `SHARD_MOVED`. */
export class ShardMovedError extends QuorateError {
  /** `next` is null if this member is not among those that share any more. */
  constructor(path: string, shard: number, next: string | null) {
    super(
      'SHARD_MOVED',
      `Shard ${shard} of ${path} goes to another member. Finish what is in hand and return.`,
      { fields: { path, shard, next } },
    );
  }
}

/** A recipe was used out of its order: started twice, or used after `close`. Code `RECIPE_STATE`. */
export class RecipeStateError extends QuorateError {
  constructor(recipe: string, path: string, state: string, attempted: string) {
    super('RECIPE_STATE', `${recipe} ${path} is ${state}: ${attempted} is not possible. Make a new one.`, {
      fields: { recipe, path, state },
    });
  }
}

/** A name that cannot be (part of) a znode path. Code `INVALID_NAME`. */
export class InvalidNameError extends QuorateError {
  constructor(subject: string, name: unknown, problem: string) {
    super('INVALID_NAME', `${describeValue(name)} cannot be the name of a ${subject}: ${problem}.`, {
      fields: { subject, name },
    });
  }
}

/** The znode that a recipe wants to use is used for something else. Code `LAYOUT_CONFLICT`. */
export class LayoutConflictError extends QuorateError {
  constructor(path: string, problem: string, cause?: unknown) {
    super('LAYOUT_CONFLICT', `${path} ${problem}. Choose another name or remove that znode.`, {
      fields: { path },
      cause,
    });
  }
}

/** A cache was asked to hold more znodes than it may. Code `CACHE_OVERFLOW`. */
export class CacheOverflowError extends QuorateError {
  constructor(path: string, maxNodes: number) {
    super(
      'CACHE_OVERFLOW',
      `The cache of ${path} stopped: there are more than ${maxNodes} znodes. Raise maxNodes or cache a smaller subtree.`,
      { fields: { path, maxNodes } },
    );
  }
}

/** A service instance that cannot be registered. Code `INVALID_INSTANCE`. */
export class InvalidInstanceError extends QuorateError {
  constructor(name: string, problem: string) {
    super('INVALID_INSTANCE', `The instance of service ${JSON.stringify(name)} is not valid: ${problem}.`, {
      fields: { name },
    });
  }
}

/** The queue holds as much as it may. Nothing was added. Code `WORK_QUEUE_FULL`. */
export class QueueFullError extends QuorateError {
  constructor(
    queue: string,
    counts: { jobs: number; dead: number; maxJobs: number; bytes: number; maxBytes: number },
  ) {
    super(
      'WORK_QUEUE_FULL',
      `Queue ${queue} is full: ${counts.jobs} jobs and ${counts.dead} dead letters of at most ${counts.maxJobs}, with ` +
        `${counts.bytes} bytes of at most ${counts.maxBytes}. Nothing was added; let the workers catch up, or remove dead letters.`,
      { fields: { queue, ...counts } },
    );
  }
}

/** More jobs wait to be sent to the servers than may. Nothing was added. Code `ENQUEUE_BACKLOG`. */
export class EnqueueBacklogError extends QuorateError {
  constructor(queue: string, maxBacklog: number) {
    super(
      'ENQUEUE_BACKLOG',
      `${maxBacklog} jobs for queue ${queue} wait here to be added: the servers cannot be reached, or are slower than the ` +
        'jobs are made. Nothing was added; wait until earlier ones have been.',
      { fields: { queue, maxBacklog } },
    );
  }
}

/** A job cannot be as it was asked for. Nothing was added. Code `INVALID_JOB_OPTIONS`. */
export class InvalidJobOptionsError extends QuorateError {
  constructor(queue: string, problem: string) {
    super('INVALID_JOB_OPTIONS', `A job for queue ${queue} cannot be made: ${problem}.`, {
      fields: { queue },
    });
  }
}

/** The codec cannot encode the data of a job, such as an object that contains itself; nothing was added. Code `JOB_NOT_ENCODABLE`. */
export class JobNotEncodableError extends QuorateError {
  constructor(queue: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message.split('\n')[0]! : String(cause);
    super(
      'JOB_NOT_ENCODABLE',
      `A job for queue ${queue} cannot be made: its data cannot be encoded (${why}). ` +
        'Give data that JSON can hold, or a codec of your own.',
      { fields: { queue }, cause },
    );
  }
}

/**
 * Somebody cancelled the job, or removed it. Why its `signal` aborted, what its late completion gets, and whoever waits for
 * its result. Code `JOB_CANCELLED`.
 */
export class JobCancelledError extends QuorateError {
  constructor(job: string, reason?: string) {
    super('JOB_CANCELLED', `Job ${job} was cancelled${reason === undefined ? '' : `: ${reason}`}.`, {
      fields: { job, ...(reason === undefined ? {} : { reason }) },
    });
  }
}

/** A job or result is larger than the queue allows. Code `JOB_TOO_LARGE`. */
export class JobTooLargeError extends QuorateError {
  constructor(queue: string, what: string, bytes: number, maxBytes: number) {
    super(
      'JOB_TOO_LARGE',
      `The ${what} for queue ${queue} has ${bytes} bytes of at most ${maxBytes}. Store the data elsewhere and enqueue a reference.`,
      { fields: { queue, bytes, maxBytes } },
    );
  }
}

/** The job no longer belongs to this worker: it was, or may be, given to another. Nothing was changed. Code `CLAIM_LOST`. */
export class ClaimLostError extends QuorateError {
  constructor(job: string, why: string, cause?: unknown) {
    super('CLAIM_LOST', `The claim on job ${job} is lost: ${why}. Another worker does the job.`, {
      fields: { job },
      cause,
    });
  }
}

/** Why a job's signal aborted: its worker is done with it. Code `JOB_SETTLED`; `cause` of one that failed says why. */
export class JobSettledError extends QuorateError {
  readonly outcome: 'completed' | 'failed';
  /** Of one that failed: no other attempt will follow. */
  readonly isFinal: boolean;
  /** When another attempt may begin, in milliseconds since 1970; undefined if none follows, or nobody knows. */
  readonly retryAt: number | undefined;

  constructor(
    job: string,
    outcome: 'completed' | 'failed',
    facts: { readonly isFinal: boolean; readonly retryAt?: number; readonly cause?: unknown },
  ) {
    const { isFinal, retryAt, cause } = facts;
    super('JOB_SETTLED', `Job ${job} is settled by its worker: ${outcome}.`, {
      fields: { job, outcome, isFinal, ...(retryAt !== undefined && { retryAt }) },
      cause,
    });
    this.outcome = outcome;
    this.isFinal = isFinal;
    this.retryAt = retryAt;
  }
}

/** Why a job's signal aborted: its worker is shutting down and did not finish it in time. Code `DRAIN_DEADLINE`. */
export class DrainDeadlineError extends QuorateError {
  constructor(job: string, deadlineMs: number) {
    super(
      'DRAIN_DEADLINE',
      `Job ${job} was not finished within ${deadlineMs} ms of the drain; it goes back to the queue.`,
      { fields: { job, deadlineMs } },
    );
  }
}

/** A waiter for a job's result learned that the job failed for good. Code `JOB_DEAD`. */
export class JobDeadError extends QuorateError {
  constructor(job: string, failure: string) {
    super('JOB_DEAD', `Job ${job} is a dead letter: ${failure}`, { fields: { job, failure } });
  }
}
