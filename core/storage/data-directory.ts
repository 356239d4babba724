import { crc32 } from 'node:zlib';
import type { Random } from '../runtime/index.js';
import { DIRECTORY_ID_BYTES } from './directory-id.js';
import type { Directory } from './disk.js';
import { readPromises, writePromises, type Promises } from './epoch-file.js';
import {
  EPOCH_FILE,
  IDENTITY_FILE,
  isTemporary,
  LOG_END_FILE,
  parseFileName,
  type FileKind,
  type HistoryFile,
} from './file-name.js';
import { requireKnownVersion } from './format-version.js';
import { currentGeneration, filesBeyond, isOfSwitch } from './generation.js';
import { createLogEnd, noClaim, readLogEnd, type LogEnd } from './log-end.js';
import { readSealedFile, writeSealedFile } from './sealed-file.js';
import { CorruptionError, ForeignDataDirectoryError } from './storage-error.js';

/**
 * Format of the directory as a whole. A directory of format 1, written by version 0.1.0, has no file `end-of-log`; the first start
 * makes it one of format 2. A later version that can no longer read a format says so.
 */
const FORMAT_VERSION = 2;
const OLD_FORMAT = 1;

/** Which directory this is. Every file of the history carries its `id`, so that files of two members are never mixed. */
export interface DirectoryIdentity {
  readonly id: Buffer;
  /** Whose directory it is, as given when it was made; '' if nothing was. */
  readonly owner: string;
  /** Format of the directory. Default: the current one. */
  readonly format?: number;
}

/** What stands in a directory before its history is read. */
export interface DirectoryContent {
  readonly identity: DirectoryIdentity;
  readonly promises: Promises;
  /** There was no history and no promise. */
  readonly isNew: boolean;
  /** Of the newest generation, in order. */
  readonly logs: readonly HistoryFile[];
  /** Of the newest generation, in order. */
  readonly snapshots: readonly HistoryFile[];
  readonly generation: number;
  /** What is known of the log apart from its files; null in a directory of format 1. */
  readonly end: LogEnd | null;
  /** Files of a later generation that no switch can have left behind. */
  readonly strays: readonly string[];
  /** What an interrupted write or switch left behind: to be removed once the rest has proved sound. */
  readonly leftovers: readonly string[];
}

/** Where records of this directory start their header checksums, so that no bytes from elsewhere pass for one. */
export function saltOf(identity: DirectoryIdentity): number {
  return crc32(identity.id);
}

/**
 * Reads what identifies the directory, and makes it first if there is nothing at all. A directory with a
 * history but without identity, promised epoch or `end-of-log` has lost something: `CorruptionError`.
 */
export async function openDirectory(
  directory: Directory,
  options: { readonly owner: string; readonly random: Random },
): Promise<DirectoryContent> {
  const names = await directory.list();
  if (!names.includes(IDENTITY_FILE)) {
    if (!(await isUnused(directory, names))) throw missing(directory, IDENTITY_FILE);
    await makeDirectory(directory, options);
  }
  const identity = await readIdentity(directory, options.owner);
  // An identity that was repaired does not say whose it is: the member that starts on it says so.
  if (identity.owner === '' && options.owner !== '') {
    await writeIdentity(directory, { ...identity, owner: options.owner });
  }
  // Version 0.1.0 wrote the identity before the first promise.
  const isUnpromised = identity.format === OLD_FORMAT && names.every((name) => parseFileName(name) === null);
  if (isUnpromised && !names.includes(EPOCH_FILE)) {
    await writePromises(directory, { acceptedEpoch: 0, rejoining: undefined });
  }
  return readDirectory(directory, options.owner);
}

/** Nothing was ever promised or kept: there is no history, and the making of the directory may not have come to its end. */
async function isUnused(directory: Directory, names: readonly string[]): Promise<boolean> {
  if (names.some((name) => parseFileName(name) !== null)) return false;
  if (!names.includes(EPOCH_FILE)) return true;
  if (!names.includes(LOG_END_FILE)) return false;
  const { acceptedEpoch, rejoining } = await readPromises(directory);
  return acceptedEpoch === 0 && rejoining === undefined;
}

/** The identity comes last: a directory that has one has everything else. */
async function makeDirectory(
  directory: Directory,
  { owner, random }: { readonly owner: string; readonly random: Random },
): Promise<void> {
  const id = Buffer.from(random.bytes(DIRECTORY_ID_BYTES));
  await createLogEnd(directory, id, noClaim(0));
  await writePromises(directory, { acceptedEpoch: 0, rejoining: undefined });
  await writeIdentity(directory, { id, owner, format: FORMAT_VERSION });
}

/** The same of a directory that has been made, without changing anything. */
export async function readDirectory(directory: Directory, owner = ''): Promise<DirectoryContent> {
  const names = await directory.list();
  if (!names.includes(IDENTITY_FILE)) throw missing(directory, IDENTITY_FILE);
  const identity = await readIdentity(directory, owner);
  if (!names.includes(EPOCH_FILE)) throw missing(directory, EPOCH_FILE);
  const promises = await readPromises(directory);
  const end = await readEndOf(directory, identity);
  return contentOf(directory, names, { identity, promises, end });
}

/**
 * What the file `end-of-log` says; null in a directory of format 1, which has none. Rejects with `CorruptionError` if it cannot be
 * read, or is older than files of the history.
 */
export async function readEndOf(directory: Directory, identity: DirectoryIdentity): Promise<LogEnd | null> {
  if (identity.format === OLD_FORMAT) return null;
  const end = await readLogEnd(directory, identity.id);
  const files = (await directory.list()).map(parseFileName).filter((file) => file !== null);
  const [later] = await filesBeyond(directory, files, identity.id, end);
  if (later === undefined) return end;
  const reason = `it names generation ${end.generation} and ${later} is of a later one: it is an old copy`;
  throw new CorruptionError({ location: directory.location, file: LOG_END_FILE, reason });
}

/** What the names of a directory's files amount to, given what its small files hold. */
export async function contentOf(
  directory: Directory,
  names: readonly string[],
  held: Pick<DirectoryContent, 'identity' | 'promises' | 'end'>,
): Promise<DirectoryContent> {
  const { identity, promises, end } = held;
  const history = names.map(parseFileName).filter((file) => file !== null);
  const generation = await currentGeneration(directory, history, identity.id, end);
  const current = (kind: FileKind): HistoryFile[] =>
    history.filter((file) => file.kind === kind && file.generation === generation);
  const isLeftover = (file: HistoryFile): boolean =>
    file.generation < generation || (end !== null && isOfSwitch(file, end));
  const isUnproven = end === null || (end.zxid === 0n && end.newest === null);
  return {
    ...held,
    isNew:
      history.length === 0 && isUnproven && promises.acceptedEpoch === 0 && promises.rejoining === undefined,
    logs: current('log'),
    snapshots: current('snapshot'),
    generation,
    strays: history
      .filter((file) => file.generation > generation && !isLeftover(file))
      .map(({ name }) => name),
    leftovers: [...names.filter(isTemporary), ...history.filter(isLeftover).map(({ name }) => name)],
  };
}

/** Makes it durable, in one step. */
export async function writeIdentity(directory: Directory, identity: DirectoryIdentity): Promise<void> {
  const version = Buffer.alloc(4);
  version.writeUInt32LE(identity.format ?? FORMAT_VERSION);
  await writeSealedFile(
    directory,
    IDENTITY_FILE,
    Buffer.concat([version, identity.id, Buffer.from(identity.owner, 'utf8')]),
  );
}

/** Rejects with `CorruptionError` if it cannot be read, with `ForeignDataDirectoryError` if it is of another owner than `owner`, unless that is ''. */
export async function readIdentity(directory: Directory, owner: string): Promise<DirectoryIdentity> {
  const body = await readSealedFile(directory, IDENTITY_FILE);
  const version = body.length < 4 ? 0 : body.readUInt32LE();
  requireKnownVersion(directory, IDENTITY_FILE, { version, newestKnown: FORMAT_VERSION });
  if (version < OLD_FORMAT) {
    const reason = `it claims format ${version}, which never existed`;
    throw new CorruptionError({ location: directory.location, file: IDENTITY_FILE, reason });
  }
  const identity = {
    id: body.subarray(4, 4 + DIRECTORY_ID_BYTES),
    owner: body.toString('utf8', 4 + DIRECTORY_ID_BYTES),
    format: version,
  };
  if (owner !== '' && identity.owner !== '' && owner !== identity.owner) {
    const { location } = directory;
    throw new ForeignDataDirectoryError({ location, owner: identity.owner, opener: owner });
  }
  return identity;
}

function missing(directory: Directory, file: string): CorruptionError {
  return new CorruptionError({
    location: directory.location,
    file,
    reason: 'it is missing though the directory has a history',
  });
}
