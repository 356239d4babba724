import type { ShellCommand } from '../command.js';
import { aclCommands } from './acl-commands.js';
import { quotaCommands } from './quota-commands.js';
import { readCommands } from './read-commands.js';
import { watchCommands } from './watch-commands.js';
import { writeCommands } from './write-commands.js';

/** The commands that need a client, by name. Those that are about the shell itself are the shell's own. */
export const commands: ReadonlyMap<string, ShellCommand> = new Map(
  [...aclCommands, ...quotaCommands, ...readCommands, ...watchCommands, ...writeCommands].map((command) => [
    command.name,
    command,
  ]),
);
