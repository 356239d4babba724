import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client, WatchStreamEvent } from '../../client/index.js';
import { CacheOverflowError, RecipeStateError } from '../errors.js';
import { EventHub } from '../streams/event-hub.js';
import { Deadline, orAborted } from '../waiting/abort.js';
import { isClosed } from '../waiting/failure.js';
import { mergeCacheEvents, NodeTable } from './node-table.js';
import type { CacheEvent, NodeValue } from './node-value.js';
import { SubtreeReader } from './subtree-reader.js';

export interface TreeCacheOptions {
  /** Levels below the root that are cached: 0 the root alone, 1 its children too; all by default. */
  readonly maxDepth?: number | undefined;
  /** Stops with `CacheOverflowError` beyond; 100 000 by default. */
  readonly maxNodes?: number | undefined;
  /** Reads under way at once; 16 by default. */
  readonly parallelReads?: number | undefined;
}

const DEFAULT_MAX_NODES = 100_000;
const DEFAULT_PARALLEL_READS = 16;

const CACHE_OPTIONS: OptionNames<TreeCacheOptions> = { maxDepth: true, maxNodes: true, parallelReads: true };

/**
 * A copy of a subtree in this process, kept up to date by one persistent watch.
 *
 * - latent: made, knows nothing;
 * - started: reads the subtree, then follows its changes one by one. `ready` resolves after the first reading. While
 *   suspended, and after a lost session, what was last known stays readable; when the connection is back the
 *   subtree is read anew and the differences are taken over, and told, in one step;
 * - failed: it did not fit, or the servers refused to let it be watched; what was last known stays readable, `ready`
 *   and the iterators of `changes` throw the reason. Final;
 * - closed: watches nothing any more; final.
 *
 * Guarantees: what is known of one znode never goes back to an older version; every change of it that lasts is told;
 * nothing is missed over a reconnection. Two znodes are read at different moments, so only what happens to one
 * znode is seen in order. A znode that may not be read is treated as missing, with a log line. The child counters in a
 * `stat` are as of the last change of the znode itself.
 */
export class TreeCache implements AsyncDisposable {
  readonly path: string;
  readonly #client: Client;
  readonly #maxNodes: number;
  readonly #isRecursive: boolean;
  readonly #reader: SubtreeReader;
  readonly #closing = new AbortController();
  readonly #nodes = new NodeTable();
  readonly #hub = new EventHub<CacheEvent>((event) => event.path, mergeCacheEvents);
  /** Paths that something happened to; what it came to is read. */
  readonly #news = new Set<string>();
  #mustReadAll = false;
  #isRefreshing = false;
  #state: 'latent' | 'started' | 'failed' | 'closed' = 'latent';
  readonly #ready: Promise<void>;
  #settleReady!: { resolve(): void; reject(error: unknown): void };
  #following: Promise<void> = Promise.resolve();

  constructor(client: Client, path: string, options: TreeCacheOptions = {}) {
    checkOptions('TreeCache', options, CACHE_OPTIONS);
    this.path = path;
    this.#client = client;
    this.#maxNodes = options.maxNodes ?? DEFAULT_MAX_NODES;
    this.#isRecursive = options.maxDepth !== 0;
    this.#reader = new SubtreeReader(client, {
      path,
      maxDepth: options.maxDepth ?? Infinity,
      maxNodes: this.#maxNodes,
      parallelReads: options.parallelReads ?? DEFAULT_PARALLEL_READS,
    });
    this.#ready = new Promise((resolve, reject) => (this.#settleReady = { resolve, reject }));
    this.#ready.catch(() => undefined);
  }

  get state(): 'latent' | 'started' | 'failed' | 'closed' {
    return this.#state;
  }

  /** Throws `RecipeStateError` if called twice or after `close`. */
  start(): this {
    if (this.#state !== 'latent') throw this.#misuse('start');
    this.#state = 'started';
    const events = this.#client.watch(this.path, {
      recursive: this.#isRecursive,
      signal: this.#closing.signal,
    });
    this.#following = this.#follow(events);
    return this;
  }

  /** Resolves once the whole subtree has been read for the first time. Rejects with what made the cache fail, such as `CacheOverflowError`. */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkOptions('TreeCache.ready', options, SIGNAL_OPTION);
    using deadline = new Deadline(this.#client.clock, options, () => undefined);
    await orAborted(this.#ready, deadline.signal);
  }

  /** Null if there is no such znode, or none is known yet. */
  get(path: string): NodeValue | null {
    return this.#nodes.get(path) ?? null;
  }

  /** Names of the cached children, sorted; empty if there are none. */
  children(path: string): readonly string[] {
    return this.#nodes.children(path);
  }

  /** All cached znodes by path, as of now; later changes do not show in it. */
  snapshot(): ReadonlyMap<string, NodeValue> {
    return this.#nodes.snapshot();
  }

  /**
   * Every change from this call on; what a first reading finds is told as `created`. Ends when `signal` aborts or the
   * cache closes. For a slow consumer the changes of one znode are merged into one.
   */
  changes(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterableIterator<CacheEvent> {
    checkOptions('TreeCache.changes', options, SIGNAL_OPTION);
    return this.#hub.events(options);
  }

  async close(): Promise<void> {
    if (this.#state !== 'closed') {
      this.#state = 'closed';
      const reason = this.#misuse('use');
      this.#closing.abort(reason);
      this.#settleReady.reject(reason);
      this.#hub.end();
    }
    await this.#following;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #follow(events: AsyncIterable<WatchStreamEvent>): Promise<void> {
    try {
      for await (const event of events) {
        this.#note(event);
        if (!this.#isRefreshing) void this.#refresh();
      }
      // By itself the stream ends only when the client closes.
      if (this.#state === 'started') void this.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  #note(event: WatchStreamEvent): void {
    if (event.type === 'armed') {
      this.#mustReadAll = true;
      this.#news.clear();
    } else if (event.type !== 'childrenChanged' && this.#reader.covers(event.path)) {
      this.#news.add(event.path);
      if (this.#news.size > this.#maxNodes) this.#mustReadAll = true;
    }
  }

  /** Works off the news until there is none. */
  async #refresh(): Promise<void> {
    this.#isRefreshing = true;
    try {
      while (this.#state === 'started' && (this.#mustReadAll || this.#news.size > 0)) {
        if (this.#mustReadAll) await this.#readAll();
        else await this.#readNews();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isRefreshing = false;
    }
  }

  async #readAll(): Promise<void> {
    this.#mustReadAll = false;
    this.#news.clear();
    const fresh = await this.#reader.readAll(this.#closing.signal);
    this.#emit(this.#nodes.replace(fresh));
    this.#settleReady.resolve();
  }

  async #readNews(): Promise<void> {
    const paths = [...this.#news];
    this.#news.clear();
    const values = await this.#reader.readEach(paths, this.#closing.signal);
    const events = paths.map((path, position) => {
      const value = values[position];
      return value === null || value === undefined ? this.#nodes.remove(path) : this.#nodes.put(value);
    });
    if (this.#nodes.size > this.#maxNodes) throw new CacheOverflowError(this.path, this.#maxNodes);
    this.#emit(events.filter((event) => event !== null));
  }

  #emit(events: readonly CacheEvent[]): void {
    for (const event of events) this.#hub.emit(event);
  }

  #fail(error: unknown): void {
    if (this.#state !== 'started') return;
    if (isClosed(this.#client, error)) {
      void this.close();
      return;
    }
    this.#state = 'failed';
    this.#client.logger.error('a cache failed', { path: this.path, error });
    this.#closing.abort(error);
    this.#settleReady.reject(error);
    this.#hub.end({ error });
  }

  #misuse(attempted: string): RecipeStateError {
    return new RecipeStateError('TreeCache', this.path, this.#state, attempted);
  }
}
