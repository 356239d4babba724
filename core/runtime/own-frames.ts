/** Frames of other people's code that say nothing about the program of the user. */
const OF_OTHERS = /\bnode:|[/\\]node_modules[/\\]/;
const FRAME = /^\s+at /;

/** Where the files of this package are, as stacks name them; null if they are bundled with others, so that nobody can tell. */
const OWN_FILES = ownFiles(new Error('to read where this file is').stack ?? '');

function ownFiles(stack: string): RegExp | null {
  const here = /([^\s(]*[/\\])core[/\\]runtime[/\\]own-frames\.[jt]s:\d/.exec(stack);
  if (here === null) return null;
  const root = here[1]!.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`${root}(?:core|framework|plugins)[/\\\\]`);
}

/** The stack without the frames of this package, or all of it if no frame of the user's code would be left. */
export function stackWithoutOwnFrames(stack: string): string {
  if (OWN_FILES === null) return stack;
  const lines = stack.split('\n');
  const kept = lines.filter((line) => !isOwnFrame(line));
  return kept.some(isOfUser) ? kept.join('\n') : stack;
}

/**
 * Takes the frames of this package out of the stacks of the causes of an error; a cause without any frame of the user's code keeps none:
 * its message says what happened. The stack of the error itself stays as it is: Node prints the source line that belongs to it only if
 * nobody has read it before.
 */
export function removeOwnFramesOfCauses(error: unknown): void {
  if (OWN_FILES === null || !(error instanceof Error)) return;
  const seen = new Set<unknown>([error]);
  for (let { cause } = error; cause instanceof Error && !seen.has(cause); { cause } = cause) {
    seen.add(cause);
    const lines = (cause.stack ?? '').split('\n').filter((line) => !isOwnFrame(line));
    setStack(cause, (lines.some(isOfUser) ? lines : lines.filter((line) => !FRAME.test(line))).join('\n'));
  }
}

/** A frozen error stays as it is. */
function setStack(error: Error, stack: string): void {
  if (stack !== '') Reflect.set(error, 'stack', stack);
}

function isOwnFrame(line: string): boolean {
  return FRAME.test(line) && OWN_FILES!.test(line);
}

function isOfUser(line: string): boolean {
  return FRAME.test(line) && !OF_OTHERS.test(line);
}
