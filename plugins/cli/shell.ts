import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, type Option } from 'commander';
import { connect } from '../../core/client/index.js';
import { identityOptions, withIdentityFlags, type IdentityFlags } from './identity-flags.js';
import { connectOption } from './on-ensemble.js';
import { packageVersion } from './package-version.js';
import { HistoryFile } from './shell/history-file.js';
import { converse, runScript } from './shell/interactive.js';
import { describeError } from './shell/shell-error.js';
import { type ShellOutput, StreamOutput, TerminalOutput } from './shell/shell-output.js';
import { Shell } from './shell/shell.js';

const DEFAULT_SESSION_TIMEOUT_MS = 30_000;
const DEFAULT_PATIENCE_MS = 10_000;
const HISTORY_FILE = '.quorate_history';

interface ShellFlags extends IdentityFlags {
  readonly connect: string;
  readonly sessionTimeout: number;
  readonly patience: number;
}

/** `quorate shell`: ZooKeeper's own shell commands, interactive, from a pipe, or one and out. */
export function shellCommand(): Command {
  return withIdentityFlags(new Command('shell'))
    .description("work on the znodes of an ensemble with the commands of ZooKeeper's own shell")
    .addOption(connectOption('servers to talk to (ws://, wss://, zk://, zks://), and optionally a chroot'))
    .option('--session-timeout <ms>', 'session timeout to ask for', milliseconds, DEFAULT_SESSION_TIMEOUT_MS)
    .option('--patience <ms>', 'how long to wait while no member answers', milliseconds, DEFAULT_PATIENCE_MS)
    .argument('[command...]', 'one command to carry out; without one, commands are read line by line')
    .passThroughOptions()
    .action(async (given: readonly string[], _flags: ShellFlags, command: Command) => {
      const words = withoutOwnFlags(given, command);
      const flags = command.opts<ShellFlags>();
      const succeeded = words.length > 0 ? await runOne(words, flags) : await runMany(flags);
      if (!succeeded) process.exitCode = 1;
    });
}

/**
 * Takes the long flags of `quorate shell` out of the words behind its command and sets them, so that `shell ls / --connect URL`
 * does what it says. The commands of ZooKeeper's shell have short flags only. Words behind `--` stay as they are.
 */
function withoutOwnFlags(words: readonly string[], command: Command): readonly string[] {
  const kept: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === '--') return [...kept, ...words.slice(at + 1)];
    const [name, ...joined] = word.split('=');
    const option = command.options.find(({ long }) => long === name);
    const value = joined.length > 0 ? joined.join('=') : words[at + 1];
    if (option === undefined) kept.push(word);
    else if (value === undefined) command.error(`error: option '${option.flags}' argument missing`);
    else {
      const parsed: unknown = option.parseArg === undefined ? value : parsedBy(option, value, command);
      command.setOptionValue(option.attributeName(), parsed);
      if (joined.length === 0) at++;
    }
  }
  return kept;
}

function parsedBy(option: Option, value: string, command: Command): unknown {
  try {
    return option.parseArg!(value, command.getOptionValue(option.attributeName()));
  } catch (error) {
    return command.error(
      `error: option '${option.flags}' argument '${value}' is invalid. ${(error as Error).message}`,
    );
  }
}

async function runOne(words: readonly string[], flags: ShellFlags): Promise<boolean> {
  const shell = shellFor(flags, standardOutput());
  return (await connectOrExplain(shell)) && (await closeAfter(shell, shell.execute(words)));
}

async function runMany(flags: ShellFlags): Promise<boolean> {
  if (!process.stdin.isTTY) {
    const shell = shellFor(flags, standardOutput());
    return (await connectOrExplain(shell)) && (await closeAfter(shell, runScript(shell, process.stdin)));
  }
  const output = new TerminalOutput(process.stdout);
  output.print(`Connecting to ${flags.connect}. "help" lists the commands, Tab completes them.`);
  const shell = shellFor(flags, output, true);
  // Without a member it is still a shell: `connect` may find one.
  await connectOrExplain(shell, output);
  const history = new HistoryFile(join(homedir(), HISTORY_FILE));
  return closeAfter(shell, converse(shell, process.stdin, output, history));
}

function shellFor(flags: ShellFlags, output: ShellOutput, showsStates = false): Shell {
  const { sessionTimeout: sessionTimeoutMs, patience: patienceMs } = flags;
  return new Shell({
    open: async (url) =>
      connect(url, { sessionTimeoutMs, connectTimeoutMs: patienceMs, ...identityOptions(flags) }),
    url: flags.connect,
    output,
    version: packageVersion(),
    patienceMs,
    showsStates,
  });
}

async function connectOrExplain(shell: Shell, output: ShellOutput = standardOutput()): Promise<boolean> {
  try {
    await shell.connect();
    return true;
  } catch (error) {
    output.printError(describeError(error));
    return false;
  }
}

async function closeAfter(shell: Shell, work: Promise<boolean>): Promise<boolean> {
  try {
    return await work;
  } finally {
    await shell.close();
  }
}

function standardOutput(): StreamOutput {
  return new StreamOutput(process.stdout, process.stderr);
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new InvalidArgumentError('It has to be a positive number of milliseconds.');
  }
  return value;
}
