import type { Client } from '../../client/index.js';
import type { AcquireOptions, Hold, Lock } from '../contention/hold.js';

export interface TryLockOptions {
  /** Parent of all locks; `/locks` by default. */
  readonly root?: string | undefined;
  /** Says who holds it; readable by everybody with `owner()`. */
  readonly owner?: string | undefined;
}

/** Who holds a try-lock. */
export interface LockOwner {
  /** As given by the holder; null if another program made the znode. */
  readonly owner: string | null;
  readonly sessionId: bigint;
  readonly fence: bigint;
  /** Milliseconds since 1970, by the servers' clock. */
  readonly since: number;
}

export declare class TryLock implements Lock {
  readonly path: string;
  /** `name` may have several segments. Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options?: TryLockOptions);
  acquire(options?: AcquireOptions): Promise<Hold>;
  tryAcquire(options?: { readonly signal?: AbortSignal | undefined }): Promise<Hold | null>;
  run<T>(task: (hold: Hold) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
  /** Null if nobody holds it now. */
  owner(options?: { readonly signal?: AbortSignal | undefined }): Promise<LockOwner | null>;
}
