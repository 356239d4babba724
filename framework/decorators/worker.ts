import type { Constructor } from '../constructor.js';
import { recordDeclaration } from '../declarations.js';
import type { Job } from '../../core/recipes/index.js';
import type { QueueReference } from '../queue-reference.js';
import type { Schema } from '../schema.js';

export interface WorkerOptions<T = unknown> {
  /** The queue by name, or by a reference that also carries the payload's type and schema. */
  readonly queue: string | QueueReference<T>;
  /** JSON Schema of the payload, checked when a job is enqueued and again before it is handled. */
  readonly schema?: Schema<T> | undefined;
  /** Jobs handled at the same time by this process; 1 if left out. */
  readonly concurrency?: number | undefined;
  /** Attempts after the first one before the job becomes a dead letter; 5 if left out. */
  readonly retries?: number | undefined;
}

/** What a class under `@Worker` has. With a typed queue or schema the payload must fit. */
export type QueueWorker<T> = unknown extends T
  ? { handle(job: never): unknown }
  : { readonly handle: (job: Job<T>) => unknown };

/** Declares a class whose `handle` works off a queue. */
export function Worker<T = unknown>(
  options: WorkerOptions<T>,
): (target: Constructor<QueueWorker<NoInfer<T>>>) => void {
  return (target) => recordDeclaration(target, { kind: 'worker', options });
}
