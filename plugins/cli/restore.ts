import { Command } from 'commander';
import { printableLine } from '../../core/runtime/index.js';
import { parseEnsemble, restoreBackup } from '../../core/server/index.js';
import { NodeDisk } from '../../core/storage/index.js';
import { guarded } from './backup.js';
import { readWhole, standardInput } from './backup/read-file.js';
import { positiveInteger } from './on-ensemble.js';
import { print } from './output.js';

interface Flags {
  readonly data: string;
  readonly id: number;
  readonly ensemble?: string;
  readonly restoration: number;
  readonly json?: boolean;
}

/** `quorate restore`: makes an empty directory that of a member of a new ensemble, which begins with the state in a backup. */
export function restoreCommand(): Command {
  return new Command('restore')
    .description(
      'make an empty data directory that of a member of a new ensemble, which begins with a backup',
    )
    .argument('<file>', 'backup, or - for the standard input')
    .requiredOption('--data <directory>', 'data directory of the member, empty or missing')
    .requiredOption('--id <number>', 'number of the member', positiveInteger)
    .option(
      '--ensemble <members>',
      'all members of the new ensemble, as for serve; the same for each of them',
    )
    .option(
      '--restoration <number>',
      'how often this backup is restored with this one; 2 for the second time, the same for each member',
      positiveInteger,
      1,
    )
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      '\nRun it with the same file once for each member, then start all of them with the same --ensemble.',
    )
    .action((file: string, flags: Flags) => guarded('restore', () => restore(file, flags)));
}

async function restore(file: string, { data, id, ensemble, restoration, json }: Flags): Promise<void> {
  const members = ensemble === undefined ? [] : parseEnsemble(ensemble);
  const disk = await NodeDisk.open(data);
  const content = file === '-' ? standardInput() : readWhole(file);
  const { backup, restored } = await restoreBackup({ content, name: file, disk, id, members, restoration });
  if (json === true) return print(`${JSON.stringify({ backup, restored })}\n`);
  const { left } = restored;
  const others = members.filter((member) => member.id !== id).map((member) => member.id);
  const next =
    members.length > 1
      ? `Run the same command with --id ${others.join(', ')} for the other members, each with a directory of its own. Then start all members.`
      : 'Start the member with this directory.';
  print(
    [
      `Restored ${printableLine(file)} for member ${id} in ${printableLine(disk.location)}`,
      `  backup    of ${backup.takenAt}, the state at ${backup.zxid}, ${backup.znodes} znodes`,
      `  ensemble  ${restored.ensemble}, new, from epoch ${restored.epoch} on`,
      `  left out  ${left.sessions} sessions of the old ensemble with ${left.ephemerals} ephemeral znodes`,
      next,
      '',
    ].join('\n'),
  );
}
