import type { Client } from '../../core/client/index.js';
import type { Clock } from '../../core/runtime/index.js';
import { NodeCache, type NodeValue } from '../../core/recipes/index.js';
import { configPathsOf } from '../config/config-paths.js';
import { sleep } from './waiting.js';

/** How long after a znode could not be read any more, as for want of a right, it is tried again. */
const AGAIN_MS = 15_000;

interface Source {
  /** The one that knows most, also if it fails to learn more. */
  cache: NodeCache;
  isReady: boolean;
}

export interface SourcesListener {
  /** After every change of a znode that is known. */
  changed(): void;
  /** It is not followed for now; what is known of it stays. Told once, until `followed`. */
  failed(name: string, error: unknown): void;
  /** It is again. */
  followed(name: string): void;
}

/** The znodes of configurations, as far as they were asked for, kept up to date. */
export class ConfigSources {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #listener: SourcesListener;
  readonly #closing = new AbortController();
  readonly #sources = new Map<string, Source>();
  readonly #following: Promise<void>[] = [];

  constructor(client: Client, clock: Clock, listener: SourcesListener) {
    this.#client = client;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Undefined: not known yet; null: there is no such znode. */
  current(name: string): NodeValue | null | undefined {
    const source = this.#sources.get(name);
    return source?.isReady === true ? source.cache.current : undefined;
  }

  /** Begins to follow a znode; the listener hears when it is known. */
  open(name: string): void {
    if (this.#sources.has(name)) return;
    const source: Source = { cache: this.#cacheOf(name), isReady: false };
    this.#sources.set(name, source);
    this.#following.push(this.#keepFollowing(name, source));
  }

  /** Resolves when they are known; rejects if one cannot be read. */
  async ready(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      this.open(name);
      const source = this.#sources.get(name)!;
      await source.cache.ready({ signal: this.#closing.signal });
      source.isReady = true;
    }
  }

  /** Resolves when they are known or cannot be read; the listener hears of those that cannot. */
  async tried(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      await this.ready([name]).catch((error: unknown) => {
        if (this.#closing.signal.aborted) throw error;
      });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#sources.values()].map(({ cache }) => cache.close()));
    await Promise.all(this.#following);
  }

  #cacheOf(name: string): NodeCache {
    return new NodeCache(this.#client, configPathsOf(name).value);
  }

  async #keepFollowing(name: string, source: Source): Promise<void> {
    let { cache } = source;
    for (let isFollowed = true; ; cache = this.#cacheOf(name)) {
      try {
        await this.#follow(cache, () => {
          source.cache = cache;
          source.isReady = true;
          if (!isFollowed) this.#listener.followed(name);
          isFollowed = true;
        });
      } catch (error) {
        if (!this.#closing.signal.aborted && isFollowed) this.#listener.failed(name, error);
        isFollowed = false;
      }
      await cache.close();
      if (!(await sleep(this.#clock, AGAIN_MS, this.#closing.signal))) return;
    }
  }

  /** Rejects when the cache fails; resolves when it closes. */
  async #follow(cache: NodeCache, known: () => void): Promise<void> {
    const { signal } = this.#closing;
    const changes = cache.changes({ signal });
    cache.start();
    await cache.ready({ signal });
    known();
    this.#listener.changed();
    for await (const change of changes) if (change !== undefined) this.#listener.changed();
  }
}
