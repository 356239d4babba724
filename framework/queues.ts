import type { Client } from '../core/client/index.js';
import {
  JobNotEncodableError,
  QUEUE_OPTIONS,
  WorkQueue,
  type JobDraft,
  type JobOptions,
  type WorkQueueOptions,
} from '../core/recipes/index.js';
import { checkOptions, InvalidArgumentError, QuorateError, SIGNAL_OPTION } from '../core/runtime/index.js';
import { REFERENCE, type QueueReference } from './queue-reference.js';
import { childrenOf } from './children-of.js';
import { compileSchema, type Validator } from './schema.js';

/** A payload that does not fit the schema of its queue. Code `JOB_INVALID`. */
export class JobInvalidError extends QuorateError {
  readonly violations: readonly string[];

  constructor(queue: string, violations: readonly string[]) {
    super('JOB_INVALID', `a job for queue '${queue}' does not fit its schema: ${violations.join('; ')}`, {
      fields: { queue, violations },
    });
    this.violations = violations;
  }
}

/** A work queue that refuses payloads which do not fit its schema. */
export class Queue<T> extends WorkQueue<T> {
  readonly #validate: Validator | undefined;

  constructor(client: Client, name: string, validate?: Validator, options?: WorkQueueOptions<T>) {
    super(client, name, options);
    this.#validate = validate;
  }

  /**
   * As of `WorkQueue`, which makes every job here, also those of `enqueue`; throws `JobInvalidError` as well, in which case
   * nothing is added.
   */
  override draft(data: T, options?: JobOptions): JobDraft {
    return super.draft(this.#validate === undefined ? data : this.#checked(data, this.#validate), options);
  }

  /** What the worker will see: the JSON form, with the schema's defaults. */
  #checked(data: T, validate: Validator): T {
    const json = this.#json(data);
    const seen = json === undefined ? undefined : (JSON.parse(json) as T);
    const violations = validate(seen);
    if (violations.length > 0) throw new JobInvalidError(this.name, violations);
    return seen as T;
  }

  #json(data: T): string | undefined {
    try {
      return JSON.stringify(data);
    } catch (error) {
      throw new JobNotEncodableError(this.name, error);
    }
  }
}

/** The work queues of the fleet; to be injected. */
export class Queues {
  readonly #client: Client;
  readonly #validators = new Map<string, Validator>();

  /** `validators`: of the queues that this application works off, by name. */
  constructor(client: Client, validators: ReadonlyMap<string, Validator> = new Map()) {
    this.#client = client;
    this.#validators = new Map(validators);
  }

  /**
   * A queue by name — the caller says what it carries — or by a reference made by `defineQueue`. Payloads are checked
   * against the schema of the reference, or of this application's own worker.
   */
  of<T>(queue: string | QueueReference<T>, options?: WorkQueueOptions<T>): Queue<T> {
    const name = nameOf(queue);
    if (options !== undefined) checkOptions('Queues.of', options, QUEUE_OPTIONS);
    if (typeof queue !== 'string' && queue.schema !== undefined && !this.#validators.has(name))
      this.#validators.set(name, compileSchema(queue.schema));
    return new Queue<T>(this.#client, name, this.#validators.get(name), options);
  }

  /** Names of the queues that a process has used once, on this ensemble; sorted. */
  async names(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly string[]> {
    checkOptions('Queues.names', options, SIGNAL_OPTION);
    return await childrenOf(this.#client, '/queues', options);
  }
}

/** Only a program without types can give anything else than these two. */
function nameOf(queue: string | QueueReference): string {
  if (typeof queue === 'string') return queue;
  const given: unknown = queue;
  const isReference = typeof given === 'object' && given !== null && 'name' in given;
  if (isReference && typeof given.name === 'string') {
    checkOptions('Queues.of', queue, REFERENCE);
    return given.name;
  }
  throw new InvalidArgumentError('Queues.of', 'the queue', 'a name or what defineQueue gives', given);
}
