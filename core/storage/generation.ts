import type { Directory } from './disk.js';
import type { HistoryFile } from './file-name.js';
import type { LogEnd } from './log-end.js';
import { readDirectoryId } from './log-segment.js';
import { readSnapshotDirectoryId } from './snapshot-file.js';
import { CorruptionError } from './storage-error.js';

/**
 * The generation of files that counts: what `end-of-log` says. In a directory of format 1 (`end` null) it is the highest one of which
 * some file was written in this directory: an empty or foreign file puts no generation in the place of another.
 */
export async function currentGeneration(
  directory: Directory,
  files: readonly HistoryFile[],
  directoryId: Uint8Array,
  end: LogEnd | null,
): Promise<number> {
  if (end !== null) return end.generation;
  const generations = [...new Set(files.map(({ generation }) => generation))].sort((a, b) => b - a);
  for (const generation of generations) {
    for (const file of files.filter((other) => other.generation === generation)) {
      if ((await idOf(directory, file))?.equals(directoryId) === true) return generation;
    }
  }
  return generations[0] ?? 0;
}

/**
 * Files that this directory has written of generations that `end-of-log` had named before they were made: it is an old copy if there are
 * any. An interrupted switch leaves no more than a snapshot of the next generation, and `end-of-log` said before that it was under way.
 */
export async function filesBeyond(
  directory: Directory,
  files: readonly HistoryFile[],
  directoryId: Uint8Array,
  end: LogEnd,
): Promise<readonly string[]> {
  const beyond: string[] = [];
  for (const file of files) {
    if (file.generation <= end.generation || isOfSwitch(file, end)) continue;
    if ((await idOf(directory, file))?.equals(directoryId) === true) beyond.push(file.name);
  }
  return beyond;
}

/** True of the snapshot that an interrupted switch leaves. */
export function isOfSwitch({ kind, generation }: HistoryFile, end: LogEnd): boolean {
  return kind === 'snapshot' && generation === end.generation + 1 && end.isSwitching === true;
}

function idOf(directory: Directory, file: HistoryFile): Promise<Buffer | null> {
  const reading =
    file.kind === 'log' ? readDirectoryId(directory, file) : readSnapshotDirectoryId(directory, file);
  return reading.catch((error: unknown) => {
    if (error instanceof CorruptionError) return null;
    throw error;
  });
}
