import type { Constructor } from '../constructor.js';
import { recordDeclaration } from '../declarations.js';
import type { IsolatedHandlerOptions } from '../isolation/isolated-handler.js';
import type { Job, RateLimit } from '../../core/recipes/index.js';
import type { QueueReference } from '../queue-reference.js';
import type { Schema } from '../schema.js';

/** A `handle` that takes several jobs at once. */
export interface BatchOptions {
  /** Jobs in one call at most. */
  readonly size: number;
  /** How long the first job of a batch waits for others, milliseconds; 50 if left out. */
  readonly lingerMs?: number | undefined;
}

/** A worker whose jobs are done in threads of their own: see `IsolatedHandler`. */
export interface IsolatedOptions extends Omit<IsolatedHandlerOptions, 'clock'> {
  /** The module whose export does a job, as `new URL('./render.js', import.meta.url)`. */
  readonly module: URL | string;
  /** Threads, each of which does one job at a time; as many as `concurrency` says if left out. */
  readonly threads?: number | undefined;
}

export interface WorkerOptions<T = unknown> {
  /** The queue by name, or by a reference that also carries the payload's type and schema. */
  readonly queue: string | QueueReference<T>;
  /** JSON Schema of the payload, checked when a job is enqueued and again before it is handled. */
  readonly schema?: Schema<T> | undefined;
  /** Jobs handled at the same time by this process, or batches of them; 1 if left out. */
  readonly concurrency?: number | undefined;
  /** Jobs handled at the same time in the whole fleet; no limit if left out. */
  readonly fleetConcurrency?: number | undefined;
  /** Jobs that the whole fleet begins in a span of time; no limit if left out. */
  readonly rateLimit?: RateLimit | undefined;
  /** The same for each group of jobs (`enqueue(data, { group })`) by itself. */
  readonly groupRateLimit?: RateLimit | undefined;
  /** Attempts after the first one before the job becomes a dead letter; 5 if left out. */
  readonly retries?: number | undefined;
  /** Delay before attempt `attempt + 1`, milliseconds; if left out it doubles from 1 s up to 5 min, with jitter. */
  readonly backoffMs?: ((attempt: number) => number) | undefined;
  /** `handle` takes an array of jobs, and may return one of results. */
  readonly batch?: BatchOptions | undefined;
  /** Each job is done in a thread, by a function of another module; the class has no `handle` then. */
  readonly isolated?: IsolatedOptions | undefined;
}

/** What a class under `@Worker` has. With a typed queue or schema the payload must fit. */
export type QueueWorker<T> = unknown extends T
  ? { handle(job: never): unknown }
  : { readonly handle: (job: Job<T>) => unknown };

/** What a class under `@Worker` with `batch` has. */
export type BatchWorker<T> = unknown extends T
  ? { handle(jobs: never): unknown }
  : { readonly handle: (jobs: readonly Job<T>[]) => unknown };

/** Declares a class whose `handle`, or the module of `isolated`, works off a queue. */
export function Worker<T = unknown>(
  options: WorkerOptions<T> & { readonly isolated: IsolatedOptions; readonly batch?: undefined },
): (target: Constructor) => void;
export function Worker<T = unknown>(
  options: WorkerOptions<T> & { readonly batch: BatchOptions; readonly isolated?: undefined },
): (target: Constructor<BatchWorker<NoInfer<T>>>) => void;
export function Worker<T = unknown>(
  options: WorkerOptions<T> & { readonly batch?: undefined; readonly isolated?: undefined },
): (target: Constructor<QueueWorker<NoInfer<T>>>) => void;
export function Worker(options: WorkerOptions): (target: Constructor) => void {
  return (target) => recordDeclaration(target, { kind: 'worker', options });
}
