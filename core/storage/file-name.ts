/**
 * Names in a data directory: `log-<generation>-<first zxid>` and `snapshot-<generation>-<zxid>`, in hexadecimal. A
 * history received from a leader begins a new generation; a file of an older one no longer counts. What ends in
 * `.tmp` is not complete yet, and what ends in `.damaged` was set aside.
 */
export type FileKind = 'log' | 'snapshot';

export interface HistoryFile {
  readonly name: string;
  readonly kind: FileKind;
  readonly generation: number;
  readonly zxid: bigint;
}

export const EPOCH_FILE = 'accepted-epoch';
export const IDENTITY_FILE = 'identity';
/** How far the log is known to be durable. */
export const LOG_END_FILE = 'end-of-log';
const TEMPORARY_SUFFIX = '.tmp';
const DAMAGED_SUFFIX = '.damaged';

export function fileName(kind: FileKind, generation: number, zxid: bigint): string {
  return `${kind}-${generation.toString(16).padStart(8, '0')}-${zxid.toString(16).padStart(16, '0')}`;
}

export function temporaryName(name: string): string {
  return name + TEMPORARY_SUFFIX;
}

export function damagedName(name: string): string {
  return name + DAMAGED_SUFFIX;
}

export function isTemporary(name: string): boolean {
  return name.endsWith(TEMPORARY_SUFFIX);
}

/** Null for a name that belongs to no part of the history. */
export function parseFileName(name: string): HistoryFile | null {
  const match = /^(log|snapshot)-([0-9a-f]{8})-([0-9a-f]{16})$/.exec(name);
  if (match === null) return null;
  return {
    name,
    kind: match[1] as FileKind,
    generation: Number.parseInt(match[2]!, 16),
    zxid: BigInt(`0x${match[3]}`),
  };
}

/** True of the name of a file without which a directory is not whole. */
export function isDataFile(name: string): boolean {
  return (
    name === EPOCH_FILE || name === IDENTITY_FILE || name === LOG_END_FILE || parseFileName(name) !== null
  );
}

/** `cut-<number>-<log file>-<offset>`: what was cut off a log, with the place where it stood. Numbers grow. */
export function cutName(number: number, file: string, offset: number): string {
  return `cut-${number.toString(16).padStart(8, '0')}-${file}-${offset.toString(16).padStart(8, '0')}`;
}

/** The number of a cut; null for a name of another kind. */
export function cutNumber(name: string): number | null {
  const match = /^cut-([0-9a-f]{8})-log-[0-9a-f]{8}-[0-9a-f]{16}-[0-9a-f]{8}$/.exec(name);
  return match === null ? null : Number.parseInt(match[1]!, 16);
}
