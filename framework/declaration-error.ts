import { QuorateError } from '../core/runtime/index.js';

/** One misuse of a declaration. */
export interface DeclarationProblem {
  readonly className: string;
  /** The method, the parameter or the option it is about. */
  readonly member?: string | undefined;
  /** What is wrong. */
  readonly problem: string;
  /** What to do about it. */
  readonly remedy: string;
}

/**
 * Declarations that cannot work, found before anything is started; every problem found is in `problems`.
 * Code `DECLARATION_INVALID`.
 */
export class DeclarationError extends QuorateError {
  readonly problems: readonly DeclarationProblem[];

  constructor(problems: readonly DeclarationProblem[], cause?: unknown) {
    const lines = problems.map(describe);
    const message =
      lines.length === 1
        ? lines[0]!
        : `${lines.length} declarations cannot work:\n${lines.map((line) => `- ${line}`).join('\n')}`;
    super('DECLARATION_INVALID', message, { fields: { problems }, cause });
    this.problems = problems;
  }
}

function describe({ className, member, problem, remedy }: DeclarationProblem): string {
  return `${className}${member === undefined ? '' : `.${member}`}: ${problem}; ${remedy}`;
}
