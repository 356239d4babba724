import { SystemRandom, type Logger, type Random } from '../runtime/index.js';
import type { Disk } from './disk.js';
import { misuse } from './storage-error.js';

const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;
const SMALLEST_SEGMENT_BYTES = 4096;
const LARGEST_SEGMENT_BYTES = 1024 * 1024 * 1024;
const DEFAULT_SNAPSHOTS_KEPT = 3;

export interface FileStorageOptions {
  readonly disk: Disk;
  readonly logger?: Logger | undefined;
  /** Size at which a log file is followed by the next, 4 KiB to 1 GiB. Default 64 MiB; an engine in memory wants less. */
  readonly segmentBytes?: number | undefined;
  /** Snapshots that stay, with the log from the oldest of them on. Default 3. */
  readonly snapshotsKept?: number | undefined;
  /** Whose directory it is, such as `member 1`. A directory made for another owner is refused. */
  readonly owner?: string | undefined;
  /**
   * Other members can give back what a damaged directory has lost: instead of rejecting with `CorruptionError`, `recover` keeps what
   * is sound, sets the rest aside, and reports `rejoining`. Default false.
   */
  readonly canRejoin?: boolean | undefined;
  /** For the directory's own id. */
  readonly random?: Random | undefined;
}

/** The options that a storage needs for as long as it lives. */
export type StorageSettings = Required<
  Pick<FileStorageOptions, 'segmentBytes' | 'snapshotsKept' | 'owner' | 'random' | 'canRejoin'>
>;

/** Fills in the defaults. Throws a `StorageError` with the code `STORAGE_MISUSED` for a number out of its range. */
export function settingsOf(options: FileStorageOptions): StorageSettings {
  requireInteger('segmentBytes', options.segmentBytes, SMALLEST_SEGMENT_BYTES, LARGEST_SEGMENT_BYTES);
  requireInteger('snapshotsKept', options.snapshotsKept, 1, 1_000_000);
  return {
    segmentBytes: options.segmentBytes ?? DEFAULT_SEGMENT_BYTES,
    snapshotsKept: options.snapshotsKept ?? DEFAULT_SNAPSHOTS_KEPT,
    owner: options.owner ?? '',
    random: options.random ?? new SystemRandom(),
    canRejoin: options.canRejoin ?? false,
  };
}

function requireInteger(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  throw misuse(`${name} is ${value}; it must be a whole number from ${least} to ${most}`);
}
