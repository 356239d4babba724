import {
  FairLock,
  multiFenced,
  MultiLock,
  ReadWriteLock,
  Semaphore,
  TryLock,
  writeFenced,
  type AcquireOptions,
  type Hold,
  type Lock,
  type LockExplanation,
  type LockOptions,
  type SemaphoreOptions,
  type TryLockOptions,
} from '../core/recipes/index.js';
import type { Client, Operation, OperationResult, Stat } from '../core/client/index.js';
import { InvalidArgumentError, checkOptions, type OptionNames } from '../core/runtime/index.js';
import { lockNames } from './lock-names.js';
import { heldAround, runHolding, type LockMode } from './held-locks.js';

export interface RunLockedOptions extends Pick<AcquireOptions, 'signal' | 'timeoutMs'> {
  /** Hold it together with others that read, or alone against them: the lock is a read/write lock then. */
  readonly mode?: 'read' | 'write' | undefined;
  /** As many may hold it at the same time: the lock is a semaphore then. All who use the name give the same number. */
  readonly permits?: number | undefined;
}

const NAMES_OPTIONS: OptionNames<{
  readonly signal?: AbortSignal | undefined;
  readonly limit?: number | undefined;
}> = { signal: true, limit: true };
const RUN_OPTIONS: OptionNames<RunLockedOptions> = {
  signal: true,
  timeoutMs: true,
  mode: true,
  permits: true,
};

/**
 * The locks of the fleet, by name; to be injected. A name may have several segments, such as `customers/42`, and is to be
 * used for one kind of lock only. Whoever looks finds the id of the application beside what is held.
 */
export class Locks {
  readonly #client: Client;
  readonly #owner: string | undefined;
  readonly #onHeld: (name: string, hold: Hold) => void;

  /** `owner` says to those who look who holds; `onHeld` hears of every hold as it begins, once for all that share it. */
  constructor(client: Client, owner?: string, onHeld: (name: string, hold: Hold) => void = () => undefined) {
    this.#client = client;
    this.#owner = owner;
    this.#onHeld = onHeld;
  }

  /** First come, first served. */
  fair(name: string, options?: LockOptions): FairLock {
    return new FairLock(this.#client, name, { data: this.#owner, ...this.#heard(name, options) });
  }

  /** Many may read at the same time, or one write. */
  readWrite(name: string, options?: LockOptions): ReadWriteLock {
    return new ReadWriteLock(this.#client, name, { data: this.#owner, ...this.#heard(name, options) });
  }

  /** As many hold it as there are permits. */
  semaphore(name: string, options: SemaphoreOptions): Semaphore {
    return new Semaphore(this.#client, name, { data: this.#owner, ...this.#heard(name, options) });
  }

  /** Held or not; who waits for it has no turn. */
  try(name: string, options?: TryLockOptions): TryLock {
    return new TryLock(this.#client, name, { owner: this.#owner, ...this.#heard(name, options) });
  }

  /** All of them or none, without deadlock whatever the order; a name stands for the fair lock of that name. */
  all(...locks: readonly (string | Lock)[]): MultiLock {
    return new MultiLock(
      this.#client,
      locks.map((lock) => (typeof lock === 'string' ? this.fair(lock) : lock)),
    );
  }

  /**
   * Runs `task` while holding the lock of that name, the fair one unless the options say otherwise. Within `task`, and
   * whatever it calls, `currentHold()` gives the hold, and `run` with the same name shares it.
   * @throws AcquireTimeoutError after `timeoutMs`.
   */
  async run<T>(
    name: string,
    task: (hold: Hold) => T | Promise<T>,
    options: RunLockedOptions = {},
  ): Promise<T> {
    checkRun(task, options);
    const mode = modeOf(options);
    const outer = heldAround(name, mode);
    if (outer !== undefined) return task(outer);
    return this.#lockFor(name, options).run((hold) => runHolding(name, mode, hold, () => task(hold)), {
      signal: options.signal,
      timeoutMs: options.timeoutMs,
    });
  }

  /** Who holds the lock since when, and who waits, in order. The kind has to be said as to `run`. */
  async explain(
    name: string,
    options: RunLockedOptions & { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<LockExplanation> {
    checkOptions('Locks.explain', options, RUN_OPTIONS);
    const { permits, mode, signal } = options;
    if (permits !== undefined) return await this.semaphore(name, { permits }).explain({ signal });
    return await (mode === undefined ? this.fair(name) : this.readWrite(name)).explain({ signal });
  }

  /**
   * Names of the locks that somebody holds or waits for, or did a moment ago; sorted. Names of several segments are found too, at most
   * `limit` names in all (1000 by default).
   */
  async names(
    options: { readonly signal?: AbortSignal | undefined; readonly limit?: number | undefined } = {},
  ): Promise<readonly string[]> {
    checkOptions('Locks.names', options, NAMES_OPTIONS);
    return await lockNames(this.#client, options);
  }

  /**
   * Writes a znode only if `hold` is still held when the servers come to it.
   * @throws HoldLostError if it is not; nothing was written.
   */
  write(hold: Hold, path: string, data: Uint8Array | string | null): Promise<Stat> {
    return writeFenced(this.#client, hold, path, data);
  }

  /**
   * Carries out operations on znodes, all or none, only if `hold` is still held when the servers come to them.
   * @throws HoldLostError, MultiError: nothing was done. OutcomeUnknownError: done or not.
   */
  transact(hold: Hold, operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    return multiFenced(this.#client, hold, operations);
  }

  #heard<Options extends Pick<LockOptions, 'onHeld'>>(
    name: string,
    options: Options = {} as Options,
  ): Options {
    const onHeld = (hold: Hold): void => {
      this.#onHeld(name, hold);
      options.onHeld?.(hold);
    };
    return { ...options, onHeld };
  }

  #lockFor(name: string, { mode, permits }: RunLockedOptions): Lock {
    if (permits !== undefined) return this.semaphore(name, { permits });
    return mode === undefined ? this.fair(name) : this.readWrite(name)[mode];
  }
}

/** Only a program without types can give anything else. A name is checked where its path is made. */
function checkRun(task: unknown, options: RunLockedOptions): void {
  const refuse = (argument: string, expected: string, given: unknown): never => {
    throw new InvalidArgumentError('Locks.run', argument, expected, given);
  };
  if (typeof task !== 'function') refuse('the task', 'a function', task);
  checkOptions('Locks.run', options, RUN_OPTIONS);
  const { mode, timeoutMs } = options;
  if (mode !== undefined && mode !== 'read' && mode !== 'write') refuse('mode', "'read' or 'write'", mode);
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0))
    refuse('timeoutMs', 'a number of milliseconds from 0', timeoutMs);
}

function modeOf({ mode, permits }: RunLockedOptions): LockMode {
  if (permits !== undefined) return 'permit';
  return mode ?? 'exclusive';
}
