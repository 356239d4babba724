import { AsyncLocalStorage } from 'node:async_hooks';
import type { Hold } from '../../core/recipes/index.js';
import { QuorateError } from '../../core/runtime/index.js';
import type { Constructor } from '../constructor.js';
import { plannedLocksOf } from '../locked-members.js';
import type { Locks } from '../locks.js';
import type { PlannedLock } from '../plan.js';

/** What a call holds, and what the calls around it hold. */
interface Held {
  readonly name: string;
  readonly hold: Hold;
  readonly outer: Held | undefined;
}

const held = new AsyncLocalStorage<Held>();

/**
 * The hold of the `@Locked` method that is running: its signal aborts when the lock is lost, its fence lets whatever
 * is written to refuse an older holder.
 * @throws QuorateError `NOT_LOCKED` outside of a `@Locked` method.
 */
export function currentHold(): Hold {
  const current = held.getStore();
  if (current === undefined)
    throw new QuorateError('NOT_LOCKED', 'currentHold() was called outside of a @Locked method');
  return current.hold;
}

type Method = (...parameters: unknown[]) => unknown;

/**
 * Makes every call of a `@Locked` method hold its lock. A call from within another that holds the same lock shares
 * that hold. Waiting ends when a signal among the arguments aborts, such as that of a job.
 */
export class LockInterceptor {
  readonly #locks: Locks;
  readonly #stopping: AbortSignal;

  /** `stopping`: nobody waits for a lock any longer. */
  constructor(locks: Locks, stopping: AbortSignal) {
    this.#locks = locks;
    this.#stopping = stopping;
  }

  /** Puts itself before the methods of one instance. */
  intercept(instance: object, target: Constructor): void {
    for (const lock of plannedLocksOf(target)) {
      const method = (instance as Record<string | symbol, Method>)[lock.member]!;
      const call = (parameters: unknown[]): Promise<unknown> =>
        this.#call(lock, parameters, async () => method.apply(instance, parameters));
      Object.defineProperty(instance, lock.member, {
        value: (...parameters: unknown[]) => call(parameters),
        configurable: true,
        writable: true,
      });
    }
  }

  async #call(lock: PlannedLock, parameters: unknown[], method: () => Promise<unknown>): Promise<unknown> {
    const name =
      typeof lock.name === 'string' ? lock.name : (lock.name as (...all: unknown[]) => string)(...parameters);
    const outer = held.getStore();
    if (isHeldBy(outer, name)) return method();
    const signal = AbortSignal.any([this.#stopping, ...signalsOf(parameters)]);
    return this.#locks.run(name, (hold) => held.run({ name, hold, outer }, method), {
      signal,
      timeoutMs: lock.waitMs,
    });
  }
}

function isHeldBy(first: Held | undefined, name: string): boolean {
  for (let one = first; one !== undefined; one = one.outer) {
    if (one.name === name && !one.hold.signal.aborted) return true;
  }
  return false;
}

function signalsOf(parameters: readonly unknown[]): AbortSignal[] {
  return parameters
    .map((parameter) =>
      parameter !== null && typeof parameter === 'object' && 'signal' in parameter
        ? parameter.signal
        : parameter,
    )
    .filter((signal) => signal instanceof AbortSignal);
}
