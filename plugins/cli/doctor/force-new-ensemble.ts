import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { printableLine, QuorateError } from '../../../core/runtime/index.js';
import { forceNewEnsemble, treatDataDirectory, type Diagnosis } from '../../../core/server/index.js';
import { NodeDisk } from '../../../core/storage/index.js';
import { print, printError } from '../output.js';

export interface ForceFlags {
  /** Number of the member whose directory it is: whoever gives it means this directory. */
  readonly id?: number;
  readonly json?: boolean;
}

/**
 * Makes the data directory of a survivor that of a new ensemble, after its number was given. Returns the exit code. Rejects with
 * what the storage finds wrong.
 */
export async function force(directory: string, { id, json }: ForceFlags): Promise<number> {
  const disk = await NodeDisk.open(directory);
  const { before } = await treatDataDirectory({ disk, folder: '' });
  const owner = ownerOf(before);
  if (before.state === 'damaged')
    throw new QuorateError(
      'STORAGE_CORRUPT',
      `Cannot begin a new ensemble with ${disk.location}: it is damaged. Run quorate doctor --repair --alone on it first.`,
    );
  if (json !== true) print(announcementOf(before));
  const given = id ?? (await askedId(owner));
  if (given === null) {
    printError(
      `quorate doctor: nothing was changed. To go on, give the number of this member: --id ${owner ?? 'NUMBER'}\n`,
    );
    return 2;
  }
  if (owner !== null && given !== owner) {
    printError(
      `quorate doctor: nothing was changed: the directory is that of member ${owner}, not of member ${given}\n`,
    );
    return 2;
  }
  const folder = `before-new-ensemble-${new Date().toISOString().replaceAll(':', '-')}`;
  await keepCopies(disk.location, folder);
  const begun = await forceNewEnsemble(disk);
  if (json === true) print(`${JSON.stringify({ before, begun, kept: folder })}\n`);
  else {
    print(
      [
        `New ensemble ${begun.ensemble}, from epoch ${begun.epoch} on, with ${begun.znodes} znodes.`,
        `  left out  ${begun.left.sessions} sessions with ${begun.left.ephemerals} ephemeral znodes`,
        `  kept      the files as they were, in ${folder}`,
        'Start the member alone, without --ensemble: it serves at once. To begin with several members, start it with --ensemble and',
        'all others of that list with empty directories.',
        '',
      ].join('\n'),
    );
  }
  return 0;
}

function announcementOf({ location, lastZxid, mayHold, mayBeLost }: Diagnosis): string {
  return [
    `${printableLine(location)}: the history reaches ${lastZxid}.`,
    `  Acknowledged writes behind ${lastZxid} that only other members have are lost for good.`,
    ...(mayHold === null
      ? []
      : [`  Up to ${mayHold} this member itself may have acknowledged writes that are gone.`]),
    ...(mayBeLost === null
      ? []
      : [`  This member has lost a part of what it held behind ${mayBeLost.behind}.`]),
    '  Writes at the end that were never acknowledged may be kept. Sessions and ephemeral znodes are left out.',
    '  Do this only if a majority of the members is lost for good, on the member whose history reaches furthest, and never start',
    '  the other members with their old directories again: they are refused.',
    '',
  ].join('\n');
}

function ownerOf({ owner }: Diagnosis): number | null {
  const [, number] = /^member (\d+)$/.exec(owner ?? '') ?? [];
  return number === undefined ? null : Number(number);
}

/** Null if nobody can be asked, or no number is given. */
async function askedId(owner: number | null): Promise<number | null> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const text = await terminal.question(
      `To go on, type the number of this member${owner === null ? '' : ', as in its --id'}: `,
    );
    return /^\d+$/.test(text.trim()) ? Number(text.trim()) : null;
  } finally {
    terminal.close();
  }
}

/** Rejects if there is no space for copies: then nothing has been changed. */
async function keepCopies(location: string, folder: string): Promise<void> {
  const place = join(location, folder);
  await mkdir(place, { mode: 0o700 });
  try {
    for (const entry of await readdir(location, { withFileTypes: true })) {
      if (!entry.isFile() || entry.name.startsWith('lock')) continue;
      await copyFile(join(location, entry.name), join(place, entry.name), constants.COPYFILE_FICLONE);
    }
  } catch (cause) {
    await rm(place, { recursive: true, force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuorateError(
      'FILE_NOT_WRITTEN',
      `Cannot keep a copy of the directory in ${place}: ${why}. Nothing was changed. Free some space, or copy the directory elsewhere.`,
      { cause },
    );
  }
}
