import {
  contentOf,
  readDirectory,
  readEndOf,
  readIdentity,
  saltOf,
  type DirectoryIdentity,
} from '../data-directory.js';
import { withFile, type Directory } from '../disk.js';
import { readPromises, type Promises } from '../epoch-file.js';
import {
  EPOCH_FILE,
  IDENTITY_FILE,
  isTemporary,
  LOG_END_FILE,
  parseFileName,
  type HistoryFile,
} from '../file-name.js';
import { currentGeneration } from '../generation.js';
import { noClaim, type LogEnd } from '../log-end.js';
import { checkHistory, type TornTail } from '../recovery.js';
import { readDirectoryId } from '../log-segment.js';
import {
  readSnapshotDirectoryId,
  readSnapshotHeader,
  verifySnapshot,
  type SnapshotHeader,
} from '../snapshot-file.js';
import { CorruptionError } from '../storage-error.js';
import type { ContentCheck } from '../storage.js';
import { damageOf, type Damage } from './damage.js';
import { surveyLogs, type LogSurvey } from './log-survey.js';

export interface SnapshotSurvey {
  readonly file: HistoryFile;
  readonly bytes: number;
  /** Null if it cannot be read. */
  readonly header: SnapshotHeader | null;
  readonly damage: Damage | null;
}

/** Everything that was found in a data directory, nothing of it changed. */
export interface Survey {
  /** As a file of the log has it if its own file cannot be read; null if none can. */
  readonly identity: DirectoryIdentity | null;
  readonly promises: Promises | null;
  /** What is known of the log apart from its files; null in a directory of version 0.1.0. */
  readonly end: LogEnd | null;
  /** Of the small files, which belong to no part of the history. */
  readonly damagedFiles: readonly { readonly name: string; readonly damage: Damage }[];
  readonly generation: number;
  /** Of the newest generation, in order. */
  readonly snapshots: readonly SnapshotSurvey[];
  readonly logs: readonly LogSurvey[];
  /** What a crash left behind; the next start removes it. */
  readonly leftovers: readonly string[];
  /** Nothing was ever kept here. */
  readonly isUntouched: boolean;
  /** Bytes behind the last whole record, as a crash leaves them; the next start cuts them off. */
  readonly torn: TornTail | null;
  /** Why a member refuses to start on it; null if it does not. */
  readonly refusal: CorruptionError | null;
  /**
   * Why a member would refuse the history if the small files were whole; null if it would not, undefined if that cannot be said
   * because identity or promises are unknown.
   */
  readonly historyRefusal: CorruptionError | null | undefined;
}

/** Reads and verifies every file, however many of them are damaged. */
export async function surveyDirectory(directory: Directory, checkContent: ContentCheck): Promise<Survey> {
  const names = await directory.list();
  const history = names.map(parseFileName).filter((file) => file !== null);
  const damagedFiles: { name: string; damage: Damage }[] = [];
  const isUntouched = history.length === 0 && !names.includes(EPOCH_FILE) && !names.includes(IDENTITY_FILE);
  const ownIdentity = isUntouched
    ? null
    : await attempt(directory, IDENTITY_FILE, damagedFiles, names, () => readIdentity(directory, ''));
  const identity = ownIdentity ?? (await identityOf(directory, history.toReversed()));
  const end = identity === null ? null : await endOf(directory, { identity, damagedFiles, names });
  const generation =
    identity === null
      ? Math.max(0, ...history.map((file) => file.generation))
      : await currentGeneration(directory, history, identity.id, end);
  const current = history.filter((file) => file.generation === generation);
  const logs = current.filter(({ kind }) => kind === 'log');
  const promises = isUntouched
    ? null
    : await attempt(directory, EPOCH_FILE, damagedFiles, names, () => readPromises(directory));
  const snapshots: SnapshotSurvey[] = [];
  for (const file of current) {
    if (file.kind === 'snapshot')
      snapshots.push(await surveySnapshot(directory, file, identity, checkContent));
  }
  return {
    identity,
    promises,
    end,
    damagedFiles,
    generation,
    snapshots,
    logs:
      identity === null
        ? []
        : await surveyLogs(directory, logs, { id: identity.id, salt: saltOf(identity), end }),
    leftovers: [
      ...names.filter(isTemporary),
      ...history.filter((file) => file.generation < generation).map(({ name }) => name),
    ],
    isUntouched,
    ...(isUntouched
      ? { torn: null, refusal: null, historyRefusal: null }
      : await tryStart(directory, { names, identity, promises, end, checkContent })),
  };
}

/** Without its file nothing is claimed of a log, and its generation is that of the newest files. */
async function endOf(
  directory: Directory,
  found: {
    readonly identity: DirectoryIdentity;
    readonly damagedFiles: { name: string; damage: Damage }[];
    readonly names: readonly string[];
  },
): Promise<LogEnd | null> {
  const { identity, damagedFiles, names } = found;
  // An identity that was read from a file of the history does not tell the format.
  const isExpected = identity.format !== undefined || names.includes(LOG_END_FILE);
  if (!isExpected) return null;
  try {
    return await readEndOf(directory, identity);
  } catch (error) {
    damagedFiles.push({ name: LOG_END_FILE, damage: damageOf(error, directory, LOG_END_FILE) });
    const files = names.map(parseFileName).filter((file) => file !== null);
    return noClaim(await currentGeneration(directory, files, identity.id, null));
  }
}

/** Each file of a history says to which directory it belongs. */
async function identityOf(
  directory: Directory,
  files: readonly HistoryFile[],
): Promise<DirectoryIdentity | null> {
  for (const file of files) {
    const reading =
      file.kind === 'log' ? readDirectoryId(directory, file) : readSnapshotDirectoryId(directory, file);
    const id = await reading.catch(onlyDamage);
    if (id !== null) return { id, owner: '' };
  }
  return null;
}

function onlyDamage(error: unknown): null {
  if (error instanceof CorruptionError) return null;
  throw error;
}

/** What a start would make of it, in its own words; and of the history, if only the small files stop it. */
async function tryStart(
  directory: Directory,
  found: Pick<Survey, 'identity' | 'promises' | 'end'> & {
    readonly names: readonly string[];
    readonly checkContent: ContentCheck;
  },
): Promise<Pick<Survey, 'torn' | 'refusal' | 'historyRefusal'>> {
  const { names, identity, promises, end, checkContent } = found;
  const refusal = await readDirectory(directory).then(() => null, corruptionOf);
  if (identity === null || promises === null) return { torn: null, refusal, historyRefusal: undefined };
  try {
    const content = await contentOf(directory, names, { identity, promises, end });
    const torn = await checkHistory(directory, content, checkContent);
    return { torn, refusal, historyRefusal: null };
  } catch (error) {
    const historyRefusal = corruptionOf(error);
    return { torn: null, refusal: refusal ?? historyRefusal, historyRefusal };
  }
}

function corruptionOf(error: unknown): CorruptionError {
  if (error instanceof CorruptionError) return error;
  throw error;
}

async function attempt<T>(
  directory: Directory,
  name: string,
  damaged: { name: string; damage: Damage }[],
  names: readonly string[],
  read: () => Promise<T>,
): Promise<T | null> {
  if (!names.includes(name)) {
    damaged.push({ name, damage: { offset: null, reason: 'it is missing' } });
    return null;
  }
  try {
    return await read();
  } catch (error) {
    damaged.push({ name, damage: damageOf(error, directory, name) });
    return null;
  }
}

async function surveySnapshot(
  directory: Directory,
  file: HistoryFile,
  identity: DirectoryIdentity | null,
  checkContent: ContentCheck,
): Promise<SnapshotSurvey> {
  const bytes = await withFile(directory, file.name, 'read', (opened) => opened.size());
  if (identity === null) {
    const reason = 'no file tells any more to which directory it belongs';
    return { file, bytes, header: null, damage: { offset: null, reason } };
  }
  let header: SnapshotHeader | null = null;
  try {
    header = await readSnapshotHeader(directory, file, identity.id);
    await verifySnapshot(directory, file, identity.id, checkContent);
    return { file, bytes, header, damage: null };
  } catch (error) {
    return { file, bytes, header, damage: damageOf(error, directory, file.name) };
  }
}
