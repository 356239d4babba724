import type { Constructor } from './constructor.js';
import { declarationsOf, lockedMembersOf } from './declarations.js';
import type { DeclarationProblem } from './declaration-error.js';
import type { PlannedLock } from './plan.js';
import { durationMs } from './runtime/schedule.js';

/** Reports every `@Locked` of a class that cannot work. */
export function checkLockedMembers(
  target: Constructor,
  report: (problem: Omit<DeclarationProblem, 'className'>) => void,
): void {
  const isConfig = declarationsOf(target).some(({ kind }) => kind === 'config');
  for (const { member: key, isMethod, name, options } of lockedMembersOf(target)) {
    const member = String(key);
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
