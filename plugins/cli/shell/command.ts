import type { Client } from '../../../core/client/index.js';
import type { ShellOutput } from './shell-output.js';
import type { WatchBook } from './watch-book.js';
import { ShellError } from './shell-error.js';

/** What a command works with. */
export interface ShellContext {
  readonly client: Client;
  readonly output: ShellOutput;
  readonly watches: WatchBook;
}

/** A command of the shell: what it may be given, and what it does. */
export interface ShellCommand {
  readonly name: string;
  /** What follows the name, as `help` shows it. */
  readonly usage: string;
  /** Letters of its flags; a colon behind one says that a value follows it. */
  readonly flags: string;
  /** Least and greatest number of words beside the flags. */
  readonly words: readonly [least: number, greatest: number];
  run(context: ShellContext, given: GivenArguments): Promise<void>;
}

/** What a command was given. */
export interface GivenArguments {
  readonly words: readonly string[];
  has(flag: string): boolean;
  valueOf(flag: string): string | undefined;
}

/**
 * Sorts what follows a command's name into flags and words. Flags stand anywhere, may be run together
 * (`-se`), and end at `--`; something like `-5` is a word. Throws `ShellError` that tells the usage.
 */
export function parseArguments(command: ShellCommand, given: readonly string[]): GivenArguments {
  const words: string[] = [];
  const flags = new Map<string, string>();
  for (let index = 0; index < given.length; index++) {
    const each = given[index]!;
    if (each === '--') {
      words.push(...given.slice(index + 1));
      break;
    }
    if (!/^-[^\d-]/.test(each)) {
      words.push(each);
      continue;
    }
    const wantsValue = parseFlags(command, each, flags);
    if (wantsValue === null) continue;
    const value = given[++index];
    if (value === undefined) throw usageError(command, `Missing argument for option: ${wantsValue}`);
    flags.set(wantsValue, value);
  }
  const [least, greatest] = command.words;
  if (words.length < least || words.length > greatest) throw usageError(command);
  return { words, has: (flag) => flags.has(flag), valueOf: (flag) => flags.get(flag) };
}

/** Notes the letters of one argument; returns the one whose value is the next argument, if any. */
function parseFlags(command: ShellCommand, text: string, flags: Map<string, string>): string | null {
  for (let index = 1; index < text.length; index++) {
    const letter = text[index]!;
    const at = command.flags.indexOf(letter);
    if (at === -1 || letter === ':') throw usageError(command, `Unrecognized option: -${letter}`);
    const takesValue = command.flags[at + 1] === ':';
    const rest = text.slice(index + 1);
    if (takesValue && rest === '') return letter;
    flags.set(letter, takesValue ? rest : '');
    if (takesValue) return null;
  }
  return null;
}

export function usageOf({ name, usage }: Pick<ShellCommand, 'name' | 'usage'>): string {
  return `${name} ${usage}`.trim();
}

function usageError(command: ShellCommand, reason?: string): ShellError {
  const usage = usageOf(command);
  return new ShellError(reason === undefined ? usage : `${reason}\n${usage}`);
}

/** The value of a flag as an integer between `least` and `greatest`. Throws `ShellError`. */
export function integerFlag(
  given: GivenArguments,
  flag: string,
  {
    fallback,
    least,
    greatest,
  }: { readonly fallback: number; readonly least: number; readonly greatest: number },
): number {
  const text = given.valueOf(flag);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < least || value > greatest) {
    throw new ShellError(`-${flag} argument must be an integer from ${least} to ${greatest}, not ${text}`);
  }
  return value;
}

/** `-v version`; -1, which is any, if it was not given. */
export function versionFlag(given: GivenArguments): number {
  return integerFlag(given, 'v', { fallback: -1, least: -(2 ** 31), greatest: 2 ** 31 - 1 });
}
