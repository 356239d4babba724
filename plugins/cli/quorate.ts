#!/usr/bin/env node
/** The `quorate` command. */
import { Command } from 'commander';
import { serveCommand } from './serve.js';

const program = new Command('quorate')
  .description('Coordination for distributed workers')
  .addCommand(serveCommand());

await program.parseAsync();
