import {
  FairLock,
  TryLock,
  type AcquireOptions,
  type Hold,
  type LockOptions,
  type TryLockOptions,
} from '../core/recipes/index.js';
import type { Client } from '../core/client/index.js';

/** The locks of the fleet, by name; to be injected. A name may have several segments, such as `customers/42`. */
export class Locks {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** First come, first served. */
  fair(name: string, options?: LockOptions): FairLock {
    return new FairLock(this.#client, name, options);
  }

  /** Held or not; who waits for it has no turn. */
  try(name: string, options?: TryLockOptions): TryLock {
    return new TryLock(this.#client, name, options);
  }

  /** Runs `task` while holding the fair lock of that name. */
  run<T>(name: string, task: (hold: Hold) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    return this.fair(name).run(task, options);
  }
}
