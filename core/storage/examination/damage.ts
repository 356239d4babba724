import type { Directory } from '../disk.js';
import { CorruptionError, toStorageError } from '../storage-error.js';

/** What is wrong with a file, and where; null for a file that is not there, or if no place can be named. */
export interface Damage {
  readonly offset: number | null;
  readonly reason: string;
}

/** Only damage is an outcome of the survey: a file of a later version, or one that may not be read, ends it. */
export function damageOf(error: unknown, directory: Directory, file: string): Damage {
  if (!(error instanceof CorruptionError)) {
    throw toStorageError(error, { location: directory.location, doing: 'examining', file });
  }
  const { offset, reason } = error.fields as { offset?: number; reason: string };
  return { offset: offset ?? null, reason };
}
