import { Command } from 'commander';
import { printableLine } from '../../core/runtime/index.js';
import {
  backupOfDirectory,
  BackupDecoder,
  verifyBackup,
  type BackupSummary,
} from '../../core/server/index.js';
import { NodeDisk, writeWholeFile } from '../../core/storage/index.js';
import { readWhole, standardInput } from './backup/read-file.js';
import { receiveBackup } from './backup/receive.js';
import { withEnsembleFlags, type EnsembleFlags } from './on-ensemble.js';
import { errorText, print, printError, writeBytes } from './output.js';

interface BackupFlags extends EnsembleFlags {
  readonly data?: string;
  readonly json?: boolean;
}

interface VerifyFlags {
  readonly json?: boolean;
}

/** Progress is shown so often. */
const PROGRESS_MS = 2_000;

/** `quorate backup`: a consistent copy of the whole tree in one file, from a member that runs or from a directory. */
export function backupCommand(): Command {
  const verify = new Command('verify')
    .description('verify that a backup is complete and undamaged')
    .argument('<file>', 'backup, or - for the standard input')
    .option('--json', 'one JSON object instead of text')
    .action((file: string, flags: VerifyFlags) => guarded('backup verify', () => verifyFile(file, flags)));
  const command = new Command('backup')
    .description('write the whole tree, as one member has it, to a file of mode 0600')
    .argument('<file>', 'file to write, or - for the standard output')
    .option('--data <directory>', 'data directory of a member that does not run, in place of --connect')
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      '\nA backup has everything, past all ACLs. It needs the identity of --super-digest if the members have one; without one it is ' +
        'given only to the machine of the member.',
    )
    .action((file: string, flags: BackupFlags) => guarded('backup', () => take(file, flags)));
  // So that flags behind `verify` are its own.
  return withEnsembleFlags(command).enablePositionalOptions().addCommand(verify);
}

async function take(file: string, flags: BackupFlags): Promise<void> {
  const decoder = new BackupDecoder(file);
  let bytes = 0;
  async function* verified(): AsyncGenerator<Uint8Array, void> {
    const progress = setInterval(() => printError(progressOf(decoder, bytes)), PROGRESS_MS);
    try {
      const content =
        flags.data === undefined ? receiveBackup(flags) : backupOfDirectory(await NodeDisk.open(flags.data));
      for await (const piece of content) {
        decoder.push(piece);
        bytes += piece.length;
        yield piece;
      }
      decoder.finish();
    } finally {
      clearInterval(progress);
    }
  }
  if (file === '-') for await (const piece of verified()) await writeBytes(piece);
  else await writeWholeFile(file, verified());
  const summary = { ...decoder.finish().header, sha256: decoder.sha256!, bytes };
  const report =
    flags.json === true ? `${JSON.stringify(summary)}\n` : reportOf('Backup written', file, summary);
  if (file === '-') printError(report);
  else print(report);
}

async function verifyFile(file: string, { json }: VerifyFlags): Promise<void> {
  const summary = await verifyBackup(file === '-' ? standardInput() : readWhole(file), file);
  print(json === true ? `${JSON.stringify(summary)}\n` : reportOf('Backup verified', file, summary));
}

/** Runs a command; what fails is said on the error stream, and the exit code is 1. */
export async function guarded(name: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    printError(`quorate ${name}: ${errorText(error)}\n`);
    process.exitCode = 1;
  }
}

function progressOf(decoder: BackupDecoder, bytes: number): string {
  const { header } = decoder;
  const of = header === null ? '' : ` of the state at ${header.zxid} (${header.znodes} znodes)`;
  return `${bytes} bytes${of}\n`;
}

function reportOf(what: string, file: string, summary: BackupSummary): string {
  const { ensemble, member, zxid, epoch, znodes, takenAt, sha256, bytes } = summary;
  return [
    `${what}: ${printableLine(file)}`,
    `  taken     ${takenAt}${member === null ? '' : ` at member ${member}`}`,
    `  ensemble  ${ensemble ?? 'without an id'}`,
    `  state     at ${zxid}, epoch ${epoch}, ${znodes} znodes`,
    `  content   ${bytes} bytes, SHA-256 ${sha256}`,
    '',
  ].join('\n');
}
