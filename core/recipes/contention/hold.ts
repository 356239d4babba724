import type { Operation } from '../../client/index.js';
import type { OptionNames } from '../../runtime/index.js';

/** What tells a transaction whether something is still held when the servers come to it. */
export interface HoldGuard {
  /** Operations that fail if it is not held; null if it is known not to be. `wereRefused`: those that were given last have failed. */
  checks(wereRefused: boolean): Promise<readonly Operation[] | null>;
}

/**
 * What a lock or a leadership gives to its holder.
 *
 * - `signal` aborts when the hold ends, whoever ends it: the session is lost or closed, the own znode vanished, or the
 *   holder released it. On the loss of the session it aborts *before* the servers can have given the same thing
 *   to another, because it follows the client's own monotonic timer. Its reason is a `HoldLostError` or a
 *   `HoldReleasedError`. While the connection is only suspended it stays: the session may still live.
 * - `fence` is the zxid that created the own znode: a later holder always has a higher one. Whatever the holder
 *   writes to should refuse a fence lower than the highest it has seen; only that protects against a holder that
 *   was paused (garbage collection, a stopped machine) and could not see its signal.
 *
 * How to react: when `signal` aborts, stop what depends on the hold, at once and without a last write. While the
 * client is suspended a holder may go on if what it writes to checks the fence; if nothing checks it, the careful
 * holder begins nothing new until the client is connected again.
 */
export interface Hold extends AsyncDisposable {
  /** Path of the own znode. */
  readonly path: string;
  /** Paths of all own znodes: it is held as long as each of them is there. Default: `path` alone. */
  readonly paths?: readonly string[] | undefined;
  /** What a transaction checks to take place only while it is held. Default: that each of `paths` is there. */
  readonly guards?: readonly HoldGuard[] | undefined;
  readonly fence: bigint;
  /**
   * Id of the ensemble that gave it: fences can be compared only among holds of one ensemble, since one that is founded anew begins to
   * count anew. Null if the ensemble has no id, as ZooKeeper's.
   */
  readonly ensembleId: string | null;
  readonly signal: AbortSignal;
  /**
   * Gives it back. Resolves when the znode is gone, or when the session is and the znode with it. Idempotent;
   * never rejects because of the connection: it keeps trying as long as the session lives.
   */
  release(): Promise<void>;
}

export interface AcquireOptions {
  /** Stops waiting and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Stops waiting and rejects with `AcquireTimeoutError`; no limit if left out. */
  readonly timeoutMs?: number | undefined;
  /**
   * Reentrance: a hold of this same lock, within which it is acquired again. It is granted at once and shares the znode and
   * the fence; the lock is free when all that share it have been released. (The caller says what it holds, since there
   * is no thread that could be asked.) Rejects with `HoldMismatchError` if it is a hold of something else.
   */
  readonly within?: Hold | undefined;
}

export const ACQUIRE_OPTIONS: OptionNames<AcquireOptions> = { signal: true, timeoutMs: true, within: true };

export interface TryAcquireOptions {
  readonly signal?: AbortSignal | undefined;
  /** Waits for at most so long, in turn, before it gives up; not at all if left out. */
  readonly timeoutMs?: number | undefined;
  readonly within?: Hold | undefined;
}

/** What every lock can do. */
export interface Lock {
  readonly path: string;
  /** Waits until it is held. Rejects only if `signal` aborts, `timeoutMs` passes, the client closes, or the servers refuse (permissions, quota). */
  acquire(options?: AcquireOptions): Promise<Hold>;
  /** Null if the lock is not free now, or within `timeoutMs`. */
  tryAcquire(options?: TryAcquireOptions): Promise<Hold | null>;
  /** Acquires, runs `task`, releases, whether `task` succeeds or not. `task` should stop when `hold.signal` aborts. */
  run<T>(task: (hold: Hold) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
}
