import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Job } from '../../core/recipes/index.js';
import {
  QuorateError,
  SystemClock,
  type Clock,
  type Timer,
  checkOptions,
  type OptionNames,
} from '../../core/runtime/index.js';
import type { FromThread, Outcome, Task, ThreadData } from './messages.js';

/** What the function in the thread is given of a job. */
export interface IsolatedJob<Data = unknown> {
  readonly id: string;
  readonly data: Data;
  readonly attempt: number;
  readonly enqueuedAt: number;
  readonly fence: bigint;
  /** As of the job; what it aborts with is the error's text. */
  readonly signal: AbortSignal;
  /** As of the job; does not tell whether it was written. */
  readonly progress: (value: unknown) => void;
}

export interface IsolatedHandlerOptions {
  /** Threads, each of which does one job at a time; 1 by default. */
  readonly threads?: number | undefined;
  /** Name of the function that the module exports; `handle` by default. */
  readonly exportName?: string | undefined;
  /** How long a job goes on after its signal has aborted before its thread is ended; 5 000 by default. */
  readonly graceMs?: number | undefined;
  /** Memory of each thread, in MiB; as Node has it by default. A thread that needs more ends, and the job fails. */
  readonly maxMemoryMb?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** A thread ended under its job, or could not be started. The job fails, and is tried again. Code `ISOLATION_FAILED`. */
export class IsolationError extends QuorateError {
  constructor(job: string, problem: string, cause?: unknown) {
    super('ISOLATION_FAILED', `The thread of job ${job} ${problem}. The job fails, and may be tried again.`, {
      fields: { job },
      cause,
    });
  }
}

const DEFAULT_GRACE_MS = 5_000;

const HANDLER_OPTIONS: OptionNames<IsolatedHandlerOptions> = {
  threads: true,
  exportName: true,
  graceMs: true,
  maxMemoryMb: true,
  clock: true,
};

/**
 * Has jobs done in threads of their own, so that one that computes for long does not hold up the heartbeats of this process,
 * and one that hangs or needs too much memory ends alone. The function is the export `handle` of a module:
 *
 * ```ts
 * const renderer = new IsolatedHandler<Page, string>(new URL('./render.js', import.meta.url), { threads: 2 });
 * queue.consume((job) => renderer.run(job), { concurrency: 2 });
 * ```
 *
 * The threads, a pool of piscina's, are started with the first job, and stay. When the signal of a job aborts, that of the function
 * does; whoever does not return within the grace is ended with its thread. A thread that ended is replaced.
 */
export class IsolatedHandler<Data = unknown, Result = unknown> implements AsyncDisposable {
  readonly #module: string;
  readonly #options: IsolatedHandlerOptions;
  readonly #threads: number;
  readonly #clock: Clock;
  #pool: Piscina<Task, void> | null = null;
  #isClosed = false;

  constructor(module: URL | string, options: IsolatedHandlerOptions = {}) {
    checkOptions('IsolatedHandler', options, HANDLER_OPTIONS);
    this.#module = String(module);
    this.#options = options;
    this.#threads = options.threads ?? 1;
    this.#clock = options.clock ?? new SystemClock();
    if (!Number.isInteger(this.#threads) || this.#threads < 1)
      throw new RangeError(`threads must be a whole number above 0, not ${this.#threads}`);
  }

  /** Resolves to what the function returned. Rejects with what it threw, or `IsolationError`. Waits for a thread that is free. */
  async run(job: Job<Data>): Promise<Result> {
    if (this.#isClosed) throw new IsolationError(job.id, 'cannot be started: the handler is closed');
    job.signal.throwIfAborted();
    const { port1, port2 } = new MessageChannel();
    const listener = new JobListener(job, port1);
    const end = new AbortController();
    let grace: Timer | null = null;
    const onAbort = (): void => {
      listener.hearRest();
      // What still waits for a thread need not wait any longer.
      if (!listener.hasBegun) return end.abort();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, not a window
      port1.postMessage(String(job.signal.reason));
      grace = this.#clock.setTimer(this.#options.graceMs ?? DEFAULT_GRACE_MS, () => end.abort());
    };
    job.signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#perform(taskOf(job, port2), end.signal);
      listener.hearRest();
      const { outcome } = listener;
      if (outcome?.type === 'done') return outcome.result as Result;
      throw outcome?.error ?? new IsolationError(job.id, 'gave no answer');
    } catch (error) {
      if (error instanceof IsolationError && !listener.hasBegun) job.signal.throwIfAborted();
      throw error;
    } finally {
      job.signal.removeEventListener('abort', onAbort);
      (grace as Timer | null)?.cancel();
      port1.close();
    }
  }

  /** Ends all threads; what they were at fails. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool?.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #perform(task: Task, signal: AbortSignal): Promise<void> {
    try {
      this.#pool ??= this.#start();
      await this.#pool.run(task, { transferList: [task.port], signal });
    } catch (error) {
      throw new IsolationError(task.id, 'ended, or was ended, under it', error);
    }
  }

  #start(): Piscina<Task, void> {
    const { maxMemoryMb, exportName = 'handle' } = this.#options;
    const pool = new Piscina<Task, void>({
      filename: new URL('./thread.js', import.meta.url).href,
      name: 'perform',
      workerData: { module: this.#module, exportName } satisfies ThreadData,
      // Fewer at the beginning would not be made up for when one ends while jobs wait.
      minThreads: this.#threads,
      maxThreads: this.#threads,
      ...(maxMemoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb } }),
    });
    // A thread that ends with no job in it may be one that cannot start: what waits fails, and the next job begins anew.
    pool.on('error', () => {
      if (this.#pool === pool) this.#pool = null;
      void pool.destroy();
    });
    return pool;
  }
}

/** Hears what a job in a thread tells while it runs. */
class JobListener {
  readonly #job: Job;
  readonly #port: MessagePort;
  hasBegun = false;
  outcome: Outcome | null = null;

  constructor(job: Job, port: MessagePort) {
    this.#job = job;
    this.#port = port;
    port.on('message', (message: FromThread) => this.#hear(message));
  }

  /** What was said before the end, and has not come yet. */
  hearRest(): void {
    for (let entry; (entry = receiveMessageOnPort(this.#port));) this.#hear(entry.message as FromThread);
  }

  #hear(message: FromThread): void {
    if (message.type === 'begun') this.hasBegun = true;
    else if (message.type === 'progress') void this.#job.progress(message.value).catch(() => undefined);
    else this.outcome = message;
  }
}

function taskOf({ id, data, attempt, enqueuedAt, fence }: Job, port: MessagePort): Task {
  return { id, data, attempt, enqueuedAt, fence, port };
}
