import { crc32 } from 'node:zlib';
import type { Random } from '../runtime/index.js';
import type { Directory } from './disk.js';
import { readPromises, writePromises, type Promises } from './epoch-file.js';
import {
  EPOCH_FILE,
  IDENTITY_FILE,
  isTemporary,
  parseFileName,
  type FileKind,
  type HistoryFile,
} from './file-name.js';
import { readSealedFile, writeSealedFile } from './sealed-file.js';
import { CorruptionError, ForeignDataDirectoryError, StorageError } from './storage-error.js';

/** Of the layout of the directory as a whole; a later version that can no longer read it will say so. */
const FORMAT_VERSION = 1;
export const DIRECTORY_ID_BYTES = 16;

/** Which directory this is. Every file of the history carries its `id`, so that files of two members are never mixed. */
export interface DirectoryIdentity {
  readonly id: Buffer;
  /** Whose directory it is, as given when it was made; '' if nothing was. */
  readonly owner: string;
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
  /** What an interrupted write or switch left behind: to be removed once the rest has proved sound. */
  readonly leftovers: readonly string[];
}

/** Where records of this directory start their header checksums, so that no bytes from elsewhere pass for one. */
export function saltOf(identity: DirectoryIdentity): number {
  return crc32(identity.id);
}

/**
 * Reads what identifies the directory, and makes it first if there is nothing at all. A directory with a
 * history but without identity or promised epoch has lost something: `CorruptionError`.
 */
export async function openDirectory(
  directory: Directory,
  options: { readonly owner: string; readonly random: Random },
): Promise<DirectoryContent> {
  const names = await directory.list();
  const history = names.map(parseFileName).filter((file) => file !== null);
  const isEmpty = history.length === 0;
  if (!names.includes(IDENTITY_FILE)) {
    if (!isEmpty || names.includes(EPOCH_FILE)) throw missing(directory, IDENTITY_FILE);
    await writeIdentity(directory, {
      id: Buffer.from(options.random.bytes(DIRECTORY_ID_BYTES)),
      owner: options.owner,
    });
  }
  const identity = await readIdentity(directory, options.owner);
  // An identity that was repaired does not say whose it is: the member that starts on it says so.
  if (identity.owner === '' && options.owner !== '') {
    await writeIdentity(directory, { id: identity.id, owner: options.owner });
  }
  if (!names.includes(EPOCH_FILE)) {
    if (!isEmpty) throw missing(directory, EPOCH_FILE);
    await writePromises(directory, { acceptedEpoch: 0, rejoining: undefined });
  }
  return readDirectory(directory, options.owner);
}

/** The same of a directory that has been made, without changing anything. */
export async function readDirectory(directory: Directory, owner = ''): Promise<DirectoryContent> {
  const names = await directory.list();
  if (!names.includes(IDENTITY_FILE)) throw missing(directory, IDENTITY_FILE);
  const identity = await readIdentity(directory, owner);
  if (!names.includes(EPOCH_FILE)) throw missing(directory, EPOCH_FILE);
  return contentOf(names, identity, await readPromises(directory));
}

/** What the names of a directory's files amount to, given what its small files hold. */
export function contentOf(
  names: readonly string[],
  identity: DirectoryIdentity,
  promises: Promises,
): DirectoryContent {
  const history = names.map(parseFileName).filter((file) => file !== null);
  const isEmpty = history.length === 0;
  const generation = Math.max(0, ...history.map((file) => file.generation));
  const current = (kind: FileKind): HistoryFile[] =>
    history.filter((file) => file.kind === kind && file.generation === generation);
  return {
    identity,
    promises,
    isNew: isEmpty && promises.acceptedEpoch === 0 && promises.rejoining === undefined,
    logs: current('log'),
    snapshots: current('snapshot'),
    generation,
    leftovers: [
      ...names.filter(isTemporary),
      ...history.filter((file) => file.generation < generation).map((file) => file.name),
    ],
  };
}

export async function writeIdentity(directory: Directory, identity: DirectoryIdentity): Promise<void> {
  const version = Buffer.alloc(4);
  version.writeUInt32LE(FORMAT_VERSION);
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
  if (version !== FORMAT_VERSION) {
    throw new StorageError(
      `${directory.location} has format ${version}, this version of Quorate knows format ${FORMAT_VERSION}: start it with the version that wrote it`,
      { fields: { location: directory.location, version } },
    );
  }
  const identity = {
    id: body.subarray(4, 4 + DIRECTORY_ID_BYTES),
    owner: body.toString('utf8', 4 + DIRECTORY_ID_BYTES),
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
