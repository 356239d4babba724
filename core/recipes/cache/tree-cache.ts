import type { Client } from '../../client/index.js';
import type { CacheEvent, NodeValue } from './node-value.js';

export interface TreeCacheOptions {
  /** Levels below the root that are cached: 0 the root alone, 1 its children too; all by default. */
  readonly maxDepth?: number | undefined;
  /** Stops with `CacheOverflowError` beyond; 100 000 by default. */
  readonly maxNodes?: number | undefined;
  /** Reads under way at once; 16 by default. */
  readonly parallelReads?: number | undefined;
}

export declare class TreeCache implements AsyncDisposable {
  readonly path: string;
  constructor(client: Client, path: string, options?: TreeCacheOptions);
  get state(): 'latent' | 'started' | 'failed' | 'closed';
  start(): this;
  /** Resolves once the whole subtree has been read for the first time. Rejects with `CacheOverflowError` if it does not fit. */
  ready(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  get(path: string): NodeValue | null;
  /** Names of the cached children, sorted; empty if there are none. */
  children(path: string): readonly string[];
  /** All cached znodes by path, as of now; later changes do not show in it. */
  snapshot(): ReadonlyMap<string, NodeValue>;
  changes(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<CacheEvent>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
