import { recordLockedMember } from '../declarations.js';
import type { Job } from '../../core/recipes/index.js';
import type { Duration } from './leader-only.js';

export interface LockedOptions {
  /** How long a call waits for the lock before it rejects with `AcquireTimeoutError`; for ever if left out. */
  readonly wait?: Duration | undefined;
  /** Many calls may read at the same time, or one write. Left out: every call is alone. */
  readonly mode?: 'read' | 'write' | undefined;
  /** As many calls may run at the same time in the whole fleet; the same number wherever the name is used. */
  readonly permits?: number | undefined;
}

/** A method that can be locked: it is asynchronous, since acquiring a lock takes a while. */
type LockedDecorator<Parameters extends readonly unknown[]> = <
  Actual extends readonly [...Parameters, ...unknown[]],
  Result,
>(
  target: object,
  member: string | symbol,
  descriptor: TypedPropertyDescriptor<(...parameters: Actual) => Promise<Result>>,
) => void;

/**
 * Declares that every call of the method holds a lock of the fleet: by a fixed name, or by a name that follows
 * from the arguments. The lock is released when the method's promise settles. Within the method `currentHold()`
 * gives the signal and the fence. It holds for instances that an application built; a start with an instance given by `provide`,
 * or with a decorator that was not compiled with `experimentalDecorators`, is refused with `DeclarationError`.
 */
export function Locked(name: string, options?: LockedOptions): LockedDecorator<readonly unknown[]>;
export function Locked<Parameters extends readonly unknown[]>(
  name: (...parameters: Parameters) => string,
  options?: LockedOptions,
): LockedDecorator<Parameters>;
/** For the handler of a worker: `T` is the payload of its jobs. */
export function Locked<T>(
  name: (job: Job<T>) => string,
  options?: LockedOptions,
): LockedDecorator<readonly [job: Job<T>]>;
export function Locked(name: string | ((...parameters: never[]) => string), options: LockedOptions = {}) {
  return (target: object, member: string | symbol, descriptor?: { readonly value?: unknown }): void => {
    const isMethod = typeof target === 'object' && typeof descriptor?.value === 'function';
    recordLockedMember(target, { member, isMethod, name, options });
  };
}
