import type { Command } from 'commander';
import { printableText, QuorateError } from '../../core/runtime/index.js';

/** A stream that text is written to, standard output or standard error. */
type Stream = Pick<NodeJS.WritableStream, 'write'>;

/**
 * Writes text to a stream with all control, C1 and bidirectional characters as visible escapes: text of others must not operate the
 * terminal. All output of the command passes here; a test of the house checks it.
 */
export function writeText(stream: Stream, text: string): void {
  stream.write(printableText(text));
}

/** To standard output. */
export function print(text: string): void {
  writeText(process.stdout, text);
}

/** Bytes to standard output as they are: a file of ours that somebody passes on. Resolves when there is room for more. */
export function writeBytes(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** To standard error. */
export function printError(text: string): void {
  writeText(process.stderr, text);
}

/** `CODE: message` of an error that says by itself what to do. */
export function errorText(error: unknown): string {
  return error instanceof QuorateError ? `${error.code}: ${error.message}` : String(error);
}

/** Lets the command, and those below it, write help and errors of their arguments in the same way. */
export function withSafeOutput(command: Command): Command {
  command.configureOutput({ writeOut: print, writeErr: printError });
  command.showHelpAfterError('Run it with --help to see what it takes.');
  for (const each of command.commands) withSafeOutput(each);
  return command;
}
