import { parseJson } from '../../runtime/index.js';
import {
  allChildren,
  type Client,
  type MultiError,
  type Operation,
  type Session,
} from '../../client/index.js';
import { JobCancelledError, JobDeadError } from '../errors.js';
import { lowerFlag, raiseFlag } from '../nodes/flag-node.js';
import { readAndWatch } from '../nodes/watched-read.js';
import { Deadline, orAborted } from '../waiting/abort.js';
import {
  repeatRead,
  hasCode,
  isClosed,
  isSessionOver,
  isTransient,
  nextSession,
  pause,
} from '../waiting/failure.js';
import { inOrder, type DeadLetters } from './dead-letters.js';
import { parseJobName } from './job-name.js';
import { decodeRecord, type JobHeader, type JobRecord } from './job-record.js';
import type { JobResults } from './job-results.js';
import type { JobStatus } from './job.js';
import { parseDelay, type QueueLayout } from './queue-layout.js';

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** Jobs that are read together. */
const SLICE = 50;
const NOTHING_KNOWN = { progress: undefined, failure: undefined, dueAt: undefined };

/** What can be asked of a job, and done to it, from anywhere. */
export class JobDesk<Data> {
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #parts: {
    readonly results: JobResults;
    readonly dead: DeadLetters<Data>;
    decode(payload: Uint8Array): Data | undefined;
  };

  constructor(
    client: Client,
    layout: QueueLayout,
    parts: {
      readonly results: JobResults;
      readonly dead: DeadLetters<Data>;
      decode(payload: Uint8Array): Data | undefined;
    },
  ) {
    this.#client = client;
    this.#layout = layout;
    this.#parts = parts;
  }

  async result(id: string, options: Cancellable): Promise<unknown> {
    using deadline = new Deadline(this.#client.clock, options, () => undefined);
    let previous: Session | null = null;
    for (;;) {
      const session = await nextSession(this.#client, previous, deadline.signal);
      try {
        const wasThere = await this.#waitUntilOver(id, session, deadline.signal);
        const known = await this.#resultOf(id, options);
        if (known !== null || wasThere) return known?.value;
        // Whoever added it may have done so at another member: this one is asked again once it has heard of that.
        await this.#catchUp(options);
        await this.#waitUntilOver(id, session, deadline.signal);
        return (await this.#resultOf(id, options))?.value;
      } catch (error) {
        deadline.signal.throwIfAborted();
        if (isClosed(this.#client, error) || !isSessionOver(error, session)) throw error;
        previous = session;
      }
    }
  }

  async status(id: string, options: Cancellable): Promise<JobStatus<Data> | null> {
    const status = await this.#statusHere(id, options);
    if (status !== null) return status;
    await this.#catchUp(options);
    return await this.#statusHere(id, options);
  }

  /** As far as the member has heard that this client is connected to. */
  async #statusHere(id: string, options: Cancellable): Promise<JobStatus<Data> | null> {
    const found = await this.#read(id, options);
    if (found !== null) return await this.#statusOf(id, found.record, options);
    const letter = await this.#parts.dead.record(id, options);
    if (letter !== null) return this.#status(id, letter, { state: 'dead', failure: letter.header.failure });
    const kept = await this.#parts.results.read(id, options);
    if (kept === null) return null;
    const state = kept.type === 'result' ? 'done' : 'cancelled';
    const enqueuedAt = parseJobName(id)?.enqueuedAt ?? 0;
    return { id, state, data: undefined, attempts: 0, enqueuedAt, ...NOTHING_KNOWN };
  }

  async list(limit: number, options: Cancellable): Promise<readonly JobStatus<Data>[]> {
    const children = await repeatRead(this.#client, options, () =>
      allChildren(this.#client, this.#layout.jobs, options),
    ).catch((error: unknown) => {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    });
    const names = inOrder(children).slice(0, limit);
    const statuses: JobStatus<Data>[] = [];
    for (let at = 0; at < names.length; at += SLICE) {
      const slice = names.slice(at, at + SLICE).map((name) => this.#statusHere(name, options));
      for (const status of await Promise.all(slice)) if (status !== null) statuses.push(status);
    }
    return statuses;
  }

  async cancel(
    id: string,
    { reason = 'no reason was given', signal }: Cancellable & { readonly reason?: string | undefined },
  ): Promise<boolean> {
    const options = { signal };
    let doesKeep = true;
    let isCaughtUp = false;
    for (let attempt = 0, isUnsure = false; ; attempt++) {
      const found = await this.#read(id, options);
      if (found === null) {
        if (isCaughtUp) return isUnsure && (await this.#wasCancelled(id, options));
        await this.#catchUp(options);
        isCaughtUp = true;
        continue;
      }
      const keep = this.#parts.results.keepCancelled(id, reason);
      const removal: Operation = {
        type: 'delete',
        path: `${this.#layout.jobs}/${id}`,
        version: found.version,
      };
      const aside = await this.#beside(id, found.record.header, options);
      try {
        await this.#client.multi([removal, ...aside, ...(doesKeep ? [keep] : [])], options);
        return true;
      } catch (error) {
        if (isTransient(error) && !isClosed(this.#client, error)) isUnsure = true;
        else if (!hasCode(error, 'MULTI_FAILED')) throw error;
        else if (this.#parts.results.learnFrom(error)) continue;
        else if (hasCode((error as MultiError).cause, 'NODE_EXISTS')) doesKeep = false;
        else if (!isRace(error as MultiError)) throw (error as MultiError).cause;
        await pause(this.#client, attempt, ...(options.signal === undefined ? [] : [options.signal]));
      }
    }
  }

  async pause(options: Cancellable): Promise<void> {
    await raiseFlag(this.#client, this.#layout.paused, options);
  }

  async resume(options: Cancellable): Promise<void> {
    await lowerFlag(this.#client, this.#layout.paused, options);
  }

  /** What else there is of a job, which goes with it. */
  async #beside(id: string, header: JobHeader, options: Cancellable): Promise<readonly Operation[]> {
    const { delays, progress, children } = this.#layout;
    const { delay, key, parent } = header;
    const own = parseJobName(id)?.isParent === true ? `${children}/${id}` : null;
    const waitedFor = own === null ? [] : await this.#childrenOf(own, options);
    const paths = [
      ...(delay === undefined ? [] : [`${delays}/${delay}`]),
      ...(key === undefined ? [] : [this.#layout.keyPath(key)]),
      ...(parent === undefined ? [] : [parent]),
      ...(header.by === undefined ? [] : [`${progress}/${id}`]),
      ...waitedFor,
      ...(own === null ? [] : [own]),
    ];
    const stats = await Promise.all(
      paths.map((path) => repeatRead(this.#client, options, () => this.#client.exists(path, options))),
    );
    return paths.filter((_, at) => stats[at] !== null).map((path) => ({ type: 'delete', path }));
  }

  async #childrenOf(path: string, options: Cancellable): Promise<readonly string[]> {
    try {
      const children = await repeatRead(this.#client, options, () =>
        allChildren(this.#client, path, options),
      );
      return children.map((child) => `${path}/${child}`);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  async #wasCancelled(id: string, options: Cancellable): Promise<boolean> {
    return (await this.#parts.results.read(id, options))?.type === 'cancelled';
  }

  async #read(
    id: string,
    options: Cancellable,
  ): Promise<{ readonly record: JobRecord; readonly version: number } | null> {
    try {
      const path = `${this.#layout.jobs}/${id}`;
      const { data, stat } = await repeatRead(this.#client, options, () =>
        this.#client.getData(path, options),
      );
      return { record: decodeRecord(data, stat.ctime), version: stat.version };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }

  async #statusOf(id: string, record: JobRecord, options: Cancellable): Promise<JobStatus<Data>> {
    const { by, delay, failure, isUnblocked } = record.header;
    const exists = (path: string) =>
      repeatRead(this.#client, options, () => this.#client.exists(path, options));
    if (by !== undefined && (await exists(`${this.#layout.consumers}/${by}`)) !== null)
      return this.#status(id, record, {
        state: 'active',
        failure,
        progress: await this.#progressOf(id, options),
      });
    const name = parseJobName(id);
    const dueAt = delay === undefined ? (name?.dueAt ?? 0) : (parseDelay(delay)?.dueAt ?? 0);
    if (dueAt > this.#client.clock.wall())
      return this.#status(id, record, { state: 'delayed', failure, dueAt });
    const isBlocked =
      name?.isParent === true &&
      isUnblocked !== true &&
      ((await exists(`${this.#layout.children}/${id}`))?.numChildren ?? 0) > 0;
    return this.#status(id, record, { state: isBlocked ? 'blocked' : 'waiting', failure });
  }

  async #progressOf(id: string, options: Cancellable): Promise<unknown> {
    try {
      const path = `${this.#layout.progress}/${id}`;
      const { data } = await repeatRead(this.#client, options, () => this.#client.getData(path, options));
      return parseJson(new TextDecoder().decode(data ?? new Uint8Array()));
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return undefined;
      throw error;
    }
  }

  #status(
    id: string,
    { header, payload }: JobRecord,
    more: Pick<JobStatus<Data>, 'state'> & Partial<JobStatus<Data>>,
  ): JobStatus<Data> {
    const { attempts, enqueuedAt } = header;
    return { id, data: this.#parts.decode(payload), attempts, enqueuedAt, ...NOTHING_KNOWN, ...more };
  }

  /** What is asked of this client's member from now on, it answers with all that any member has answered before. */
  async #catchUp(options: Cancellable): Promise<void> {
    await repeatRead(this.#client, options, () => this.#client.sync(this.#layout.jobs, options));
  }

  /** Watches the job until it is gone; false if it was not there to begin with. */
  async #waitUntilOver(id: string, session: Session, signal: AbortSignal): Promise<boolean> {
    const signals = [signal, session.signal];
    for (let wasThere = false; ; wasThere = true) {
      const read = await readAndWatch(this.#client, `${this.#layout.jobs}/${id}`, { session, signals });
      if (read === null) return wasThere;
      await orAborted(read.changed, ...signals).finally(() => read.cancel());
    }
  }

  /** Null if nothing is known of its end. */
  async #resultOf(id: string, options: Cancellable): Promise<{ readonly value: unknown } | null> {
    const letter = await this.#parts.dead.record(id, options);
    if (letter !== null) throw new JobDeadError(id, letter.header.failure ?? 'it was given up');
    const kept = await this.#parts.results.read(id, options);
    if (kept?.type === 'cancelled') throw new JobCancelledError(id, kept.reason);
    return kept;
  }
}

/** Somebody changed something of the job meanwhile: worth another look. */
function isRace({ cause }: MultiError): boolean {
  return ['NO_NODE', 'BAD_VERSION', 'NOT_EMPTY'].some((code) => hasCode(cause, code));
}
