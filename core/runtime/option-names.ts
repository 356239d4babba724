import { describeValue, InvalidArgumentError } from './argument-error.js';
import { didYouMean } from './near-names.js';

/**
 * Names every option once: the compiler refuses a list with one too many or too few. An option of another name would have no
 * effect, and nobody would notice.
 */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/** What is wrong with the options of a call, as the parts of an `InvalidArgumentError`. */
interface OptionProblem {
  readonly argument: string;
  readonly expected: string;
  readonly given: unknown;
  readonly hint: string;
}

/** Names of the options of calls that can only be given up. */
export const SIGNAL_OPTION: OptionNames<{ readonly signal?: AbortSignal | undefined }> = { signal: true };

/**
 * Checks what only a program without types can get wrong: options that are no object, an option of an unknown name, and a `signal` that is
 * none. `call` is what was called, such as `Locks.run`.
 * @throws InvalidArgumentError
 */
export function checkOptions<Options extends object>(
  call: string,
  options: Options,
  names: OptionNames<Options>,
): void {
  const problem = optionProblem(options, names);
  if (problem === null) return;
  const { argument, expected, given, hint } = problem;
  throw new InvalidArgumentError(call, argument, expected, given, hint);
}

/** The same for an option that is an object of options itself, such as `rateLimit`; undefined is left out. */
export function checkNestedOptions<Options extends object>(
  call: string,
  option: string,
  value: Options | undefined,
  names: OptionNames<Options>,
): void {
  if (value === undefined) return;
  const problem = optionProblem(value, names, option);
  if (problem === null) return;
  const { argument, expected, given, hint } = problem;
  throw new InvalidArgumentError(call, argument, expected, given, hint);
}

/** The same as a sentence for errors of other classes; null if nothing is wrong. `option` holds them, if not the call. */
export function describeOptionProblem<Options extends object>(
  options: Options,
  names: OptionNames<Options>,
  option?: string,
): string | null {
  const problem = optionProblem(options, names, option);
  if (problem === null) return null;
  const { argument, expected, given, hint } = problem;
  return `${argument} must be ${expected}, not ${describeValue(given)}${hint}`;
}

function optionProblem(
  options: unknown,
  names: Readonly<Record<string, true>>,
  option?: string,
): OptionProblem | null {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const expected = `an object with ${listOf(Object.keys(names))}`;
    return { argument: option ?? 'the options', expected, given: options, hint: '' };
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const known = Object.keys(names);
    const argument = option === undefined ? 'each option' : `each option of ${option}`;
    return { argument, expected: `one of ${known.join(', ')}`, given: name, hint: didYouMean(name, known) };
  }
  const { signal } = options as { readonly signal?: unknown };
  if (signal === undefined || !Object.hasOwn(names, 'signal') || signal instanceof AbortSignal) return null;
  return { argument: 'signal', expected: 'an AbortSignal', given: signal, hint: '' };
}

function listOf(known: readonly string[]): string {
  return known.length < 2 ? known.join('') : `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`;
}
