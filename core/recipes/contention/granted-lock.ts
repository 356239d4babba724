import { checkOptions } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import { AcquireTimeoutError } from '../errors.js';
import { Deadline } from '../waiting/abort.js';
import {
  ACQUIRE_OPTIONS,
  type AcquireOptions,
  type Hold,
  type Lock,
  type TryAcquireOptions,
} from './hold.js';
import { SharedHold } from './shared-hold.js';

/** Hears of a hold as it begins; of one that is shared, once for all who share it. */
export type OnHeld = (hold: Hold) => void;

/** What locks have in common: deadlines, reentrance, `run`. What differs is how they contend. */
export abstract class GrantedLock implements Lock {
  readonly path: string;
  readonly #client: Client;
  /** Tells it from other locks of the same path. */
  readonly #identity: string;

  readonly #onHeld: OnHeld | undefined;

  protected constructor(
    client: Client,
    path: string,
    { identity = path, onHeld }: { readonly identity?: string; readonly onHeld?: OnHeld | undefined } = {},
  ) {
    this.#client = client;
    this.path = path;
    this.#identity = identity;
    this.#onHeld = onHeld;
  }

  /** Null only with `patience` 'none': it is not free now. Leaves nothing behind when it rejects. */
  protected abstract contend(signal: AbortSignal, patience: 'endless' | 'none'): Promise<Hold | null>;

  async acquire(options: AcquireOptions = {}): Promise<Hold> {
    checkOptions('Lock.acquire', options, ACQUIRE_OPTIONS);
    if (options.within !== undefined) return SharedHold.within(options.within, this.#identity);
    using deadline = new Deadline(
      this.#client.clock,
      options,
      (timeoutMs) => new AcquireTimeoutError(this.path, timeoutMs),
    );
    const hold = await this.contend(deadline.signal, 'endless');
    return this.#granted(hold!);
  }

  async tryAcquire(options: TryAcquireOptions = {}): Promise<Hold | null> {
    checkOptions('Lock.tryAcquire', options, ACQUIRE_OPTIONS);
    if (options.within !== undefined) return SharedHold.within(options.within, this.#identity);
    const { signal, timeoutMs } = options;
    if (timeoutMs !== undefined) return this.#acquireWithin(timeoutMs, signal);
    using deadline = new Deadline(this.#client.clock, { signal }, () => undefined);
    const hold = await this.contend(deadline.signal, 'none');
    return hold === null ? null : this.#granted(hold);
  }

  async run<T>(task: (hold: Hold) => T | Promise<T>, options: AcquireOptions = {}): Promise<T> {
    await using hold = await this.acquire(options);
    return await task(hold);
  }

  #granted(hold: Hold): Hold {
    this.#onHeld?.(hold);
    return SharedHold.first(hold, this.#identity);
  }

  async #acquireWithin(timeoutMs: number, signal: AbortSignal | undefined): Promise<Hold | null> {
    try {
      return await this.acquire({ timeoutMs, signal });
    } catch (error) {
      if (error instanceof AcquireTimeoutError && signal?.aborted !== true) return null;
      throw error;
    }
  }
}
