import type { Constructor } from '../constructor.js';
import { checkInjectedLocks, plannedLocksOf } from '../locked-members.js';
import type { Locks } from '../locks.js';
import type { PlannedLock } from '../plan.js';

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
    checkInjectedLocks(target);
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
    const { mode, permits, waitMs: timeoutMs } = lock;
    const signal = AbortSignal.any([this.#stopping, ...signalsOf(parameters)]);
    return this.#locks.run(name, method, { mode, permits, signal, timeoutMs });
  }
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
