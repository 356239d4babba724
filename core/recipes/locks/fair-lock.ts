import type { Client } from '../../client/index.js';
import type { AcquireOptions, Hold, Lock } from '../contention/hold.js';

export interface LockOptions {
  /** Parent of all locks; `/locks` by default. */
  readonly root?: string | undefined;
  /** Written to the own znode, for people who look. */
  readonly data?: Uint8Array | string | undefined;
}

export declare class FairLock implements Lock {
  readonly path: string;
  /** `name` may have several segments, such as `customers/42`. Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options?: LockOptions);
  acquire(options?: AcquireOptions): Promise<Hold>;
  tryAcquire(options?: { readonly signal?: AbortSignal | undefined }): Promise<Hold | null>;
  run<T>(task: (hold: Hold) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
}
