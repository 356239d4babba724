import {
  batchHandler,
  JobSettledError,
  type Job,
  type JobHandler,
  type QueueConsumer,
} from '../../core/recipes/index.js';
import { QuorateError, type Clock } from '../../core/runtime/index.js';
import { IsolatedHandler } from '../isolation/isolated-handler.js';
import type { PlannedWorker } from '../plan.js';
import { JobInvalidError, type Queue } from '../queues.js';
import type { Runner, RunnerContext } from './runner.js';

interface Handler {
  handle(jobs: Job | readonly Job[]): unknown;
}

/**
 * Works off one queue with one instance. A job that does not fit the schema is given up at once, since no later
 * attempt could fare better; one whose handler throws is tried again as often as declared. What became of a job is told
 * when the servers have it.
 */
export class WorkerRunner implements Runner {
  readonly subject: string;
  readonly #planned: PlannedWorker;
  readonly #context: RunnerContext;
  readonly #queue: Queue<unknown>;
  readonly #call: JobHandler<unknown>;
  readonly #isolated: IsolatedHandler | undefined;
  #consumer: QueueConsumer | undefined;

  constructor(planned: PlannedWorker, instance: object, context: RunnerContext, queue: Queue<unknown>) {
    this.subject = `worker of queue ${planned.queue}`;
    this.#planned = planned;
    this.#context = context;
    this.#queue = queue;
    this.#isolated = isolatedHandler(planned, context.clock);
    this.#call = this.#isolated
      ? (job) => this.#isolated!.run(job)
      : handlerOf(instance as Handler, planned, context.clock);
  }

  get impediment(): string | null {
    if (this.#consumer?.isReady === true) return null;
    return this.#consumer?.state === 'closed' ? 'takes no jobs any more' : 'takes no jobs yet';
  }

  async start(): Promise<void> {
    const { concurrency, retries, limits, batch } = this.#planned;
    this.#consumer = this.#queue.consume((job) => this.#handle(job), {
      ...limits,
      concurrency: concurrency * (batch?.size ?? 1),
      retries,
      id: this.#context.id,
    });
  }

  async drain(deadline: AbortSignal): Promise<void> {
    if (this.#consumer === undefined) return;
    // The application's deadline is the only one: the consumer's own never comes first.
    const drained = this.#consumer.drain({ deadlineMs: Number.MAX_SAFE_INTEGER });
    const cut = (): void => void this.#consumer?.drain({ deadlineMs: 0 });
    deadline.addEventListener('abort', cut, { once: true });
    if (deadline.aborted) cut();
    await drained;
    deadline.removeEventListener('abort', cut);
  }

  async close(): Promise<void> {
    await this.#consumer?.drain({ deadlineMs: 0 });
    await this.#isolated?.close();
  }

  /** What it returns the consumer completes the job with, what it throws the job fails with. */
  async #handle(job: Job): Promise<unknown> {
    const startedAt = this.#context.clock.now();
    const onEnd = (): void => this.#ended(job, startedAt);
    job.signal.addEventListener('abort', onEnd, { once: true });
    const { queue } = this.#planned;
    this.#context.events.emit({ type: 'job-started', queue, id: job.id, attempt: job.attempt });
    const violations = this.#planned.validate(job.data);
    if (violations.length === 0) return await this.#call(job);
    await job.fail(new JobInvalidError(this.#planned.queue, violations), { retry: false });
    return undefined;
  }

  #ended(job: Job, startedAt: number): void {
    const { clock, events, logger } = this.#context;
    const facts = { queue: this.#planned.queue, id: job.id, attempt: job.attempt };
    const reason: unknown = job.signal.reason;
    if (reason instanceof JobSettledError && reason.outcome === 'completed')
      events.emit({ type: 'job-done', ...facts, durationMs: clock.now() - startedAt });
    else if (reason instanceof JobSettledError) {
      const { isFinal, retryAt, cause: error } = reason;
      const retryInMs = retryAt === undefined ? undefined : Math.max(0, Math.round(retryAt - clock.wall()));
      if (isFinal)
        logger.error('A job failed for the last time; it is a dead letter now', { ...facts, error });
      else logger.warn('A job failed; it is retried', { ...facts, retryInMs, error });
      events.emit({
        type: 'job-failed',
        ...facts,
        isFinal,
        retryAt: retryAt === undefined ? undefined : new Date(retryAt),
        error,
      });
    } else if (reason instanceof QuorateError && reason.code === 'JOB_CANCELLED') {
      logger.info('a job was cancelled', facts);
      events.emit({ type: 'job-cancelled', ...facts });
    } else {
      logger.warn('a job was lost to another worker', { ...facts, reason });
      events.emit({ type: 'job-lost', ...facts, reason });
    }
  }
}

function handlerOf(handler: Handler, { batch }: PlannedWorker, clock: Clock): JobHandler<unknown> {
  if (batch === undefined) return (job) => handler.handle(job);
  const { size: batchSize, lingerMs } = batch;
  return batchHandler(clock, (jobs) => handler.handle(jobs), { batchSize, lingerMs });
}

/** By default a thread for each job that may be in hand, so that none waits for another's. */
function isolatedHandler(
  { isolated, concurrency }: PlannedWorker,
  clock: Clock,
): IsolatedHandler | undefined {
  if (isolated === undefined) return undefined;
  const { module, threads = concurrency, ...options } = isolated;
  return new IsolatedHandler(module, { ...options, threads, clock });
}
