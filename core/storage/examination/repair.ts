import { SystemRandom, type Logger } from '../../runtime/index.js';
import { readDirectory, writeIdentity, type DirectoryIdentity } from '../data-directory.js';
import { DIRECTORY_ID_BYTES } from '../directory-id.js';
import { withFile, type Directory } from '../disk.js';
import { epochOf } from '../epoch-table.js';
import { writePromises } from '../epoch-file.js';
import {
  EPOCH_FILE,
  fileName,
  IDENTITY_FILE,
  parseFileName,
  temporaryName,
  type HistoryFile,
} from '../file-name.js';
import { createLogEnd, noClaim } from '../log-end.js';
import { recoverHistory } from '../recovery.js';
import { readSnapshotContent, readSnapshotHeader, writeSnapshotFile } from '../snapshot-file.js';
import { CorruptionError } from '../storage-error.js';
import type { ContentCheck, Rejoining } from '../storage.js';
import type { Prognosis, RepairPlan } from './prognosis.js';
import type { Survey } from './survey.js';

const COPY_BYTES = 1024 * 1024;

export interface RepairOptions {
  readonly directory: Directory;
  readonly checkContent: ContentCheck;
  /** Where damaged files go, below the directory. */
  readonly folder: string;
  /** The member is to be counted as it is, though something that it acknowledged may be lost. */
  readonly isAlone: boolean;
  readonly logger: Logger;
}

/**
 * Makes a directory one that a member can start on. Nothing is deleted: what cannot be used is moved aside. Before
 * anything is, the directory says that its member has to rejoin, so that whatever a crash in between leaves does not pass
 * for a sound one. Returns the names of what was moved.
 */
export async function repairDirectory(
  survey: Survey,
  { plan, soundUpTo, knownUpTo, isLoss }: Prognosis,
  options: RepairOptions,
): Promise<readonly string[]> {
  const { directory, checkContent, isAlone, logger } = options;
  const before = survey.promises?.rejoining;
  const promised = survey.promises?.acceptedEpoch ?? 0;
  // A directory without any promise does not count, whatever it says (settleFirstStart).
  const acceptedEpoch = Math.max(promised, epochOf(soundUpTo), epochOf(knownUpTo), isAlone ? 1 : 0);
  const aside = new Aside(options);
  for (const { name } of survey.damagedFiles) await aside.copy(name);
  if (isLoss) await writePromises(directory, { acceptedEpoch, rejoining: 'damaged' });
  await carryOut(plan, survey, aside, directory);
  const identity = survey.identity ?? newIdentity();
  // What is kept may be less than what was proved: from here on nothing is claimed but what the next recovery finds.
  if (survey.refusal !== null) {
    const generation = survey.generation + (plan.type === 'snapshot' ? 1 : 0);
    await createLogEnd(directory, identity.id, noClaim(generation));
  }
  if (survey.damagedFiles.some(({ name }) => name === IDENTITY_FILE)) {
    await writeIdentity(directory, { id: identity.id, owner: identity.owner });
  }
  await recoverHistory(directory, await readDirectory(directory), { logger, checkContent });
  const rejoining: Rejoining | null | undefined = isAlone ? null : isLoss ? 'damaged' : before;
  if (isAlone || isLoss || rejoining !== before) await writePromises(directory, { acceptedEpoch, rejoining });
  return aside.names;
}

async function carryOut(plan: RepairPlan, survey: Survey, aside: Aside, directory: Directory): Promise<void> {
  switch (plan.type) {
    case 'none':
      return;
    case 'trim':
      for (const { name } of plan.aside) await aside.move(name);
      if (plan.cut !== null) await cut(plan.cut, aside, directory);
      return;
    case 'snapshot':
      return keepOnly(plan.file, survey, aside, directory);
    case 'everything': {
      const names = await directory.list();
      for (const name of names) if (parseFileName(name) !== null) await aside.move(name);
    }
  }
}

function newIdentity(): DirectoryIdentity {
  return { id: Buffer.from(new SystemRandom().bytes(DIRECTORY_ID_BYTES)), owner: '' };
}

/** Puts the sound beginning of a file in its place. */
async function cut(
  { file, offset }: { readonly file: HistoryFile; readonly offset: number },
  aside: Aside,
  directory: Directory,
): Promise<void> {
  const draft = temporaryName(file.name);
  await copyFile(directory, file.name, draft, offset);
  await aside.move(file.name);
  await directory.rename(draft, file.name);
  await directory.syncDirectory();
}

/** The snapshot begins a new generation, as one from a leader would: without a log. */
async function keepOnly(
  file: HistoryFile,
  { identity, snapshots, logs }: Survey,
  aside: Aside,
  directory: Directory,
): Promise<void> {
  const { id } = identity!;
  const name = fileName('snapshot', file.generation + 1, file.zxid);
  const header = { ...(await readSnapshotHeader(directory, file, id)), standsAlone: true };
  const content = readSnapshotContent(directory, file.name);
  await writeSnapshotFile(directory, temporaryName(name), { header, directoryId: id, content });
  for (const log of [...logs].reverse()) await aside.move(log.file.name);
  for (const snapshot of snapshots) await aside.move(snapshot.file.name);
  await directory.rename(temporaryName(name), name);
  await directory.syncDirectory();
}

/** Where damaged files are kept. */
class Aside {
  readonly names: string[] = [];
  readonly #directory: Directory;
  readonly #folder: string;

  constructor({ directory, folder }: RepairOptions) {
    this.#directory = directory;
    this.#folder = folder;
  }

  async move(name: string): Promise<void> {
    await this.#directory.setAside(name, this.#folder);
    this.names.push(`${this.#folder}/${name}`);
  }

  /**
   * Leaves the file where it is, too, for it is about to be replaced in one step. A file that cannot be read is moved: a directory
   * without it is refused, as one with it is. Not so the promises, of which nothing is worth keeping then: a directory that has neither
   * them nor a history, which an earlier repair may have moved, would pass for a new one.
   */
  async copy(name: string): Promise<void> {
    if (!(await this.#directory.list()).includes(name)) return;
    const draft = `${name}.copy`;
    try {
      await copyFile(this.#directory, name, draft, Infinity);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      await this.#directory.remove(draft);
      return name === EPOCH_FILE ? undefined : this.move(name);
    }
    await this.#directory.setAside(draft, this.#folder);
    this.names.push(`${this.#folder}/${draft}`);
  }
}

async function copyFile(directory: Directory, from: string, to: string, bytes: number): Promise<void> {
  await withFile(directory, from, 'read', async (source) => {
    const end = Math.min(bytes, await source.size());
    await withFile(directory, to, 'create', async (target) => {
      for (let at = 0; at < end;) {
        const piece = Buffer.alloc(Math.min(COPY_BYTES, end - at));
        const read = await source.read(at, piece);
        await target.write(at, piece.subarray(0, read));
        at += read;
      }
      await target.sync();
    });
  });
}
