import { stat } from 'node:fs/promises';
import { Command } from 'commander';
import { initializeDataDirectory, treatDataDirectory, type Treatment } from '../../core/server/index.js';
import { NodeDisk } from '../../core/storage/index.js';
import { describeTreatment } from './doctor-report.js';
import { force } from './doctor/force-new-ensemble.js';
import { positiveInteger } from './on-ensemble.js';
import { errorText, print, printError } from './output.js';
import { pinoLogger } from './pino-logger.js';

interface Flags {
  readonly repair?: boolean;
  readonly alone?: boolean;
  readonly initialize?: boolean;
  readonly forceNewEnsemble?: boolean;
  readonly id?: number;
  readonly json?: boolean;
}

/** `quorate doctor`: what a data directory holds, and what to do if it is damaged. Exit code 0 if a member starts on it and nothing is damaged. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('examine the data directory of a member that does not run, and repair it')
    .argument('<directory>', 'data directory of the member')
    .option(
      '--repair',
      'make it one that the member can start on; damaged files are moved aside, never deleted',
    )
    .option(
      '--alone',
      'with --repair: nobody can give back what is lost, so begin with what is left; acknowledged writes may be lost for good',
    )
    .option(
      '--initialize',
      'mark an empty directory as that of a new member; without effect on an ensemble of several members',
    )
    .option(
      '--force-new-ensemble',
      'a majority of the members is lost for good: begin a new ensemble with what this directory holds',
    )
    .option(
      '--id <number>',
      'with --force-new-ensemble: number of the member, to confirm it',
      positiveInteger,
    )
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nWithout a flag nothing is changed.')
    .action(async (directory: string, flags: Flags) => {
      try {
        process.exitCode = await run(directory, flags);
      } catch (error) {
        printError(`quorate doctor: ${errorText(error)}\n`);
        process.exitCode = 2;
      }
    });
}

async function run(directory: string, flags: Flags): Promise<number> {
  const { repair, alone, initialize, json } = flags;
  if (alone === true && repair !== true) return refuse('--alone goes with --repair');
  if (initialize === true) return begin(directory);
  if (!(await isDirectory(directory))) return refuse(`${directory} is no directory`);
  if (flags.forceNewEnsemble === true) return force(directory, flags);
  const treatment = await treatDataDirectory({
    disk: await NodeDisk.open(directory),
    repair: repair === true,
    alone: alone === true,
    folder: `damaged-${new Date().toISOString().replaceAll(':', '-')}`,
    logger: pinoLogger('error'),
  });
  print(json === true ? `${JSON.stringify(treatment)}\n` : describeTreatment(treatment));
  return isWell(treatment) ? 0 : 1;
}

async function begin(directory: string): Promise<number> {
  const disk = await NodeDisk.open(directory);
  if (!(await initializeDataDirectory(disk))) {
    return refuse(
      `${disk.location} is not empty: only a directory that never held anything can be initialized`,
    );
  }
  print(
    `${disk.location} is that of a new member. In an ensemble of several members it counts only when the others have admitted it.\n`,
  );
  return 0;
}

function isWell({ before, after }: Treatment): boolean {
  const { state, canStart } = after ?? before;
  return canStart && state !== 'damaged';
}

function refuse(message: string): number {
  printError(`quorate doctor: ${message}\n`);
  return 2;
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
