#!/usr/bin/env node
import { Command } from 'commander';
import { configCommand } from './config.js';
import { doctorCommand } from './doctor.js';
import { jobCommand } from './job.js';
import { lockCommand } from './lock.js';
import { packageVersion } from './package-version.js';
import { queueCommand } from './queue.js';
import { serveCommand } from './serve.js';
import { shellCommand } from './shell.js';

const program = new Command('quorate')
  .description('Coordination servers, a shell to work on their znodes, and commands for what stands on them')
  .version(packageVersion())
  // So that the flags behind a shell's command are that command's own.
  .enablePositionalOptions();

for (const command of [
  serveCommand(),
  doctorCommand(),
  shellCommand(),
  configCommand(),
  jobCommand(),
  lockCommand(),
  queueCommand(),
])
  program.addCommand(command);

await program.parseAsync();
