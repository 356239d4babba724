import { HoldMismatchError, HoldReleasedError } from '../errors.js';
import { parentOf } from '../nodes/znode-name.js';
import type { Hold, HoldGuard } from './hold.js';

/** What is held in truth, and how many share it. */
interface Shared {
  readonly inner: Hold;
  /** Path of the lock that it is a hold of. */
  readonly lock: string;
  sharers: number;
}

/**
 * One of several holds of the same znode: the lock is given back when the last of them is released. Each has a signal of
 * its own, which aborts when it is released itself, and when what they share is lost.
 */
export class SharedHold implements Hold {
  readonly #shared: Shared;
  readonly #ended = new AbortController();
  #released: Promise<void> | null = null;

  private constructor(shared: Shared) {
    this.#shared = shared;
    shared.sharers++;
    const { signal } = shared.inner;
    const end = (): void => this.#ended.abort(signal.reason);
    if (signal.aborted) end();
    else {
      signal.addEventListener('abort', end, { once: true });
      this.signal.addEventListener('abort', () => signal.removeEventListener('abort', end), { once: true });
    }
  }

  /** The first that holds `inner`. */
  static first(inner: Hold, lock: string = parentOf(inner.path)): SharedHold {
    return new SharedHold({ inner, lock, sharers: 0 });
  }

  /**
   * Another hold of what `hold` holds, of the lock at `lock`.
   * @throws HoldMismatchError if it is of another lock, or over.
   */
  static within(hold: Hold, lock: string): SharedHold {
    if (!(hold instanceof SharedHold) || hold.#shared.lock !== lock)
      throw new HoldMismatchError(lock, hold.path);
    if (hold.signal.aborted) throw new HoldMismatchError(lock, hold.path, hold.signal.reason);
    return new SharedHold(hold.#shared);
  }

  get path(): string {
    return this.#shared.inner.path;
  }

  get paths(): readonly string[] | undefined {
    return this.#shared.inner.paths;
  }

  get guards(): readonly HoldGuard[] | undefined {
    return this.#shared.inner.guards;
  }

  get fence(): bigint {
    return this.#shared.inner.fence;
  }

  get ensembleId(): string | null {
    return this.#shared.inner.ensembleId;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #release(): Promise<void> {
    if (!this.signal.aborted) this.#ended.abort(new HoldReleasedError(this.path));
    this.#shared.sharers--;
    if (this.#shared.sharers === 0) await this.#shared.inner.release();
  }
}
