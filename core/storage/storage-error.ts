import { QuorateError, type ErrorFields } from '../runtime/index.js';

interface StorageErrorOptions {
  readonly fields?: ErrorFields;
  readonly cause?: unknown;
}

/**
 * A member's durable state cannot be read or written. Codes: `STORAGE_FAILED` (the disk refused),
 * `STORAGE_CLOSED`, `STORAGE_MISUSED` (the caller broke a rule, such as a gap between entries), and those of the subclasses.
 */
export class StorageError extends QuorateError {
  constructor(
    message: string,
    options: StorageErrorOptions & {
      readonly code?:
        | 'STORAGE_FAILED'
        | 'STORAGE_CLOSED'
        | 'STORAGE_MISUSED'
        | 'STORAGE_CORRUPT'
        | 'SNAPSHOT_POSTPONED'
        | 'SNAPSHOT_NOT_READ_BACK'
        | 'STORAGE_ACCESS_DENIED'
        | 'STORAGE_FORMAT_UNKNOWN'
        | 'DISK_FULL'
        | 'LINK_REFUSED'
        | 'DATA_DIRECTORY_REPLACED'
        | 'DATA_DIRECTORY_LOCKED'
        | 'DATA_DIRECTORY_FOREIGN';
    } = {},
  ) {
    super(options.code ?? 'STORAGE_FAILED', message, options);
  }
}

/** What the disk holds is not what was written, and going on would mean to guess. `fields.file`, `fields.offset` say where. */
export class CorruptionError extends StorageError {
  constructor(options: {
    readonly location: string;
    readonly file: string;
    readonly offset?: number;
    readonly reason: string;
    readonly cause?: unknown;
  }) {
    const { location, file, offset, reason, cause } = options;
    const place = offset === undefined ? file : `${file} at byte ${offset}`;
    super(
      `${location}: ${place} is damaged: ${reason}. Entries that this member has acknowledged may be lost, so it must not ` +
        `take part as it is. Check the disk; then run\n\n    quorate doctor ${quoted(location)}\n\nwhich tells what is lost ` +
        `and what is not, and with --repair moves the damaged files aside, so that the member can start and the others of its ` +
        `ensemble give it back what it lost. Or restore the directory from a backup`,
      { code: 'STORAGE_CORRUPT', fields: { location, file, offset, reason }, cause },
    );
  }
}

function quoted(path: string): string {
  return /^[\w./:@%+,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** There is no room left. Nothing half-written stays behind where that could be prevented. */
export class DiskFullError extends StorageError {
  constructor(options: { readonly location: string; readonly file: string; readonly cause?: unknown }) {
    const { location, file, cause } = options;
    super(
      `${location}: no space left on the device while writing ${file}. Free some space, then start the member again; ` +
        `everything that it acknowledged is kept`,
      { code: 'DISK_FULL', fields: { location, file }, cause },
    );
  }
}

/** A later version of Quorate wrote the file. Nothing is damaged, and nothing may be repaired or written here. */
export class UnknownFormatError extends StorageError {
  constructor(options: {
    readonly location: string;
    readonly file: string;
    readonly version: number;
    readonly newestKnown: number;
  }) {
    const { location, file, version, newestKnown } = options;
    super(
      `${location}: ${file} has format ${version}, and this version of Quorate reads formats up to ${newestKnown}: a later ` +
        `version wrote it. The file is not damaged. Run the member, and quorate doctor, with that version or a later one`,
      { code: 'STORAGE_FORMAT_UNKNOWN', fields: { ...options } },
    );
  }
}

/** The operating system refuses this process access to a file of the data directory. */
export class StorageAccessError extends StorageError {
  constructor(options: {
    readonly location: string;
    readonly file: string;
    readonly errno: string;
    readonly cause?: unknown;
  }) {
    const { location, file, errno, cause } = options;
    const remedy =
      errno === 'EROFS'
        ? 'The file system is mounted read-only: mount it for writing'
        : `Give the user of this process${userText()} access to the directory and its files, or run the command as their owner`;
    super(
      `${location}: the system does not allow access to ${file} (${errno}). Nothing was changed. ${remedy}`,
      {
        code: 'STORAGE_ACCESS_DENIED',
        fields: { location, file, errno },
        cause,
      },
    );
  }
}

function userText(): string {
  const uid = typeof process === 'undefined' ? undefined : process.getuid?.();
  return uid === undefined ? '' : ` (uid ${uid})`;
}

/** The system lacks space or descriptors for a snapshot that is not needed yet. Everything else is as it was. */
export class SnapshotPostponedError extends StorageError {
  constructor(options: { readonly location: string; readonly file: string; readonly cause: unknown }) {
    const { location, file, cause } = options;
    const errno = errnoOf(cause) ?? 'ENOSPC';
    super(
      `${location}: no room for the snapshot ${file} (${errno}). It is tried again later; until then older snapshots and the log ` +
        `are kept. Free space on the device, or raise the limit of open files`,
      { code: 'SNAPSHOT_POSTPONED', fields: { location, file, errno }, cause },
    );
  }
}

/** A snapshot that was just written does not read back as the state that it was taken of. */
export class SnapshotReadBackError extends StorageError {
  constructor(options: {
    readonly location: string;
    readonly file: string;
    readonly reason: string;
    readonly cause: unknown;
  }) {
    const { location, file, reason, cause } = options;
    super(
      `${location}: the snapshot ${file} does not read back as the state that it was taken of: ${reason}. It does not count; older ` +
        `snapshots and the log are kept. Check the memory and the disk of this machine`,
      { code: 'SNAPSHOT_NOT_READ_BACK', fields: { location, file, reason }, cause },
    );
  }
}

/** The data directory was removed, renamed or replaced while a member used it: what is written goes to files that nobody finds again. */
export class DataDirectoryReplacedError extends StorageError {
  constructor(options: { readonly location: string; readonly isGone: boolean }) {
    const { location, isGone } = options;
    super(
      `${location} was ${isGone ? 'removed' : 'replaced by another directory'} while the member was using it. Writes go to files that ` +
        `are not there any more, so the member stops at once. Put the directory back, or start the member with an empty one: it ` +
        `rejoins its ensemble without a vote until the other members have given its history back`,
      { code: 'DATA_DIRECTORY_REPLACED', fields: { ...options } },
    );
  }
}

/** Another process uses the data directory. `fields` has `pid`, `host` and `since` where they are known. */
export class DataDirectoryLockedError extends StorageError {
  constructor(options: {
    readonly location: string;
    /** For the message. */
    readonly owner: string;
    readonly pid?: number | undefined;
    readonly host?: string | undefined;
    /** In ISO 8601. */
    readonly since?: string | undefined;
  }) {
    super(
      `${options.location} is in use by ${options.owner}. Two members cannot share a data directory: stop the other ` +
        `one, or give this one a directory of its own`,
      { code: 'DATA_DIRECTORY_LOCKED', fields: { ...options } },
    );
  }
}

/** The data directory is that of another member: its promises and its history are not this one's. */
export class ForeignDataDirectoryError extends StorageError {
  constructor(options: { readonly location: string; readonly owner: string; readonly opener: string }) {
    const { location, owner, opener } = options;
    super(
      `${location} belongs to ${owner}, not to ${opener}: give ${opener} its own data directory, or correct its number`,
      { code: 'DATA_DIRECTORY_FOREIGN', fields: { ...options } },
    );
  }
}

const ACCESS_ERRNOS: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);
/** Errors that pass when space or descriptors are freed, and that leave written files as they were. */
const SHORTAGE_ERRNOS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

/** True if the system lacks space or descriptors at the moment. */
export function isShortage(error: unknown): boolean {
  return SHORTAGE_ERRNOS.has(errnoOf(error) ?? '');
}

/** Converts what the disk threw to a `StorageError`; one that already is a `StorageError` stays itself. */
export function toStorageError(
  error: unknown,
  what: { readonly location: string; readonly doing: string; readonly file: string },
): StorageError {
  if (error instanceof StorageError) return error;
  if (errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT') {
    return new DiskFullError({ location: what.location, file: what.file, cause: error });
  }
  const errno = errnoOf(error);
  if (errno !== undefined && ACCESS_ERRNOS.has(errno)) {
    const file = fileBelow(what.location, error) ?? what.file;
    return new StorageAccessError({ location: what.location, file, errno, cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new StorageError(
    `${what.location}: ${what.doing} ${what.file} failed: ${reason}. Nobody knows now what the disk holds, so this ` +
      `member has stopped using it; check the disk, then start the member again: it recovers from what is there`,
    { fields: { ...what, errno }, cause: error },
  );
}

/** The file of the directory that the system names in an error; null if it names none. */
function fileBelow(location: string, error: unknown): string | null {
  const path = (error as { readonly path?: unknown }).path;
  return typeof path === 'string' && path.startsWith(`${location}/`) ? path.slice(location.length + 1) : null;
}

/**
 * Converts what went wrong before the history was read or written: the data directory is as it was.
 * `file` defaults to the directory itself.
 */
export function toOpeningError(
  error: unknown,
  what: { readonly location: string; readonly doing: string; readonly file?: string },
): StorageError {
  const { location, doing, file = 'the data directory' } = what;
  const errno = errnoOf(error);
  if (errno === 'ENOTDIR') {
    return new StorageError(
      `Cannot use ${location} as a data directory: it, or a folder above it, is a file (${errno}). Nothing was changed. ` +
        `Remove that file, or give another path`,
      { fields: { ...what, errno }, cause: error },
    );
  }
  if (errno === 'ENOENT') {
    return new StorageError(
      `Cannot use ${location} as a data directory: a part of the path cannot be made, because it is a link that leads nowhere, or because ` +
        `the file system takes no directories, as /proc does not (${errno}). Nothing was changed. Give a path on a disk, or make what the link leads to`,
      { fields: { ...what, errno }, cause: error },
    );
  }
  const named = toStorageError(error, { location, doing, file });
  if (named === error || named.constructor !== StorageError) return named;
  const reason = error instanceof Error ? error.message : String(error);
  return new StorageError(
    `Cannot use ${location} as a data directory: ${doing} failed: ${reason}. Nothing was changed. Check the path and its ` +
      `file system, or give another path`,
    { fields: { ...what, errno }, cause: error },
  );
}

/** The system's name of an error, such as `EIO`; undefined for errors of other kinds. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof QuorateError ? null : (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** The caller broke a rule of the storage. */
export function misuse(message: string): StorageError {
  return new StorageError(message, { code: 'STORAGE_MISUSED' });
}

export function isMisuse(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'STORAGE_MISUSED';
}
