import type { Client } from '../../client/index.js';
import {
  atCaller,
  describeValue,
  parseJson,
  checkOptions,
  type OptionNames,
  SIGNAL_OPTION,
} from '../../runtime/index.js';
import {
  EnqueueBacklogError,
  InvalidJobOptionsError,
  JobNotEncodableError,
  JobTooLargeError,
} from '../errors.js';
import { pathBelow } from '../nodes/znode-name.js';
import { orAborted } from '../waiting/abort.js';
import { repeatRead } from '../waiting/failure.js';
import {
  checkConsumeOptions,
  CONSUME_OPTIONS,
  type ConsumeOptions,
  type JobHandler,
} from './consume-options.js';
import { DeadLetters } from './dead-letters.js';
import { batchHandler, type JobBatchHandler, type JobBatchOptions } from './job-batches.js';
import { IdleQueueWarning } from './idle-queue-warning.js';
import { JobAdder } from './job-adder.js';
import { checkJobOptions, JobDraft, type DraftQueue, type JobOptions } from './job-draft.js';
import { formatJobName } from './job-name.js';
import { JobDesk } from './job-desk.js';
import { JobResults } from './job-results.js';
import type { DeadLetter, JobCodec, JobStatus, QueueCounts } from './job.js';
import { QueueConsumer } from './queue-consumer.js';
import { queueEvents, type QueueEvent } from './queue-events.js';
import { QueueLayout } from './queue-layout.js';
import { QueueRoom } from './queue-room.js';
import { TransactionBatch } from './transaction-batch.js';

export interface WorkQueueOptions<Data> {
  /** Parent of all queues; `/queues` by default. */
  readonly root?: string | undefined;
  /** JSON by default. */
  readonly codec?: JobCodec<Data> | undefined;
  /** Jobs and dead letters together; 10 000 by default. */
  readonly maxJobs?: number | undefined;
  /** Of one job's encoded data, of one result, and of one progress; 256 KiB by default. */
  readonly maxJobBytes?: number | undefined;
  /** Of the data of all jobs and dead letters together; 64 MiB by default. */
  readonly maxBytes?: number | undefined;
  /** Jobs that wait here to be sent to the servers; 20 000 by default. */
  readonly maxBacklog?: number | undefined;
  /** How long a result is kept; one hour by default. */
  readonly resultTtlMs?: number | undefined;
}

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** `signal` stops the waiting; the job may still be added. */
export type EnqueueOptions = JobOptions & Cancellable;

const DEFAULT_MAX_JOBS = 10_000;
const DEFAULT_MAX_JOB_BYTES = 256 * 1024;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_BACKLOG = 20_000;
const DEFAULT_RESULT_TTL_MS = 3_600_000;
/** A job and its children are one transaction, which has to fit into ZooKeeper's 1 MiB with what is around it. */
const MOST_FAMILY_BYTES = 512 * 1024;
const MOST_IN_FAMILY = 500;

export const QUEUE_OPTIONS: OptionNames<WorkQueueOptions<unknown>> = {
  root: true,
  codec: true,
  maxJobs: true,
  maxJobBytes: true,
  maxBytes: true,
  maxBacklog: true,
  resultTtlMs: true,
};
const BATCH_OPTIONS: OptionNames<ConsumeOptions & JobBatchOptions> = {
  ...CONSUME_OPTIONS,
  batchSize: true,
  lingerMs: true,
};
const LIMIT_OPTIONS: OptionNames<Cancellable & { readonly limit?: number | undefined }> = {
  signal: true,
  limit: true,
};
const CANCEL_OPTIONS: OptionNames<Cancellable & { readonly reason?: string | undefined }> = {
  signal: true,
  reason: true,
};

/**
 * Jobs for workers on any machine. The znodes are described at `QueueLayout`, the consuming side at `QueueConsumer`.
 *
 * Guarantees: an enqueued job is done at least once, or ends as a dead letter, or is cancelled. A job of a worker that
 * crashed is free again after its session timeout; one whose connection is only suspended keeps its jobs. Completion is
 * fenced: it is one transaction that needs the job unchanged, so a worker that comes late changes nothing. Order is by
 * priority, then by age, roughly: jobs run side by side, and a failed one comes back after its delay.
 *
 * A queue has no state of its own and needs no closing; consumers have. Everything waits while suspended, and after a lost
 * session goes on in the next one. A job whose adding was of unknown outcome, and which was done without a trace before that could be
 * learnt, is added once more.
 *
 * Bounds: `enqueue` refuses when jobs and dead letters reach `maxJobs` or their data `maxBytes`. `QueueRoom` says how
 * exactly.
 */
export class WorkQueue<Data = unknown> {
  readonly name: string;
  readonly path: string;
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #codec: JobCodec<Data>;
  readonly #maxJobBytes: number;
  readonly #maxBacklog: number;
  readonly #room: QueueRoom;
  readonly #results: JobResults;
  readonly #adder: JobAdder;
  readonly #transactions: TransactionBatch;
  readonly #dead: DeadLetters<Data>;
  readonly #desk: JobDesk<Data>;
  readonly #idle: IdleQueueWarning;
  readonly #drafts: DraftQueue;
  readonly #producer: string;
  #enqueued = 0;
  #lastEnqueuedAt = 0;

  /** Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: WorkQueueOptions<Data> = {}) {
    checkOptions('WorkQueue', options, QUEUE_OPTIONS);
    this.name = name;
    this.path = pathBelow(options.root ?? '/queues', name, 'queue');
    this.#client = client;
    this.#layout = new QueueLayout(this.path);
    this.#codec = options.codec ?? jsonCodec<Data>();
    this.#maxJobBytes = options.maxJobBytes ?? DEFAULT_MAX_JOB_BYTES;
    this.#maxBacklog = options.maxBacklog ?? DEFAULT_MAX_BACKLOG;
    this.#room = new QueueRoom(client, this.#layout, name, {
      maxJobs: options.maxJobs ?? DEFAULT_MAX_JOBS,
      maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
      maxJobBytes: this.#maxJobBytes,
    });
    this.#results = new JobResults(client, this.#layout, options.resultTtlMs ?? DEFAULT_RESULT_TTL_MS);
    this.#adder = new JobAdder(client, this.#layout);
    this.#transactions = new TransactionBatch(client);
    const decode = (payload: Uint8Array): Data | undefined => this.#tryDecode(payload);
    const newId = (priority: number, group: string | null, bytes: number): string =>
      this.#newId({ priority, group, bytes, dueAt: 0, isParent: false });
    this.#dead = new DeadLetters(client, this.#layout, { decode, newId });
    this.#desk = new JobDesk(client, this.#layout, { results: this.#results, dead: this.#dead, decode });
    this.#idle = new IdleQueueWarning(client, this.#layout, name);
    this.#drafts = {
      name,
      layout: this.#layout,
      prepare: () => this.#adder.prepare(),
      takeRoom: (bytes, cancellable) => this.#room.take(bytes, cancellable),
    };
    this.#producer = client.random.uuid().replaceAll('-', '').slice(0, 12);
  }

  /**
   * Adds a job; resolves to its id when a quorum has it, or to that of the job that has its key. What is added in one turn
   * goes to the servers together. Rejects with `QueueFullError`, `JobTooLargeError`, `JobNotEncodableError`,
   * `EnqueueBacklogError` or `InvalidJobOptionsError`, and nothing was added. After its `signal` aborted the job may still be added.
   */
  async enqueue(data: Data, options: EnqueueOptions = {}): Promise<string> {
    return await this.#add(this.draft(data, options), options.signal);
  }

  /** Adds many jobs, in order, which all have the same options; resolves to their ids. Of a part that is refused the others are added. */
  async enqueueAll(datas: readonly Data[], options: EnqueueOptions = {}): Promise<readonly string[]> {
    const problem = !Array.isArray(datas)
      ? `enqueueAll takes an array of data, not ${describeValue(datas)}`
      : options?.key !== undefined && datas.length > 1
        ? 'enqueueAll with key would add only the first; call enqueue for each with a key of its own'
        : null;
    if (problem !== null) throw new InvalidJobOptionsError(this.name, problem);
    return await Promise.all(datas.map((data) => this.enqueue(data, options)));
  }

  /**
   * A job that is not in the queue yet: to be given to another one as its child, also to one of another queue. Throws
   * `JobTooLargeError` and `InvalidJobOptionsError`.
   */
  draft(data: Data, options: JobOptions = {}): JobDraft {
    checkJobOptions(this.name, options);
    const payload = this.#encode(data);
    if (payload.length > this.#maxJobBytes)
      throw new JobTooLargeError(this.name, 'job', payload.length, this.#maxJobBytes);
    const { priority = 0, delayMs = 0, notBefore, key, group, retries, isOptional, children = [] } = options;
    const now = this.#client.clock.wall();
    const dueAt = Math.max(delayMs === 0 ? 0 : now + delayMs, notBefore?.getTime() ?? 0);
    const id = this.#newId({
      priority,
      dueAt: dueAt <= now ? 0 : dueAt,
      bytes: payload.length,
      isParent: children.length > 0,
      group: group ?? null,
    });
    const header = { attempts: 0, enqueuedAt: now, key, retries, isOptional };
    return new JobDraft(this.#drafts, { id, header, payload, children });
  }

  /** Adds what `draft` gave, together with its children, in one transaction. As `enqueue`. */
  async enqueueDraft(draft: JobDraft, options: Cancellable = {}): Promise<string> {
    checkOptions('WorkQueue.enqueueDraft', options, SIGNAL_OPTION);
    return await this.#add(draft, options.signal);
  }

  async #add(draft: JobDraft, signal: AbortSignal | undefined): Promise<string> {
    const signals = signal === undefined ? [] : [signal];
    signal?.throwIfAborted();
    if (this.#adder.waiting >= this.#maxBacklog) throw new EnqueueBacklogError(this.name, this.#maxBacklog);
    const family = draft.children.length === 0 ? [draft] : draft.family;
    const familyBytes = family.reduce((sum, { bytes }) => sum + bytes, 0);
    if (family.length > 1 && (familyBytes > MOST_FAMILY_BYTES || family.length > MOST_IN_FAMILY))
      throw new JobTooLargeError(
        this.name,
        `family of ${family.length} jobs (at most ${MOST_IN_FAMILY})`,
        familyBytes,
        MOST_FAMILY_BYTES,
      );
    for (const { queue, bytes } of family) {
      if (queue !== this.#drafts || !this.#adder.isPrepared) await orAborted(queue.prepare(), ...signals);
      await queue.takeRoom(bytes, { signal });
    }
    const adding = this.#adder.add(draft);
    return signals.length === 0 ? await adding : await orAborted(adding, ...signals);
  }

  /** Starts a consumer, which goes on until it is drained. Throws `RangeError` for impossible numbers. */
  consume(handler: JobHandler<Data>, options: ConsumeOptions = {}): QueueConsumer<Data> {
    checkConsumeOptions('WorkQueue.consume', options);
    return new QueueConsumer<Data>(
      {
        client: this.#client,
        name: this.name,
        layout: this.#layout,
        codec: this.#codec,
        maxJobBytes: this.#maxJobBytes,
        results: this.#results,
        transactions: this.#transactions,
        prepare: () => this.#adder.prepareAgain(),
      },
      handler,
      options,
    );
  }

  /** As `consume`, for a handler that takes several jobs at once; `concurrency` counts its calls. */
  consumeBatches(
    handler: JobBatchHandler<Data>,
    options: ConsumeOptions & JobBatchOptions,
  ): QueueConsumer<Data> {
    const { concurrency = 1, batchSize, lingerMs, ...others } = options;
    checkOptions('WorkQueue.consumeBatches', options, BATCH_OPTIONS);
    return this.consume(batchHandler(this.#client.clock, handler, { batchSize, lingerMs }), {
      ...others,
      concurrency: concurrency * batchSize,
    });
  }

  /**
   * Waits until a job is over, and resolves to its result: undefined if it completed without one, or longer ago than
   * results are kept. Rejects with `JobDeadError` if it is a dead letter, `JobCancelledError` if it was cancelled. It waits for as long as
   * it takes, also for a worker to come; after 5 s it logs a warning if none is there, or the queue is paused.
   */
  async result(id: string, options: Cancellable = {}): Promise<unknown> {
    checkOptions('WorkQueue.result', options, SIGNAL_OPTION);
    const warning = this.#idle.watch(id);
    try {
      return await this.#desk.result(id, options);
    } catch (error) {
      // oxlint-disable-next-line typescript/unbound-method -- it only marks a place in the stack
      throw atCaller(error, WorkQueue.prototype.result);
    } finally {
      warning[Symbol.dispose]();
    }
  }

  /** How a job is now; null if there is none, or it is over and nothing is kept of it. */
  async status(id: string, options: Cancellable = {}): Promise<JobStatus<Data> | null> {
    checkOptions('WorkQueue.status', options, SIGNAL_OPTION);
    return await this.#desk.status(id, options);
  }

  /** How the jobs are that are in the queue now, in their order, at most `limit` (100 by default) of them. */
  async list(
    options: Cancellable & { readonly limit?: number | undefined } = {},
  ): Promise<readonly JobStatus<Data>[]> {
    checkOptions('WorkQueue.list', options, LIMIT_OPTIONS);
    const { limit = 100, signal } = options;
    return await this.#desk.list(limit, { signal });
  }

  /**
   * Ends a job wherever it is: one that waits is not begun, of one in hand the `signal` aborts. Who waits for its result gets
   * `JobCancelledError`; a parent does not wait for it any more. False if there is no such job.
   */
  async cancel(
    id: string,
    options: Cancellable & { readonly reason?: string | undefined } = {},
  ): Promise<boolean> {
    checkOptions('WorkQueue.cancel', options, CANCEL_OPTIONS);
    return await this.#desk.cancel(id, options);
  }

  /** No job is begun any more, by nobody, until `resume`; those in hand go on. */
  async pause(options: Cancellable = {}): Promise<void> {
    checkOptions('WorkQueue.pause', options, SIGNAL_OPTION);
    const signals = options.signal === undefined ? [] : [options.signal];
    await orAborted(this.#adder.prepare(), ...signals);
    await this.#desk.pause(options);
  }

  async resume(options: Cancellable = {}): Promise<void> {
    checkOptions('WorkQueue.resume', options, SIGNAL_OPTION);
    await this.#desk.resume(options);
  }

  /**
   * What happens in the queue from now on, whoever does it. It may begin and go on with `missed`: some may not have been
   * told, as after a loss of the connection, or to a slow consumer.
   */
  events(options: Cancellable = {}): AsyncIterable<QueueEvent> {
    checkOptions('WorkQueue.events', options, SIGNAL_OPTION);
    return queueEvents(this.#client, this.#layout, options.signal);
  }

  async counts(options: Cancellable = {}): Promise<QueueCounts> {
    checkOptions('WorkQueue.counts', options, SIGNAL_OPTION);
    const { jobs, delays, dead, consumers, paused } = this.#layout;
    const [jobCount, delayed, deadCount, consumerCount, pausedStat] = await Promise.all([
      ...[jobs, delays, dead, consumers].map((path) => this.#count(path, options)),
      repeatRead(this.#client, options, () => this.#client.exists(paused, options)),
    ]);
    return {
      jobs: Number(jobCount),
      delayed: Number(delayed),
      dead: Number(deadCount),
      consumers: Number(consumerCount),
      isPaused: pausedStat !== null,
    };
  }

  /** Ids, oldest job first. */
  async deadLetters(options: Cancellable = {}): Promise<readonly string[]> {
    checkOptions('WorkQueue.deadLetters', options, SIGNAL_OPTION);
    return await this.#dead.list(options);
  }

  /** Null if there is none of that id. */
  async deadLetter(id: string, options: Cancellable = {}): Promise<DeadLetter<Data> | null> {
    checkOptions('WorkQueue.deadLetter', options, SIGNAL_OPTION);
    return await this.#dead.read(id, options);
  }

  /** Makes a dead letter a job again, in one transaction, with no attempts counted; resolves to its new id. Rejects with `NoNodeError` if there is none. */
  async revive(id: string, options: Cancellable = {}): Promise<string> {
    checkOptions('WorkQueue.revive', options, SIGNAL_OPTION);
    return await this.#dead.revive(id, options);
  }

  /** Makes all dead letters jobs again, at most `limit` of them, the oldest first; resolves to how many they were. */
  async reviveAll(options: Cancellable & { readonly limit?: number | undefined } = {}): Promise<number> {
    checkOptions('WorkQueue.reviveAll', options, LIMIT_OPTIONS);
    return await this.#dead.reviveAll(options);
  }

  /** Rejects with `NoNodeError` if there is none. A parent does not wait for it any more. */
  async removeDeadLetter(id: string, options: Cancellable = {}): Promise<void> {
    checkOptions('WorkQueue.removeDeadLetter', options, SIGNAL_OPTION);
    await this.#dead.remove(id, options);
  }

  /** Names of one producer never go back in age. */
  #newId(facts: {
    readonly priority: number;
    readonly group: string | null;
    readonly bytes: number;
    readonly dueAt: number;
    readonly isParent: boolean;
  }): string {
    this.#lastEnqueuedAt = Math.max(this.#lastEnqueuedAt, this.#client.clock.wall());
    const name = { ...facts, enqueuedAt: this.#lastEnqueuedAt, number: this.#enqueued++ };
    return formatJobName(name, this.#producer);
  }

  async #count(path: string, options: Cancellable): Promise<number> {
    const stat = await repeatRead(this.#client, options, () => this.#client.exists(path, options));
    return stat?.numChildren ?? 0;
  }

  #encode(data: Data): Uint8Array {
    try {
      return this.#codec.encode(data);
    } catch (error) {
      throw new JobNotEncodableError(this.name, error);
    }
  }

  #tryDecode(payload: Uint8Array): Data | undefined {
    try {
      return this.#codec.decode(payload);
    } catch {
      return undefined;
    }
  }
}

function jsonCodec<Data>(): JobCodec<Data> {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return {
    encode: (data) => encoder.encode(jsonOf(data)),
    decode: (bytes) => parseJson(decoder.decode(bytes)) as Data,
  };
}

/** Throws for what JSON leaves out without a word: a function would reach the worker as nothing. */
function jsonOf(data: unknown): string {
  const json: string | undefined = JSON.stringify(data);
  if (json !== undefined) return json;
  throw new TypeError(
    `it is ${describeValue(data)}, which JSON cannot hold${data === undefined ? '; null it can' : ''}`,
  );
}
