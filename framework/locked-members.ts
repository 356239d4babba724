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
  }));
}
