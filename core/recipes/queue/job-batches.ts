import type { Clock, Timer } from '../../runtime/index.js';
import type { JobHandler } from './consume-options.js';
import type { Job } from './job.js';

export interface JobBatchOptions {
  /** Jobs in one call at most. */
  readonly batchSize: number;
  /** How long the first job of a batch waits for others; 50 by default. */
  readonly lingerMs?: number | undefined;
}

/**
 * Does several jobs in one call. Those that it has not settled itself are completed when it returns, with the results in the
 * array that it returned, if it did, one for each job in their order; and failed with what it throws.
 */
export type JobBatchHandler<Data> = (jobs: readonly Job<Data>[]) => unknown;

interface Member<Data> {
  readonly job: Job<Data>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const DEFAULT_LINGER_MS = 50;

/** A handler of single jobs that gathers them for one of many. Throws `RangeError`. */
export function batchHandler<Data>(
  clock: Clock,
  handler: JobBatchHandler<Data>,
  options: JobBatchOptions,
): JobHandler<Data> {
  const { batchSize, lingerMs = DEFAULT_LINGER_MS } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new RangeError(`batchSize must be a whole number above 0, not ${batchSize}`);
  let gathered: Member<Data>[] = [];
  let timer: Timer | null = null;
  const flush = (): void => {
    timer?.cancel();
    timer = null;
    const members = gathered.filter(({ job }) => !job.signal.aborted);
    for (const { job, reject } of gathered) if (job.signal.aborted) reject(job.signal.reason);
    gathered = [];
    if (members.length > 0) void handle(handler, members);
  };
  return (job) =>
    new Promise((resolve, reject) => {
      gathered.push({ job, resolve, reject });
      if (gathered.length >= batchSize) flush();
      else timer ??= clock.setTimer(lingerMs, flush, { hold: true });
    });
}

/** Never rejects. */
async function handle<Data>(handler: JobBatchHandler<Data>, members: readonly Member<Data>[]): Promise<void> {
  try {
    const results: unknown = await handler(members.map(({ job }) => job));
    const each: readonly unknown[] = Array.isArray(results) ? results : [];
    if (Array.isArray(results) && each.length !== members.length)
      throw new RangeError(`a batch of ${members.length} jobs was answered with ${each.length} results`);
    for (const [at, { resolve }] of members.entries()) resolve(each[at]);
  } catch (error) {
    for (const { reject } of members) reject(error);
  }
}
