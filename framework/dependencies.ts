import { classNameOf, type Constructor } from './constructor.js';
import { constructorParametersOf, InjectionError, tokenName, type Token } from './container.js';
import { declarationsOf, DECORATOR_NAMES } from './declarations.js';
import type { DeclarationProblem } from './declaration-error.js';
import { checkLockedMembers } from './locked-members.js';
import type { Plan } from './plan.js';

/**
 * Walks from the declared classes along their constructor parameters and reports what could not be injected, and
 * circles with the whole chain, before anything is built.
 * @param declared classes whose instances the container builds.
 * @param configs declared configuration classes: made elsewhere, always there.
 */
export function checkDependencies(
  declared: readonly Constructor[],
  isProvided: (token: Token) => boolean,
  configs: ReadonlySet<Token>,
  report: (problem: DeclarationProblem) => void,
): void {
  const done = new Set<Constructor>();
  const visit = (target: Constructor, chain: readonly Constructor[]): void => {
    const path = [...chain, target];
    if (chain.includes(target)) {
      report(circle(path.slice(chain.indexOf(target))));
      return;
    }
    if (done.has(target)) return;
    done.add(target);
    if (!declared.includes(target))
      checkLockedMembers(target, (problem) => report({ className: classNameOf(target), ...problem }));
    for (const parameter of constructorParametersOf(target)) {
      const member = `constructor (parameter ${parameter.index})`;
      const tell = (problem: string, remedy: string): void =>
        report({ className: classNameOf(target), member, problem: `${problem}${via(path)}`, remedy });
      const { token } = parameter;
      if (!parameter.isDeclared) tell('has no @inject', 'put @inject(token) before it, or give it a default');
      else if (token === undefined)
        tell('@inject was given undefined', 'two files import each other: move what both need into a third');
      else if (isProvided(token) || configs.has(token)) continue;
      else if (typeof token !== 'function')
        tell(`nothing is provided for ${tokenName(token)}`, 'add it to provide of Application.start');
      else {
        const kind = declarationsOf(token as unknown as Constructor)[0]?.kind;
        if (kind !== undefined && !declared.includes(token as unknown as Constructor))
          tell(
            `${DECORATOR_NAMES[kind]} ${tokenName(token)} is not declared`,
            'add it to declare of Application.start',
          );
        else visit(token as unknown as Constructor, path);
      }
    }
  };
  for (const target of declared) visit(target, []);
}

/**
 * Refuses a class with a decorator that the application does not run: its instance would be built, and do nothing of what it declares.
 * @throws InjectionError
 */
export function refuseUndeclared(token: Token, plan: Plan): void {
  if (typeof token !== 'function') return;
  const target = token as unknown as Constructor;
  const kind = declarationsOf(target)[0]?.kind;
  if (kind === undefined || Object.values(plan).some((of) => isAmong(of, target))) return;
  const problem = `${DECORATOR_NAMES[kind]} ${tokenName(token)} is not declared, so it does not run; add it to declare of Application.start`;
  throw new InjectionError([tokenName(token)], new Error(problem));
}

function isAmong(declared: readonly { readonly target: unknown }[], target: Constructor): boolean {
  return declared.some((each) => each.target === target);
}

function via(path: readonly Constructor[]): string {
  return path.length === 1 ? '' : ` (needed by ${path.map(classNameOf).join(' → ')})`;
}

function circle(path: readonly Constructor[]): DeclarationProblem {
  return {
    className: classNameOf(path[0]),
    member: 'constructor',
    problem: `needs itself: ${path.map(classNameOf).join(' → ')}`,
    remedy: 'move what two of them share into a class that neither needs',
  };
}
