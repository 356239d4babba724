import { classNameOf, type Constructor } from './constructor.js';
import { declarationsOf, lockedMembersOf, misplacedLocksOf } from './declarations.js';
import type { Provision } from './application-options.js';
import { unknownLockedOptions } from './option-names.js';
import { DeclarationError, type DeclarationProblem } from './declaration-error.js';
import type { PlannedLock } from './plan.js';
import { durationMs } from './runtime/schedule.js';

const COMPILED_AS_STANDARD = {
  problem: '@Locked was compiled as a standard decorator, and would take no lock',
  remedy: 'set "experimentalDecorators": true in tsconfig.json, which tsx and esbuild read too',
};

/** @throws DeclarationError for a class that is only injected, whose `@Locked` was compiled as a standard decorator. */
export function checkInjectedLocks(target: Constructor): void {
  const problems = misplacedLocksOf(target).map((member) => ({
    className: classNameOf(target),
    member,
    ...COMPILED_AS_STANDARD,
  }));
  if (problems.length > 0) throw new DeclarationError(problems);
}

/**
 * A lock is put before the methods of instances that the application builds. A given instance whose method is the decorated one
 * would run without it; a double with a method of its own is what a test wants.
 * @throws DeclarationError
 */
export function checkProvidedLocks(provisions: readonly Provision[]): void {
  const problems = provisions.flatMap(({ value }) => {
    if (typeof value !== 'object' || value === null || typeof value.constructor !== 'function') return [];
    const target = value.constructor as Constructor;
    const given = value as Readonly<Record<string | symbol, unknown>>;
    const prototype = target.prototype as Readonly<Record<string | symbol, unknown>>;
    return [...lockedMembersOf(target).map(({ member }) => member), ...misplacedLocksOf(target)]
      .filter((member) => given[member] === prototype[member])
      .map((member) => ({
        className: classNameOf(target),
        member: String(member),
        problem: '@Locked takes no lock on an instance that was given with provide',
        remedy: 'let the application build the class, or take the lock with Locks.run inside the method',
      }));
  });
  if (problems.length > 0) throw new DeclarationError(problems);
}

/** Reports every `@Locked` of a class that cannot work. */
export function checkLockedMembers(
  target: Constructor,
  report: (problem: Omit<DeclarationProblem, 'className'>) => void,
): void {
  for (const member of misplacedLocksOf(target)) report({ member, ...COMPILED_AS_STANDARD });
  const isConfig = declarationsOf(target).some(({ kind }) => kind === 'config');
  for (const { member: key, isMethod, name, options } of lockedMembersOf(target)) {
    const member = String(key);
    for (const problem of unknownLockedOptions(member, options)) report(problem);
    if (Object(options) !== options) continue;
    if (!isMethod)
      report({
        member,
        problem: '@Locked is not on a method',
        remedy: 'put it on a method of the instances',
      });
    if (isConfig)
      report({
        member,
        problem: '@Locked in a @Config class',
        remedy: 'move the method to a service or a worker',
      });
    if (typeof name !== 'function' && (typeof name !== 'string' || name === ''))
      report({
        member,
        problem: '@Locked has no name',
        remedy: 'give a name, or a function of the arguments',
      });
    if (options.permits !== undefined && !(Number.isSafeInteger(options.permits) && options.permits > 0))
      report({ member, problem: `${options.permits} permits`, remedy: 'give a whole number of at least 1' });
    if (options.permits !== undefined && options.mode !== undefined)
      report({
        member,
        problem: '@Locked has both permits and a mode',
        remedy: 'leave one out: a lock is for readers and writers, or has permits',
      });
    try {
      if (options.wait !== undefined) durationMs(options.wait);
    } catch (error) {
      report({ member, problem: `wait: ${(error as Error).message}`, remedy: 'correct it or leave it out' });
    }
  }
}

/** The locks that calls of an instance of `target` take. */
export function plannedLocksOf(target: Constructor): readonly PlannedLock[] {
  return lockedMembersOf(target).map(({ member, name, options }) => ({
    member,
    name,
    waitMs: options.wait === undefined ? undefined : durationMs(options.wait),
    mode: options.mode,
    permits: options.permits,
  }));
}
