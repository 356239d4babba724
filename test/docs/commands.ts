/** The commands of `quorate`, as commander has them. */
import type { Command } from 'commander';
import { backupCommand } from '../../plugins/cli/backup.js';
import { configCommand } from '../../plugins/cli/config.js';
import { doctorCommand } from '../../plugins/cli/doctor.js';
import { exportCommand } from '../../plugins/cli/export.js';
import { importCommand } from '../../plugins/cli/import.js';
import { jobCommand } from '../../plugins/cli/job.js';
import { lockCommand } from '../../plugins/cli/lock.js';
import { memberCommand } from '../../plugins/cli/member.js';
import { queueCommand } from '../../plugins/cli/queue.js';
import { restoreCommand } from '../../plugins/cli/restore.js';
import { serveCommand } from '../../plugins/cli/serve.js';
import { shellCommand } from '../../plugins/cli/shell.js';

export const COMMANDS: Readonly<Record<string, Command>> = {
  backup: backupCommand(),
  config: configCommand(),
  doctor: doctorCommand(),
  export: exportCommand(),
  import: importCommand(),
  job: jobCommand(),
  lock: lockCommand(),
  member: memberCommand(),
  queue: queueCommand(),
  restore: restoreCommand(),
  serve: serveCommand(),
  shell: shellCommand(),
};
