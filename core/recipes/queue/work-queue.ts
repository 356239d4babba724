import type { Client, Session } from '../../client/index.js';
import { JobDeadError, JobTooLargeError, QueueFullError } from '../errors.js';
import { readAndWatch } from '../nodes/watched-read.js';
import { nameOf, pathBelow } from '../nodes/znode-name.js';
import { Deadline, orAborted } from '../waiting/abort.js';
import {
  ask,
  hasCode,
  isClosed,
  isSessionOver,
  nextSession,
  pause,
  persistAcross,
} from '../waiting/failure.js';
import type { DeadLetter, JobCodec, QueueCounts } from './job.js';
import { decodeRecord, encodeRecord } from './job-record.js';
import { QueueConsumer, type ConsumeOptions, type JobHandler } from './queue-consumer.js';
import { jobSequence, QueueLayout } from './queue-layout.js';

export interface WorkQueueOptions<Data> {
  /** Parent of all queues; `/queues` by default. */
  readonly root?: string | undefined;
  /** JSON by default. */
  readonly codec?: JobCodec<Data> | undefined;
  /** Jobs and dead letters together; 10 000 by default. */
  readonly maxJobs?: number | undefined;
  /** Of one job's encoded data, and of one result; 256 KiB by default. */
  readonly maxJobBytes?: number | undefined;
  /** How long a result is kept; one hour by default. */
  readonly resultTtlMs?: number | undefined;
}

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_MAX_JOBS = 10_000;
const DEFAULT_MAX_JOB_BYTES = 256 * 1024;
const DEFAULT_RESULT_TTL_MS = 3_600_000;
/** The jobs are counted at least this often, and after this part of the room that was left has been used. */
const COUNT_EVERY_MS = 1_000;
const SHARE_OF_ROOM = 0.1;

/**
 * Jobs for workers on any machine. The znodes are described at `QueueLayout`, the consuming side at `QueueConsumer`.
 *
 * Guarantees: an enqueued job is done at least once, or ends as a dead letter. A job of a worker that crashed is free
 * again after its session timeout; one whose connection is only suspended keeps its jobs. Completion is fenced: it is one
 * transaction that needs the claim and the job unchanged, so a worker that comes late changes nothing. Order is by age,
 * roughly: jobs run side by side, and a failed one comes back after its delay.
 *
 * A queue has no state of its own and needs no closing; consumers have. Everything waits while suspended. After a lost
 * session all goes on in the next one, except an `enqueue` whose outcome could not be learnt.
 *
 * Bounds: `enqueue` refuses when jobs and dead letters reach `maxJobs`. They are counted about once a second, so that
 * several producers at once may pass the bound by what they add in that time, at most by a tenth each.
 */
export class WorkQueue<Data = unknown> {
  readonly name: string;
  readonly path: string;
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #codec: JobCodec<Data>;
  readonly #maxJobs: number;
  readonly #maxJobBytes: number;
  readonly #resultTtlMs: number;
  #prepared: Promise<void> | null = null;
  #room = { left: 0, until: 0 };

  /** Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: WorkQueueOptions<Data> = {}) {
    this.name = name;
    this.path = pathBelow(options.root ?? '/queues', name, 'queue');
    this.#client = client;
    this.#layout = new QueueLayout(this.path);
    this.#codec = options.codec ?? jsonCodec<Data>();
    this.#maxJobs = options.maxJobs ?? DEFAULT_MAX_JOBS;
    this.#maxJobBytes = options.maxJobBytes ?? DEFAULT_MAX_JOB_BYTES;
    this.#resultTtlMs = options.resultTtlMs ?? DEFAULT_RESULT_TTL_MS;
  }

  /**
   * Adds a job, once also if the reply is lost; resolves to its id. Rejects with `QueueFullError`, `JobTooLargeError`, or
   * the client's `OutcomeUnknownError` if the session was lost before the outcome could be learnt. After its `signal`
   * aborted the job may still be added.
   */
  async enqueue(data: Data, options: Cancellable = {}): Promise<string> {
    const payload = this.#encode(data);
    await this.#prepare();
    await this.#takeRoom(options);
    const header = { attempts: 0, enqueuedAt: this.#client.clock.wall() };
    return await this.#add(encodeRecord({ header, payload }), options);
  }

  /** Starts a consumer, which goes on until it is drained. Throws `RangeError` for an impossible concurrency. */
  consume(handler: JobHandler<Data>, options: ConsumeOptions = {}): QueueConsumer<Data> {
    return new QueueConsumer<Data>(
      {
        client: this.#client,
        name: this.name,
        layout: this.#layout,
        codec: this.#codec,
        maxJobBytes: this.#maxJobBytes,
        resultTtlMs: this.#resultTtlMs,
        prepare: () => this.#prepareAgain(),
      },
      handler,
      options,
    );
  }

  /**
   * Waits until a job is over, and resolves to its result: undefined if it completed without one, or longer ago than
   * results are kept. Rejects with `JobDeadError` if it is a dead letter.
   */
  async result(id: string, options: Cancellable = {}): Promise<unknown> {
    using deadline = new Deadline(this.#client.clock, options, () => undefined);
    let previous: Session | null = null;
    for (;;) {
      const session = await nextSession(this.#client, previous, deadline.signal);
      try {
        await this.#waitUntilOver(id, session, deadline.signal);
        return await this.#readResult(id, options);
      } catch (error) {
        deadline.signal.throwIfAborted();
        if (isClosed(this.#client, error) || !isSessionOver(error, session)) throw error;
        previous = session;
      }
    }
  }

  async counts(options: Cancellable = {}): Promise<QueueCounts> {
    const { jobs, claims, delays, dead, consumers } = this.#layout;
    const [jobCount, claimed, delayed, deadCount, consumerCount] = await Promise.all(
      [jobs, claims, delays, dead, consumers].map((path) => this.#count(path, options)),
    );
    return {
      jobs: jobCount!,
      claimed: claimed!,
      delayed: delayed!,
      dead: deadCount!,
      consumers: consumerCount!,
    };
  }

  /** Ids, oldest job first. */
  async deadLetters(options: Cancellable = {}): Promise<readonly string[]> {
    try {
      const { children } = await ask(this.#client, options, () =>
        this.#client.getChildren(this.#layout.dead, options),
      );
      return children.toSorted((a, b) => ((jobSequence(a) ?? 0) - (jobSequence(b) ?? 0)) | 0);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  /** Null if there is none of that id. */
  async deadLetter(id: string, options: Cancellable = {}): Promise<DeadLetter<Data> | null> {
    const found = await this.#readDead(id, options);
    if (found === null) return null;
    const { header, payload } = found.record;
    return {
      id,
      data: this.#tryDecode(payload),
      attempts: header.attempts,
      failure: header.failure ?? '',
      enqueuedAt: header.enqueuedAt,
      failedAt: header.failedAt ?? header.enqueuedAt,
    };
  }

  /** Makes a dead letter a job again, in one transaction, with no attempts counted; resolves to its new id. Rejects with `NoNodeError` if there is none. */
  async revive(id: string, options: Cancellable = {}): Promise<string> {
    const path = `${this.#layout.dead}/${id}`;
    const { data, stat } = await this.#client.getData(path, options);
    const { header, payload } = decodeRecord(data, stat.ctime);
    const record = encodeRecord({ header: { attempts: 0, enqueuedAt: header.enqueuedAt }, payload });
    const [, created] = await this.#client.multi(
      [
        { type: 'delete', path, version: stat.version },
        { type: 'create', path: this.#newJobPath(), data: record, mode: 'persistent-sequential' },
      ],
      options,
    );
    if (created?.type !== 'create') throw new TypeError('a multi was answered out of order');
    return nameOf(created.path);
  }

  /** Rejects with `NoNodeError` if there is none. */
  async removeDeadLetter(id: string, options: Cancellable = {}): Promise<void> {
    await this.#client.delete(`${this.#layout.dead}/${id}`, options);
  }

  /** Makes the parents. Forgotten when it fails, so that it is tried again. */
  #prepare(): Promise<void> {
    this.#prepared ??= this.#makeParents().catch((error: unknown) => {
      this.#prepared = null;
      throw error;
    });
    return this.#prepared;
  }

  async #makeParents(): Promise<void> {
    for (const path of this.#layout.parents) {
      const create = () => this.#client.create(path, null, { createParents: true });
      await persistAcross(this.#client, create).catch((error: unknown) => {
        if (!hasCode(error, 'NODE_EXISTS')) throw error;
      });
    }
  }

  /** Somebody removed the parents. */
  #prepareAgain(): Promise<void> {
    this.#prepared = null;
    return this.#prepare();
  }

  #newJobPath(): string {
    return `${this.#layout.jobs}/job-${this.#client.random.uuid()}-`;
  }

  async #add(data: Uint8Array, options: Cancellable): Promise<string> {
    const path = this.#newJobPath();
    const create = { mode: 'persistent-sequential', uniqueName: true, signal: options.signal } as const;
    for (let attempt = 0; ; attempt++) {
      try {
        const created = await this.#client.create(path, data, create);
        return nameOf(created.path);
      } catch (error) {
        if (hasCode(error, 'OUTCOME_UNKNOWN')) {
          const found = await this.#find(nameOf(path), options);
          if (found === null) throw error;
          return found;
        }
        if (hasCode(error, 'NO_NODE') && attempt === 0) await this.#prepareAgain();
        // Not carried out in the session that ended, so it is asked for in the next one.
        else if (hasCode(error, 'SESSION_EXPIRED')) await pause(this.#client, attempt);
        else throw error;
      }
    }
  }

  /** The session in which the job was added is lost. If it can be seen from the next one, it was added. */
  async #find(unique: string, options: Cancellable): Promise<string | null> {
    const { children } = await ask(this.#client, options, async () => {
      await this.#client.sync(this.#layout.jobs, options);
      return await this.#client.getChildren(this.#layout.jobs, options);
    });
    return children.find((name) => name.startsWith(unique)) ?? null;
  }

  async #takeRoom(options: Cancellable): Promise<void> {
    const { clock } = this.#client;
    if (this.#room.left <= 0 || clock.now() >= this.#room.until) {
      const [jobs, dead] = await Promise.all([
        this.#count(this.#layout.jobs, options),
        this.#count(this.#layout.dead, options),
      ]);
      const room = this.#maxJobs - jobs - dead;
      if (room <= 0) throw new QueueFullError(this.name, { jobs, dead, maxJobs: this.#maxJobs });
      this.#room = { left: Math.ceil(room * SHARE_OF_ROOM), until: clock.now() + COUNT_EVERY_MS };
    }
    this.#room.left--;
  }

  async #count(path: string, options: Cancellable): Promise<number> {
    const stat = await ask(this.#client, options, () => this.#client.exists(path, options));
    return stat?.numChildren ?? 0;
  }

  /** Watches the job until it is gone. */
  async #waitUntilOver(id: string, session: Session, signal: AbortSignal): Promise<void> {
    const signals = [signal, session.signal];
    for (;;) {
      const read = await readAndWatch(this.#client, `${this.#layout.jobs}/${id}`, { session, signals });
      if (read === null) return;
      await orAborted(read.changed, ...signals).finally(() => read.cancel());
    }
  }

  async #readResult(id: string, options: Cancellable): Promise<unknown> {
    const dead = await this.#readDead(id, options);
    if (dead !== null) throw new JobDeadError(id, dead.record.header.failure ?? 'it was given up');
    try {
      const path = `${this.#layout.results}/${id}`;
      const { data } = await ask(this.#client, options, () => this.#client.getData(path, options));
      return JSON.parse(new TextDecoder().decode(data ?? new Uint8Array())) as unknown;
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return undefined;
      throw error;
    }
  }

  async #readDead(
    id: string,
    options: Cancellable,
  ): Promise<{ readonly record: ReturnType<typeof decodeRecord> } | null> {
    try {
      const path = `${this.#layout.dead}/${id}`;
      const { data, stat } = await ask(this.#client, options, () => this.#client.getData(path, options));
      return { record: decodeRecord(data, stat.ctime) };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }

  #encode(data: Data): Uint8Array {
    const payload = this.#codec.encode(data);
    if (payload.length > this.#maxJobBytes)
      throw new JobTooLargeError(this.name, 'job', payload.length, this.#maxJobBytes);
    return payload;
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
  return {
    encode: (data) => new TextEncoder().encode(JSON.stringify(data) ?? 'null'),
    decode: (bytes) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Data,
  };
}
