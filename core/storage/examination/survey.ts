import { readDirectory, readIdentity, saltOf, type DirectoryIdentity } from '../data-directory.js';
import { withFile, type Directory } from '../disk.js';
import { readPromises, type Promises } from '../epoch-file.js';
import { EPOCH_FILE, IDENTITY_FILE, isTemporary, parseFileName, type HistoryFile } from '../file-name.js';
import { checkHistory, type TornTail } from '../recovery.js';
import { readSnapshotContent, readSnapshotHeader, type SnapshotHeader } from '../snapshot-file.js';
import { CorruptionError } from '../storage-error.js';
import { readDirectoryId } from '../log-segment.js';
import { surveyLogs, type LogSurvey } from './log-survey.js';

/** What is wrong with a file, and where; null for a file that is not there, or if no place can be named. */
export interface Damage {
  readonly offset: number | null;
  readonly reason: string;
}

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
  /** What a crash tore at the end of the log: never acknowledged, and cut off by the next start. */
  readonly torn: TornTail | null;
  /** Why a member refuses to start on it; null if it does not. */
  readonly refusal: CorruptionError | null;
}

/** Rejects if the content of a snapshot is not what it should be; its checksums have been verified by then. */
export type ContentCheck = (content: AsyncIterable<Uint8Array>, header: SnapshotHeader) => Promise<void>;

/** Reads and verifies every file, however many of them are damaged. */
export async function surveyDirectory(directory: Directory, checkContent: ContentCheck): Promise<Survey> {
  const names = await directory.list();
  const history = names.map(parseFileName).filter((file) => file !== null);
  const generation = Math.max(0, ...history.map((file) => file.generation));
  const current = history.filter((file) => file.generation === generation);
  const damagedFiles: { name: string; damage: Damage }[] = [];
  const isUntouched = history.length === 0 && !names.includes(EPOCH_FILE) && !names.includes(IDENTITY_FILE);
  const logs = current.filter(({ kind }) => kind === 'log');
  const ownIdentity = isUntouched
    ? null
    : await attempt(IDENTITY_FILE, damagedFiles, names, () => readIdentity(directory, ''));
  const identity = ownIdentity ?? (await identityOf(directory, logs));
  const promises = isUntouched
    ? null
    : await attempt(EPOCH_FILE, damagedFiles, names, () => readPromises(directory));
  const snapshots: SnapshotSurvey[] = [];
  for (const file of current) {
    if (file.kind === 'snapshot')
      snapshots.push(await surveySnapshot(directory, file, identity, checkContent));
  }
  return {
    identity,
    promises,
    damagedFiles,
    generation,
    snapshots,
    logs:
      identity === null ? [] : await surveyLogs(directory, logs, { id: identity.id, salt: saltOf(identity) }),
    leftovers: [
      ...names.filter(isTemporary),
      ...history.filter((file) => file.generation < generation).map(({ name }) => name),
    ],
    isUntouched,
    ...(isUntouched ? { torn: null, refusal: null } : await tryStart(directory)),
  };
}

/** The files of a log say to which directory they belong. */
async function identityOf(
  directory: Directory,
  logs: readonly HistoryFile[],
): Promise<DirectoryIdentity | null> {
  for (const log of logs) {
    const id = await readDirectoryId(directory, log);
    if (id !== null) return { id, owner: '' };
  }
  return null;
}

/** What a start would make of it, in its own words. */
async function tryStart(directory: Directory): Promise<Pick<Survey, 'torn' | 'refusal'>> {
  try {
    return { torn: await checkHistory(directory, await readDirectory(directory)), refusal: null };
  } catch (error) {
    if (error instanceof CorruptionError) return { torn: null, refusal: error };
    throw error;
  }
}

async function attempt<T>(
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
    damaged.push({ name, damage: damageOf(error) });
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
    const reason = 'nobody knows any more to which directory it belongs';
    return { file, bytes, header: null, damage: { offset: null, reason } };
  }
  let header: SnapshotHeader | null = null;
  try {
    header = await readSnapshotHeader(directory, file, identity.id);
    for await (const _ of readSnapshotContent(directory, file.name));
    await checkContent(readSnapshotContent(directory, file.name), header);
    return { file, bytes, header, damage: null };
  } catch (error) {
    return { file, bytes, header, damage: damageOf(error) };
  }
}

function damageOf(error: unknown): Damage {
  if (error instanceof CorruptionError) {
    const { offset, reason } = error.fields as { offset?: number; reason: string };
    return { offset: offset ?? null, reason };
  }
  return { offset: null, reason: error instanceof Error ? error.message : String(error) };
}
