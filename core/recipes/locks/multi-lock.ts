import { checkOptions } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import {
  ACQUIRE_OPTIONS,
  type AcquireOptions,
  type Hold,
  type HoldGuard,
  type Lock,
  type TryAcquireOptions,
} from '../contention/hold.js';
import { AcquireTimeoutError, HoldMismatchError, HoldReleasedError, InvalidLockSetError } from '../errors.js';
import { Deadline } from '../waiting/abort.js';
import { pathGuard } from './fenced-write.js';

/** All of several locks at once. */
export interface MultiHold extends Hold {
  /**
   * What is held of each, by the path of the lock. What one of the locks protects is to be written with that hold's fence:
   * the fence of the whole only grows among holders of the same set.
   */
  readonly holds: ReadonlyMap<string, Hold>;
}

/**
 * Several locks as one: all or none. They are acquired one after the other in the order of their paths, whatever the order
 * in which they are given, so that two that want the same locks never wait for each other; whoever mixes it with
 * single locks held at the same time has to keep to that order.
 *
 * What is held of one of them while another is waited for is given back if the wait ends without success.
 */
export class MultiLock implements Lock {
  readonly path: string;
  readonly #client: Client;
  readonly #locks: readonly Lock[];

  /** Throws `InvalidLockSetError` if there is none, or one twice. */
  constructor(client: Client, locks: readonly Lock[]) {
    const ordered = [...locks].sort((one, other) => (one.path < other.path ? -1 : 1));
    const paths = ordered.map(({ path }) => path);
    if (paths.length === 0) throw new InvalidLockSetError('there is none');
    const twice = paths.find((path, index) => path === paths[index - 1]);
    if (twice !== undefined) throw new InvalidLockSetError(`${twice} is among them twice`);
    this.path = paths.join(' + ');
    this.#client = client;
    this.#locks = ordered;
  }

  /** Not reentrant: rejects with `HoldMismatchError` if `within` is given. */
  async acquire(options: AcquireOptions = {}): Promise<MultiHold> {
    checkOptions('MultiLock.acquire', options, ACQUIRE_OPTIONS);
    if (options.within !== undefined) throw new HoldMismatchError(this.path, options.within.path);
    using deadline = new Deadline(
      this.#client.clock,
      options,
      (timeoutMs) => new AcquireTimeoutError(this.path, timeoutMs),
    );
    const { signal } = deadline;
    for (;;) {
      const hold = await this.#each((lock) => lock.acquire({ signal }));
      if (hold !== null) return hold;
    }
  }

  /** `timeoutMs` is for all of them together. Rejects with `HoldMismatchError` if `within` is given. */
  async tryAcquire(options: TryAcquireOptions = {}): Promise<MultiHold | null> {
    checkOptions('MultiLock.tryAcquire', options, ACQUIRE_OPTIONS);
    const { timeoutMs, signal, within } = options;
    if (timeoutMs === undefined && within === undefined)
      return this.#each((lock) => lock.tryAcquire({ signal }));
    try {
      return await this.acquire(options);
    } catch (error) {
      if (error instanceof AcquireTimeoutError && signal?.aborted !== true) return null;
      throw error;
    }
  }

  async run<T>(task: (hold: MultiHold) => T | Promise<T>, options: AcquireOptions = {}): Promise<T> {
    await using hold = await this.acquire(options);
    return await task(hold);
  }

  /** Null, with nothing held, if one of them is not to be had, or one was lost while the next was waited for. */
  async #each(take: (lock: Lock) => Promise<Hold | null>): Promise<MultiHold | null> {
    const held: Hold[] = [];
    try {
      for (const lock of this.#locks) {
        const hold = await take(lock);
        if (hold === null) break;
        held.push(hold);
      }
    } catch (error) {
      await this.#giveBack(held);
      throw error;
    }
    if (held.length === this.#locks.length && held.every(({ signal }) => !signal.aborted))
      return new AllHeld(this.#locks, held);
    await this.#giveBack(held);
    return null;
  }

  async #giveBack(held: readonly Hold[]): Promise<void> {
    const outcomes = await Promise.allSettled(held.map((hold) => hold.release()));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        this.#client.logger.warn('a lock of a set was not given back; it goes with its session', {
          error: outcome.reason as unknown,
        });
    }
  }
}

class AllHeld implements MultiHold {
  readonly path: string;
  readonly fence: bigint;
  readonly ensembleId: string | null;
  readonly signal: AbortSignal;
  readonly holds: ReadonlyMap<string, Hold>;
  readonly paths: readonly string[];
  readonly guards: readonly HoldGuard[];
  readonly #released = new AbortController();

  constructor(locks: readonly Lock[], held: readonly Hold[]) {
    this.holds = new Map(held.map((hold, index) => [locks[index]!.path, hold]));
    this.path = held.at(-1)!.path;
    this.paths = held.flatMap((hold) => hold.paths ?? [hold.path]);
    this.guards = held.flatMap((hold) => hold.guards ?? (hold.paths ?? [hold.path]).map(pathGuard));
    this.fence = held.reduce((highest, { fence }) => (fence > highest ? fence : highest), 0n);
    this.ensembleId = held.at(-1)!.ensembleId;
    this.signal = AbortSignal.any([this.#released.signal, ...held.map(({ signal }) => signal)]);
  }

  async release(): Promise<void> {
    this.#released.abort(new HoldReleasedError(this.path));
    await Promise.all([...this.holds.values()].map((hold) => hold.release()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
