import type { Client, MultiError } from '../../client/index.js';
import {
  repeatRead,
  hasCode,
  isClosed,
  isTransient,
  pause,
  repeatIdempotentAcrossSessions,
} from '../waiting/failure.js';
import type { JobDraft } from './job-draft.js';
import type { QueueLayout } from './queue-layout.js';
import { TransactionBatch } from './transaction-batch.js';

/** Puts jobs into a queue, many in one transaction, and makes the znodes below which they are. */
export class JobAdder {
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #additions: TransactionBatch;
  #prepared: Promise<void> | null = null;
  #isPrepared = false;

  constructor(client: Client, layout: QueueLayout) {
    this.#client = client;
    this.#layout = layout;
    this.#additions = new TransactionBatch(client);
  }

  /** Jobs that have not left for the servers yet, each with its children. */
  get waiting(): number {
    return this.#additions.waiting;
  }

  get isPrepared(): boolean {
    return this.#isPrepared;
  }

  /** Makes the parents. Forgotten when it fails, so that it is tried again. */
  prepare(): Promise<void> {
    this.#prepared ??= this.#makeParents().then(
      () => void (this.#isPrepared = true),
      (error: unknown) => {
        this.#prepared = null;
        throw error;
      },
    );
    return this.#prepared;
  }

  async #makeParents(): Promise<void> {
    const make = async (path: string): Promise<void> => {
      const create = () => this.#client.create(path, null, { createParents: true });
      await repeatIdempotentAcrossSessions(this.#client, create).catch((error: unknown) => {
        if (!hasCode(error, 'NODE_EXISTS')) throw error;
      });
    };
    const [first, ...others] = this.#layout.parents;
    // The first one makes what is above all of them.
    await make(first!);
    await Promise.all(others.map(make));
  }

  /** Somebody removed the parents. */
  prepareAgain(): Promise<void> {
    this.#prepared = null;
    this.#isPrepared = false;
    return this.prepare();
  }

  /**
   * Adds a job and its children; resolves to its id, or to that of the job that has its key. The names are chosen, so what is
   * asked for once more after an unknown outcome is not added twice.
   */
  async add(draft: JobDraft): Promise<string> {
    const operations = draft.operations();
    for (let attempt = 0, isUnsure = false; ; attempt++) {
      try {
        await this.#additions.submit(operations);
        return draft.id;
      } catch (error) {
        if (isClosed(this.#client, error)) throw error;
        if (hasCode(error, 'MULTI_FAILED')) {
          const { index, cause } = error as MultiError;
          if (index === 0 && isUnsure && hasCode(cause, 'NODE_EXISTS')) return draft.id;
          if (index === 1 && draft.key !== undefined && hasCode(cause, 'NODE_EXISTS')) {
            const holder = await this.#holderOf(draft.key);
            if (holder !== null) return holder;
          } else if (hasCode(cause, 'NO_NODE') && attempt < 3) {
            await Promise.all(draft.family.map(({ queue }) => queue.prepare()));
            await this.prepareAgain();
          } else throw cause;
        } else if (isTransient(error) || hasCode(error, 'SESSION_EXPIRED')) {
          isUnsure = true;
          await pause(this.#client, attempt);
          if (await this.#isAdded(draft.id)) return draft.id;
        } else throw error;
      }
    }
  }

  /** Whether there is a trace of the job. The `sync` makes a server that lags behind catch up first. */
  async #isAdded(id: string): Promise<boolean> {
    const { jobs, dead, results } = this.#layout;
    const found = await repeatRead(this.#client, {}, async () => {
      await this.#client.sync(jobs);
      return await Promise.all([jobs, dead, results].map((path) => this.#client.exists(`${path}/${id}`)));
    });
    return found.some((stat) => stat !== null);
  }

  async #holderOf(key: string): Promise<string | null> {
    try {
      const { data } = await repeatRead(this.#client, {}, () =>
        this.#client.getData(this.#layout.keyPath(key)),
      );
      return new TextDecoder().decode(data ?? new Uint8Array());
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }
}
