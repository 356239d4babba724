import type { Client } from '../../client/index.js';
import { checkNestedOptions, checkOptions, type OptionNames } from '../../runtime/index.js';
import type { Job, JobCodec } from './job.js';
import type { JobResults } from './job-results.js';
import type { QueueLayout } from './queue-layout.js';
import type { TransactionBatch } from './transaction-batch.js';

/** The job is completed with what the handler returns and failed with what it throws, unless the handler settled it itself. */
export type JobHandler<Data> = (job: Job<Data>) => unknown;

/** At most `max` jobs begun in any span of `perMs` milliseconds. */
export interface RateLimit {
  readonly max: number;
  readonly perMs: number;
}

export interface ConsumeOptions {
  /** Jobs in hand at once; 1 by default. */
  readonly concurrency?: number | undefined;
  /** Jobs in hand at once in the whole fleet; no limit by default. All consumers of the queue should say the same. */
  readonly fleetConcurrency?: number | undefined;
  /** Jobs that the whole fleet begins, by the clocks of the consumers; no limit by default. All consumers should say the same. */
  readonly rateLimit?: RateLimit | undefined;
  /** The same for each group of jobs by itself; jobs without a group are not limited by it. */
  readonly groupRateLimit?: RateLimit | undefined;
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

export const RATE_LIMIT_OPTIONS: OptionNames<RateLimit> = { max: true, perMs: true };

export const CONSUME_OPTIONS: OptionNames<ConsumeOptions> = {
  concurrency: true,
  fleetConcurrency: true,
  rateLimit: true,
  groupRateLimit: true,
  signal: true,
  drainDeadlineMs: true,
  retries: true,
  backoffMs: true,
  id: true,
};

/** @throws InvalidArgumentError for an option of an unknown name, also in a rate limit. */
export function checkConsumeOptions(call: string, options: ConsumeOptions): void {
  checkOptions(call, options, CONSUME_OPTIONS);
  checkNestedOptions(call, 'rateLimit', options.rateLimit, RATE_LIMIT_OPTIONS);
  checkNestedOptions(call, 'groupRateLimit', options.groupRateLimit, RATE_LIMIT_OPTIONS);
}

/** The queue, as its consumers see it. */
export interface ConsumedQueue<Data> {
  readonly client: Client;
  readonly name: string;
  readonly layout: QueueLayout;
  readonly codec: JobCodec<Data>;
  readonly maxJobBytes: number;
  readonly results: JobResults;
  readonly transactions: TransactionBatch;
  /** Makes the parents, also if they were removed since; harmless to repeat. */
  prepare(): Promise<void>;
}
