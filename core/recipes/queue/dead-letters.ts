import type { Client, Operation } from '../../client/index.js';
import { ask, hasCode } from '../waiting/failure.js';
import { compareJobs, parseJobName } from './job-name.js';
import { decodeRecord, encodeRecord, type JobRecord } from './job-record.js';
import type { DeadLetter } from './job.js';
import type { QueueLayout } from './queue-layout.js';

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
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
      const { children } = await ask(this.#client, options, () =>
        this.#client.getChildren(this.#layout.dead, options),
      );
      return inOrder(children);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  async read(id: string, options: Cancellable): Promise<DeadLetter<Data> | null> {
    const record = await this.record(id, options);
    if (record === null) return null;
    const { header, payload } = record;
    return {
      id,
      data: this.#parts.decode(payload),
      attempts: header.attempts,
      failure: header.failure ?? '',
      enqueuedAt: header.enqueuedAt,
      failedAt: header.failedAt ?? header.enqueuedAt,
    };
  }

  async record(id: string, options: Cancellable): Promise<JobRecord | null> {
    try {
      const path = `${this.#layout.dead}/${id}`;
      const { data, stat } = await ask(this.#client, options, () => this.#client.getData(path, options));
      return decodeRecord(data, stat.ctime);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }

  async revive(id: string, options: Cancellable): Promise<string> {
    const path = `${this.#layout.dead}/${id}`;
    const { data, stat } = await this.#client.getData(path, options);
    const { header, payload } = decodeRecord(data, stat.ctime);
    const { enqueuedAt, retries, parent, isOptional, children, isUnblocked } = header;
    const name = parseJobName(id);
    const newId = this.#parts.newId(name?.priority ?? 0, name?.group ?? null, payload.length);
    const record = encodeRecord({
      header: { attempts: 0, enqueuedAt, retries, parent, isOptional, children, isUnblocked },
      payload,
    });
    await this.#client.multi(
      [
        { type: 'delete', path, version: stat.version },
        { type: 'create', path: `${this.#layout.jobs}/${newId}`, data: record, mode: 'persistent' },
      ],
      options,
    );
    return newId;
  }

  async reviveAll(options: Cancellable & { readonly limit?: number | undefined }): Promise<number> {
    const ids = await this.list(options);
    let count = 0;
    for (const id of ids.slice(0, options.limit ?? ids.length)) {
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
    const path = `${this.#layout.dead}/${id}`;
    const { data, stat } = await this.#client.getData(path, options);
    const { parent } = decodeRecord(data, stat.ctime).header;
    const remove: Operation = { type: 'delete', path, version: stat.version };
    if (parent !== undefined && (await this.#client.exists(parent, options)) !== null)
      await this.#client.multi([remove, { type: 'delete', path: parent }], options);
    else await this.#client.delete(path, { ...options, version: stat.version });
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
