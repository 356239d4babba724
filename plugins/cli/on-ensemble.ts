import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Client } from '../../core/client/index.js';
import { connect } from '../../framework/index.js';
import { identityOptions, withIdentityFlags, type IdentityFlags } from './identity-flags.js';
import { printError } from './output.js';
import { describeError } from './shell/shell-error.js';

const DEFAULT_PATIENCE_MS = 10_000;

/** Flags of every command that asks an ensemble something. */
export interface EnsembleFlags extends IdentityFlags {
  readonly connect: string;
  readonly patience: number;
}

/** The flag `--connect`, which can also be set as `QUORATE_CONNECT`. */
export function connectOption(description: string): Option {
  return new Option('--connect <url>', description).env('QUORATE_CONNECT').default('ws://127.0.0.1:7300');
}

/** Gives a command the flags `--connect`, `--patience`, `--auth` and `--tls-…`. */
export function withEnsembleFlags(command: Command): Command {
  return withIdentityFlags(command)
    .addOption(connectOption('members to talk to, and optionally a chroot'))
    .option(
      '--patience <ms>',
      'how long to wait while no member answers',
      positiveInteger,
      DEFAULT_PATIENCE_MS,
    );
}

/**
 * Runs `task` with a client and closes it. What fails is said on the error stream, without a stack, and the exit code is 1:
 * nothing is thrown.
 */
export async function onEnsemble(
  flags: EnsembleFlags,
  task: (client: Client) => Promise<void>,
): Promise<void> {
  try {
    const { connect: url, patience } = flags;
    await using client = await connect(url, { connectTimeoutMs: patience, ...identityOptions(flags) });
    await task(client);
  } catch (error) {
    printError(`${describeError(error)}\n`);
    process.exitCode = 1;
  }
}

/** For commander: a whole number above zero. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new InvalidArgumentError('It has to be a whole number above zero.');
  return value;
}
