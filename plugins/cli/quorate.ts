#!/usr/bin/env node
import { Command } from 'commander';
import { errorText, printError, withSafeOutput } from './output.js';
import { packageVersion } from './package-version.js';

/** Only the command that is called is loaded: a member is to be back soon, and needs nothing of what applications are made of. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.js')).serveCommand(),
  backup: async () => (await import('./backup.js')).backupCommand(),
  restore: async () => (await import('./restore.js')).restoreCommand(),
  export: async () => (await import('./export.js')).exportCommand(),
  import: async () => (await import('./import.js')).importCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
  shell: async () => (await import('./shell.js')).shellCommand(),
  config: async () => (await import('./config.js')).configCommand(),
  job: async () => (await import('./job.js')).jobCommand(),
  member: async () => (await import('./member.js')).memberCommand(),
  lock: async () => (await import('./lock.js')).lockCommand(),
  queue: async () => (await import('./queue.js')).queueCommand(),
};

const program = new Command('quorate')
  .description('Coordination servers, a shell to work on their znodes, and commands for what stands on them')
  .version(packageVersion())
  // So that the flags behind a shell's command are that command's own.
  .enablePositionalOptions();

const called = COMMANDS[process.argv[2] ?? ''];
for (const load of called === undefined ? Object.values(COMMANDS) : [called])
  program.addCommand(await load());

try {
  await withSafeOutput(program).parseAsync();
} catch (error) {
  printError(`quorate: ${errorText(error)}\n`);
  process.exitCode = 1;
}
