import type { Client } from '../../client/index.js';
import type { CacheEvent, NodeValue } from './node-value.js';

export declare class NodeCache implements AsyncDisposable {
  readonly path: string;
  constructor(client: Client, path: string);
  get state(): 'latent' | 'started' | 'closed';
  /** Last known value; null if the znode does not exist, or is not known yet (see `ready`). */
  get current(): NodeValue | null;
  start(): this;
  /** Resolves once the znode has been read (or found missing) for the first time. */
  ready(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Every change from now on. Ends when `signal` aborts or the cache closes. A slow consumer sees the changes of one znode merged, never a wrong last one. */
  changes(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<CacheEvent>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
