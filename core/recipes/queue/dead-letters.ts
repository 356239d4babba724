import { allChildren, type Client, type Operation } from '../../client/index.js';
import { repeatRead, hasCode } from '../waiting/failure.js';
import { compareJobs, parseJobName } from './job-name.js';
import { decodeRecord, encodeRecord, type JobRecord } from './job-record.js';
import type { DeadLetter } from './job.js';
import type { QueueLayout } from './queue-layout.js';

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

interface Letter {
  readonly path: string;
  readonly version: number;
  readonly record: JobRecord;
}

/** Jobs of a queue that are given up. */
export class DeadLetters<Data> {
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #parts: {
    decode(payload: Uint8Array): Data | undefined;
    newId(priority: number, group: string | null, bytes: number): string;
  };

  constructor(
    client: Client,
    layout: QueueLayout,
    parts: {
      decode(payload: Uint8Array): Data | undefined;
      newId(priority: number, group: string | null, bytes: number): string;
    },
  ) {
    this.#client = client;
    this.#layout = layout;
    this.#parts = parts;
  }

  async list(options: Cancellable): Promise<readonly string[]> {
    try {
      const { dead } = this.#layout;
      return inOrder(await repeatRead(this.#client, options, () => allChildren(this.#client, dead, options)));
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  async read(id: string, options: Cancellable): Promise<DeadLetter<Data> | null> {
    const found = await this.#find(id, options);
    if (found === null) return null;
    const { header, payload } = found.record;
    return {
      id,
      data: this.#parts.decode(payload),
      attempts: header.attempts,
      failure: header.failure ?? '',
      enqueuedAt: header.enqueuedAt,
      failedAt: header.failedAt ?? header.enqueuedAt,
    };
  }

  /** As far as the member has heard that this client is connected to. */
  async record(id: string, options: Cancellable): Promise<JobRecord | null> {
    return (await this.#findHere(id, options))?.record ?? null;
  }

  async revive(id: string, options: Cancellable): Promise<string> {
    const { path, version, record: letter } = await this.#get(id, options);
    const { header, payload } = letter;
    const { enqueuedAt, retries, parent, isOptional, children, isUnblocked } = header;
    const name = parseJobName(id);
    const newId = this.#parts.newId(name?.priority ?? 0, name?.group ?? null, payload.length);
    const record = encodeRecord({
      header: { attempts: 0, enqueuedAt, retries, parent, isOptional, children, isUnblocked },
      payload,
    });
    await this.#client.multi(
      [
        { type: 'delete', path, version },
        { type: 'create', path: `${this.#layout.jobs}/${newId}`, data: record, mode: 'persistent' },
      ],
      options,
    );
    return newId;
  }

  async reviveAll({ limit, signal }: Cancellable & { readonly limit?: number | undefined }): Promise<number> {
    const options = { signal };
    const ids = await this.list(options);
    let count = 0;
    for (const id of ids.slice(0, limit ?? ids.length)) {
      try {
        await this.revive(id, options);
        count++;
      } catch (error) {
        // Somebody else was faster.
        if (!isGone(error)) throw error;
      }
    }
    return count;
  }

  async remove(id: string, options: Cancellable): Promise<void> {
    const { path, version, record } = await this.#get(id, options);
    const { parent } = record.header;
    const remove: Operation = { type: 'delete', path, version };
    if (parent !== undefined && (await this.#client.exists(parent, options)) !== null)
      await this.#client.multi([remove, { type: 'delete', path: parent }], options);
    else await this.#client.delete(path, { ...options, version });
  }

  /** @throws NoNodeError when no member has such a letter. */
  async #get(id: string, options: Cancellable): Promise<Letter> {
    return (await this.#find(id, options)) ?? (await this.#read(id, options));
  }

  /** Whoever gave the job up may be at another member: this client's is asked again once it has heard of that. */
  async #find(id: string, options: Cancellable): Promise<Letter | null> {
    const known = await this.#findHere(id, options);
    if (known !== null) return known;
    await repeatRead(this.#client, options, () => this.#client.sync(this.#layout.dead, options));
    return await this.#findHere(id, options);
  }

  async #findHere(id: string, options: Cancellable): Promise<Letter | null> {
    try {
      return await this.#read(id, options);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }

  async #read(id: string, options: Cancellable): Promise<Letter> {
    const path = `${this.#layout.dead}/${id}`;
    const { data, stat } = await repeatRead(this.#client, options, () => this.#client.getData(path, options));
    return { path, version: stat.version, record: decodeRecord(data, stat.ctime) };
  }
}

/** Names of jobs, in the order in which they are to be done. */
export function inOrder(names: readonly string[]): string[] {
  return names
    .flatMap((name) => {
      const facts = parseJobName(name);
      return facts === null ? [] : [{ name, facts }];
    })
    .sort((a, b) => compareJobs(a.facts, b.facts))
    .map(({ name }) => name);
}

function isGone(error: unknown): boolean {
  if (hasCode(error, 'NO_NODE')) return true;
  return (
    hasCode(error, 'MULTI_FAILED') && (hasCode(error.cause, 'NO_NODE') || hasCode(error.cause, 'BAD_VERSION'))
  );
}
