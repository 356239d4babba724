import type { Job, QueueConsumer } from '../../core/recipes/index.js';
import { QuorateError } from '../../core/runtime/index.js';
import type { PlannedWorker } from '../plan.js';
import { JobInvalidError, type Queue } from '../queues.js';
import type { Runner, RunnerContext } from './runner.js';

interface Handler {
  handle(job: Job): unknown;
}

/**
 * Works off one queue with one instance. A job that does not fit the schema is given up at once, since no later
 * attempt could fare better; one whose handler throws is tried again as often as declared.
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
    const startedAt = clock.now();
    try {
      const violations = this.#planned.validate(job.data);
      if (violations.length > 0) throw new JobInvalidError(this.#planned.queue, violations);
      await settle(job, await this.#handler.handle(job));
    } catch (error) {
      await this.#fail(job, error);
      return;
    }
    if (isLost(job)) this.#lost(job);
    else
      this.#context.events.emit({
        type: 'job-done',
        ...this.#facts(job),
        durationMs: clock.now() - startedAt,
      });
  }

  async #fail(job: Job, error: unknown): Promise<void> {
    const isInvalid = error instanceof JobInvalidError;
    const isFinal = isInvalid || job.attempt > this.#planned.retries;
    try {
      if (!job.signal.aborted) await job.fail(error, { retry: !isInvalid });
    } catch (refusal) {
      this.#context.logger.warn('a failed job could not be put back', {
        ...this.#facts(job),
        error: refusal,
      });
    }
    if (isLost(job)) {
      this.#lost(job);
      return;
    }
    this.#context.logger.warn('a job failed', { ...this.#facts(job), isFinal, error });
    this.#context.events.emit({ type: 'job-failed', ...this.#facts(job), isFinal, error });
  }

  #lost(job: Job): void {
    const reason: unknown = job.signal.reason;
    this.#context.logger.warn('a job was lost to another worker', { ...this.#facts(job), reason });
    this.#context.events.emit({ type: 'job-lost', ...this.#facts(job), reason });
  }

  #facts({ id, attempt }: Job): { readonly queue: string; readonly id: string; readonly attempt: number } {
    return { queue: this.#planned.queue, id, attempt };
  }
}

/** Completes the job, unless the handler settled it itself or it is not ours any more. */
async function settle(job: Job, result: unknown): Promise<void> {
  if (job.signal.aborted) return;
  try {
    await job.complete(result);
  } catch (error) {
    // Settled by the handler a moment ago, without waiting for it.
    if (!hasCode(error, 'RECIPE_STATE')) throw error;
  }
}

/** The signal aborts also when the job was settled; then its reason says so. */
function isLost(job: Job): boolean {
  return job.signal.aborted && !hasCode(job.signal.reason, 'HOLD_RELEASED');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof QuorateError && error.code === code;
}
