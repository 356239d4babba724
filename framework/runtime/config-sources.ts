import type { Client } from '../../core/client/index.js';
import { NodeCache, type NodeValue } from '../../core/recipes/index.js';
import { configPathsOf } from '../config/config-paths.js';

interface Source {
  readonly cache: NodeCache;
  isReady: boolean;
}

/** The znodes of configurations, as far as they were asked for, kept up to date. */
export class ConfigSources {
  readonly #client: Client;
  readonly #closing = new AbortController();
  readonly #sources = new Map<string, Source>();
  readonly #following: Promise<void>[] = [];
  readonly #changed: () => void;
  readonly #failed: (name: string, error: unknown) => void;

  /** `changed` is called after every change of one that is ready; `failed` if one is not followed any more. */
  constructor(client: Client, listener: { changed(): void; failed(name: string, error: unknown): void }) {
    this.#client = client;
    this.#changed = () => listener.changed();
    this.#failed = (name, error) => listener.failed(name, error);
  }

  /** Undefined: not known yet; null: there is no such znode. */
  current(name: string): NodeValue | null | undefined {
    const source = this.#sources.get(name);
    return source?.isReady === true ? source.cache.current : undefined;
  }

  /** Begins to follow a znode; `changed` tells when it is known. */
  open(name: string): void {
    if (this.#sources.has(name)) return;
    const cache = new NodeCache(this.#client, configPathsOf(name).value);
    const source: Source = { cache, isReady: false };
    this.#sources.set(name, source);
    const changes = cache.changes({ signal: this.#closing.signal });
    cache.start();
    this.#following.push(this.#follow(name, source, changes));
  }

  /** Resolves when they are known. */
  async ready(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      this.open(name);
      const source = this.#sources.get(name)!;
      await source.cache.ready({ signal: this.#closing.signal });
      source.isReady = true;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#sources.values()].map(({ cache }) => cache.close()));
    await Promise.all(this.#following);
  }

  async #follow(name: string, source: Source, changes: AsyncIterable<unknown>): Promise<void> {
    try {
      await source.cache.ready({ signal: this.#closing.signal });
      source.isReady = true;
      this.#changed();
      for await (const change of changes) if (change !== undefined) this.#changed();
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#failed(name, error);
    }
  }
}
