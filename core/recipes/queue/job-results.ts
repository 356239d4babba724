import type { Client, Operation } from '../../client/index.js';
import { ask, hasCode } from '../waiting/failure.js';
import type { QueueLayout } from './queue-layout.js';

/** What is known of a job that is over. */
export type KeptResult =
  | { readonly type: 'result'; readonly value: unknown }
  | { readonly type: 'cancelled'; readonly reason: string };

/** Begins what is kept of a cancelled job; no JSON does. */
const CANCELLED = 'cancelled\n';
const SWEEP_EVERY_MS = 60_000;
/** Results that are looked at together. */
const SWEEP_SLICE = 100;

/**
 * Results of jobs that are over, each kept for its time. Where the servers keep no znodes with a time to live (Apache
 * ZooKeeper does not unless told to) they are ordinary znodes, and a consumer sweeps out the old ones.
 */
export class JobResults {
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #ttlMs: number;
  #hasTtl = true;
  #sweptAt = 0;

  constructor(client: Client, layout: QueueLayout, ttlMs: number) {
    this.#client = client;
    this.#layout = layout;
    this.#ttlMs = ttlMs;
  }

  /** What has to be done, together with the end of the job, to keep `bytes`. */
  keep(job: string, bytes: Uint8Array): Operation {
    const path = `${this.#layout.results}/${job}`;
    return this.#hasTtl
      ? { type: 'create', path, data: bytes, mode: 'persistent-ttl', ttlMs: this.#ttlMs }
      : { type: 'create', path, data: bytes, mode: 'persistent' };
  }

  keepCancelled(job: string, reason: string): Operation {
    return this.keep(job, new TextEncoder().encode(`${CANCELLED}${reason}`));
  }

  /** Whether `error` says that there are no znodes with a time to live; then `keep` makes do without. */
  learnFrom(error: unknown): boolean {
    if (!this.#hasTtl || !hasCode(error, 'MULTI_FAILED') || !hasCode(error.cause, 'UNIMPLEMENTED'))
      return false;
    this.#hasTtl = false;
    return true;
  }

  /** Null if nothing is kept. */
  async read(
    job: string,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<KeptResult | null> {
    try {
      const path = `${this.#layout.results}/${job}`;
      const { data } = await ask(this.#client, options, () => this.#client.getData(path, options));
      const text = new TextDecoder().decode(data ?? new Uint8Array());
      if (text.startsWith(CANCELLED)) return { type: 'cancelled', reason: text.slice(CANCELLED.length) };
      return { type: 'result', value: JSON.parse(text) as unknown };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }

  /** Removes results that are too old, once in a while, if the servers do not. */
  async sweep(): Promise<void> {
    const { clock } = this.#client;
    if (this.#hasTtl || clock.now() < this.#sweptAt + SWEEP_EVERY_MS) return;
    this.#sweptAt = clock.now();
    const { children } = await this.#client.getChildren(this.#layout.results);
    for (let at = 0; at < children.length; at += SWEEP_SLICE)
      await Promise.all(children.slice(at, at + SWEEP_SLICE).map((name) => this.#sweepOne(name)));
  }

  async #sweepOne(name: string): Promise<void> {
    const path = `${this.#layout.results}/${name}`;
    const stat = await this.#client.exists(path);
    if (stat === null || stat.mtime + this.#ttlMs > this.#client.clock.wall()) return;
    await this.#client.delete(path).catch((error: unknown) => {
      if (!hasCode(error, 'NO_NODE')) throw error;
    });
  }
}
