import { Worker } from 'node:worker_threads';
import type { Job } from '../../core/recipes/index.js';
import { QuorateError, SystemClock, type Clock } from '../../core/runtime/index.js';
import type { FromThread, ToThread } from './messages.js';

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

interface Waiting {
  readonly job: Job;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const DEFAULT_GRACE_MS = 5_000;

/**
 * Has jobs done in threads of their own, so that one that computes for long does not hold up the heartbeats of this process,
 * and one that hangs or needs too much memory ends alone. The function is the export `handle` of a module:
 *
 * ```ts
 * const renderer = new IsolatedHandler<Page, string>(new URL('./render.js', import.meta.url), { threads: 2 });
 * queue.consume((job) => renderer.run(job), { concurrency: 2 });
 * ```
 *
 * Threads are started when they are needed, and stay. When the signal of a job aborts, that of the function does; whoever does not
 * return within the grace is ended with its thread.
 */
export class IsolatedHandler<Data = unknown, Result = unknown> implements AsyncDisposable {
  readonly #module: string;
  readonly #options: IsolatedHandlerOptions;
  readonly #threads: number;
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  #isClosed = false;

  constructor(module: URL | string, options: IsolatedHandlerOptions = {}) {
    this.#module = String(module);
    this.#options = options;
    this.#threads = options.threads ?? 1;
    this.#clock = options.clock ?? new SystemClock();
    if (!Number.isInteger(this.#threads) || this.#threads < 1)
      throw new RangeError(`threads must be a whole number above 0, not ${this.#threads}`);
  }

  /** Resolves to what the function returned. Rejects with what it threw, or `IsolationError`. Waits for a thread that is free. */
  run(job: Job<Data>): Promise<Result> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#isClosed) reject(new IsolationError(job.id, 'cannot be started: the handler is closed'));
      else this.#waiting.push({ job, resolve, reject });
      this.#begin();
    }) as Promise<Result>;
  }

  /** Ends all threads; what they were at fails. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { job, reject } of this.#waiting.splice(0))
      reject(new IsolationError(job.id, 'cannot be started: the handler is closed'));
    await Promise.all([...this.#all].map((thread) => thread.terminate()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#idle.pop() ?? (this.#all.size < this.#threads ? this.#startThread() : null);
      if (thread === null) return;
      const waiting = this.#waiting.shift()!;
      if (waiting.job.signal.aborted) {
        this.#idle.push(thread);
        waiting.reject(waiting.job.signal.reason);
      } else void this.#runIn(thread, waiting);
    }
  }

  #startThread(): Worker {
    const { maxMemoryMb, exportName = 'handle' } = this.#options;
    const thread = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: { module: this.#module, exportName },
      ...(maxMemoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb } }),
    });
    // Threads without work do not keep the process.
    thread.unref();
    this.#all.add(thread);
    thread.once('exit', () => {
      this.#all.delete(thread);
      const at = this.#idle.indexOf(thread);
      if (at >= 0) this.#idle.splice(at, 1);
      if (!this.#isClosed) this.#begin();
    });
    return thread;
  }

  /** Never rejects. */
  async #runIn(thread: Worker, { job, resolve, reject }: Waiting): Promise<void> {
    thread.ref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, not a window
    const send = (message: ToThread): void => thread.postMessage(message);
    let failure: unknown;
    let endsThread = (): void => undefined;
    const onAbort = (): void => {
      send({ type: 'abort', reason: String(job.signal.reason) });
      const timer = this.#clock.setTimer(
        this.#options.graceMs ?? DEFAULT_GRACE_MS,
        () => void thread.terminate(),
      );
      endsThread = () => timer.cancel();
    };
    await new Promise<void>((over) => {
      const onMessage = (message: FromThread): void => {
        if (message.type === 'progress') {
          void job.progress(message.value).catch(() => undefined);
          return;
        }
        if (message.type === 'done') resolve(message.result);
        else reject(message.error);
        thread.off('message', onMessage).off('error', onError).off('exit', onExit);
        this.#idle.push(thread);
        thread.unref();
        over();
      };
      const onError = (error: unknown): void => void (failure = error);
      const onExit = (code: number): void => {
        reject(new IsolationError(job.id, `ended with code ${code}`, failure));
        over();
      };
      thread.on('message', onMessage).on('error', onError).on('exit', onExit);
      job.signal.addEventListener('abort', onAbort, { once: true });
      const { id, data, attempt, enqueuedAt, fence } = job;
      try {
        send({ type: 'run', id, data, attempt, enqueuedAt, fence });
      } catch (error) {
        onMessage({ type: 'failed', error });
      }
    });
    job.signal.removeEventListener('abort', onAbort);
    endsThread();
    this.#begin();
  }
}
