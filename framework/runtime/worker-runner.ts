import type { Job, QueueConsumer } from '../../core/recipes/index.js';
import type { PlannedWorker } from '../plan.js';
import { JobInvalidError, type Queue } from '../queues.js';
import type { Runner, RunnerContext } from './runner.js';

interface Handler {
  handle(job: Job): unknown;
}

/**
 * Works off one queue with one instance. A job that does not fit the schema is given up at once, since no later attempt could
 * fare better; one whose handler throws is tried again as often as declared.
 */
export class WorkerRunner implements Runner {
  readonly subject: string;
  readonly #planned: PlannedWorker;
  readonly #handler: Handler;
  readonly #context: RunnerContext;
  readonly #queue: Queue<unknown>;
  #consumer: QueueConsumer | undefined;

  constructor(planned: PlannedWorker, instance: object, context: RunnerContext, queue: Queue<unknown>) {
    this.subject = `worker of queue ${planned.queue}`;
    this.#planned = planned;
    this.#handler = instance as Handler;
    this.#context = context;
    this.#queue = queue;
  }

  async start(): Promise<void> {
    const { concurrency, retries } = this.#planned;
    this.#consumer = this.#queue.consume((job) => this.#handle(job), {
      concurrency,
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
  }

  async #handle(job: Job): Promise<void> {
    const { clock } = this.#context;
    const { queue } = this.#planned;
    const startedAt = clock.now();
    try {
      const violations = this.#planned.validate(job.data);
      if (violations.length > 0) throw new JobInvalidError(queue, violations);
      const result = await this.#handler.handle(job);
      await job.complete(result);
      const durationMs = clock.now() - startedAt;
      this.#context.events.emit({ type: 'job-done', queue, id: job.id, attempt: job.attempt, durationMs });
    } catch (error) {
      await this.#fail(job, error);
    }
  }

  async #fail(job: Job, error: unknown): Promise<void> {
    const { queue, retries } = this.#planned;
    const isFinal = error instanceof JobInvalidError || job.attempt > retries;
    const { id, attempt } = job;
    this.#context.logger.warn('a job failed', { queue, job: id, attempt, isFinal, error });
    await job.fail(error, { retry: !(error instanceof JobInvalidError) });
    this.#context.events.emit({ type: 'job-failed', queue, id, attempt, isFinal, error });
  }
}
