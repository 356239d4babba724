import type { Job } from './job.js';

/** The job is completed with what the handler returns and failed with what it throws, unless the handler settled it itself. */
export type JobHandler<Data> = (job: Job<Data>) => unknown;

export interface ConsumeOptions {
  /** Jobs in hand at once; 1 by default. */
  readonly concurrency?: number | undefined;
  /** Aborting it begins the drain. */
  readonly signal?: AbortSignal | undefined;
  /** How long jobs in hand may go on once the drain began; then their signals abort and they go back to the queue. 10 000 by default. */
  readonly drainDeadlineMs?: number | undefined;
  /** Attempts after the first before a job becomes a dead letter; 5 by default. */
  readonly retries?: number | undefined;
  /** Delay before attempt `attempt + 1`. By default doubling from 1 s up to 5 min, with jitter. */
  readonly backoffMs?: ((attempt: number) => number) | undefined;
  /** Written to the consumer's znode; a random UUID by default. */
  readonly id?: string | undefined;
}

export declare class QueueConsumer<Data = unknown> implements AsyncDisposable {
  readonly id: string;
  get state(): 'consuming' | 'draining' | 'closed';
  /** Jobs in hand now. */
  get inHand(): ReadonlyMap<string, Job<Data>>;
  /** Resolves when closed, after the drain. */
  readonly closed: Promise<void>;
  /** Takes no more jobs; waits for those in hand, at most until the deadline. Idempotent: a second call may only shorten the deadline. */
  drain(options?: { readonly deadlineMs?: number | undefined }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
