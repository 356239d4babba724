import type { Client } from '../../client/index.js';
import type { DeadLetter, JobCodec, QueueCounts } from './job.js';
import type { ConsumeOptions, JobHandler, QueueConsumer } from './queue-consumer.js';

export interface WorkQueueOptions<Data> {
  /** Parent of all queues; `/queues` by default. */
  readonly root?: string | undefined;
  readonly codec?: JobCodec<Data> | undefined;
  /** Jobs and dead letters together; 10 000 by default. */
  readonly maxJobs?: number | undefined;
  /** Of one job's encoded data, and of one result; 256 KiB by default. */
  readonly maxJobBytes?: number | undefined;
  /** How long a result is kept; one hour by default. */
  readonly resultTtlMs?: number | undefined;
}

export declare class WorkQueue<Data = unknown> {
  readonly name: string;
  readonly path: string;
  /** Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options?: WorkQueueOptions<Data>);
  /** Adds a job, exactly once also if the reply is lost; returns its id. Rejects with `QueueFullError`, `JobTooLargeError`, or `OutcomeUnknownError` if the session was lost before the outcome could be learnt. */
  enqueue(data: Data, options?: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  /** Starts a consumer. The caller drains it. */
  consume(handler: JobHandler<Data>, options?: ConsumeOptions): QueueConsumer<Data>;
  /** Waits for the result of a job; undefined if it completed without one. Rejects with `JobDeadError`. */
  result(id: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<unknown>;
  counts(options?: { readonly signal?: AbortSignal | undefined }): Promise<QueueCounts>;
  /** Ids, oldest first. */
  deadLetters(options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly string[]>;
  deadLetter(
    id: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<DeadLetter<Data> | null>;
  /** Puts a dead letter back into the queue with all its attempts before it, or rejects with `NoNodeError`. Returns the new id. */
  revive(id: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  removeDeadLetter(id: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}
