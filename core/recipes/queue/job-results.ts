import { parseJson } from '../../runtime/index.js';
import { allChildren, type Client, type Operation } from '../../client/index.js';
import { repeatRead, hasCode } from '../waiting/failure.js';
import { parseJobName } from './job-name.js';
import type { QueueLayout } from './queue-layout.js';

/** What is known of a job that is over. */
export type KeptResult =
  | { readonly type: 'result'; readonly value: unknown }
  | { readonly type: 'cancelled'; readonly reason: string };

/** Begins what is kept of a cancelled job; no JSON does. */
const CANCELLED = 'cancelled\n';

/** Whether `data`, which is kept of a job that is over, says that it was cancelled. */
export function saysCancelled(data: Uint8Array | null): boolean {
  return new TextDecoder().decode(data ?? new Uint8Array()).startsWith(CANCELLED);
}

const SWEEP_EVERY_MS = 60_000;
/** Results that one sweep looks at. */
const MOST_SWEPT = 10_000;
/** Of those, so many at once. */
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
  /** Monotonic. */
  #sweepAt = 0;

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
      const { data } = await repeatRead(this.#client, options, () => this.#client.getData(path, options));
      const text = new TextDecoder().decode(data ?? new Uint8Array());
      if (text.startsWith(CANCELLED)) return { type: 'cancelled', reason: text.slice(CANCELLED.length) };
      return { type: 'result', value: parseJson(text) };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }

  /** Whether `sweep` would do something now. */
  get isSweepDue(): boolean {
    return !this.#hasTtl && this.#client.clock.now() >= this.#sweepAt;
  }

  /**
   * Removes results that are too old if the servers do not: once a minute, and so many of the oldest at most. Their names
   * say when the jobs were enqueued, so that none is looked at which cannot be old.
   */
  async sweep(): Promise<void> {
    const { clock } = this.#client;
    if (!this.isSweepDue) return;
    this.#sweepAt = clock.now() + SWEEP_EVERY_MS;
    const children = await allChildren(this.#client, this.#layout.results);
    const oldest = clock.wall() - this.#ttlMs;
    // In the order of their names, which is that of age.
    const mayBeOld = children.filter((name) => (parseJobName(name)?.enqueuedAt ?? 0) <= oldest);
    for (let at = 0; at < Math.min(mayBeOld.length, MOST_SWEPT); at += SWEEP_SLICE)
      await Promise.all(mayBeOld.slice(at, at + SWEEP_SLICE).map((name) => this.#sweepOne(name)));
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
