import { checkOptions, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import type { CacheEvent, NodeValue } from './node-value.js';
import { TreeCache } from './tree-cache.js';

/**
 * A copy of one znode in this process, kept up to date by a persistent watch. States, guarantees, and what happens on
 * suspension and loss are those of `TreeCache`; the znode need not exist. One that may not be read fails the cache: it is not
 * taken for one that does not exist.
 */
export class NodeCache implements AsyncDisposable {
  readonly path: string;
  readonly #cache: TreeCache;

  constructor(client: Client, path: string) {
    this.path = path;
    this.#cache = new TreeCache(client, path, { maxDepth: 0 });
  }

  get state(): 'latent' | 'started' | 'failed' | 'closed' {
    return this.#cache.state;
  }

  /** Last known value; null if the znode does not exist, or is not known yet (see `ready`). */
  get current(): NodeValue | null {
    return this.#cache.get(this.path);
  }

  /** Throws `RecipeStateError` if called twice or after `close`. */
  start(): this {
    this.#cache.start();
    return this;
  }

  /** Resolves once the znode has been read, or found missing, for the first time. */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkOptions('NodeCache.ready', options, SIGNAL_OPTION);
    return this.#cache.ready(options);
  }

  /** Every change from this call on. Ends when `signal` aborts or the cache closes. A slow consumer gets changes merged. */
  changes(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterableIterator<CacheEvent> {
    checkOptions('NodeCache.changes', options, SIGNAL_OPTION);
    return this.#cache.changes(options);
  }

  close(): Promise<void> {
    return this.#cache.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
