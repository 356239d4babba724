import type { Directory } from './disk.js';
import { EPOCH_FILE } from './file-name.js';
import { readSealedFile, writeSealedFile } from './sealed-file.js';
import { CorruptionError } from './storage-error.js';
import type { Rejoining } from './storage.js';

/** What a member may not forget besides its history. */
export interface Promises {
  /** The highest epoch that it has promised. */
  readonly acceptedEpoch: number;
  /** Undefined until somebody has decided it. */
  readonly rejoining: Rejoining | null | undefined;
}

const EPOCH_BYTES = 4;
/** By the byte behind the epoch, which is missing as long as nothing is decided. */
const CAUSES: readonly (Rejoining | null)[] = [null, 'new', 'damaged', 'diverged'];

/** Makes them durable, both in one step. */
export async function writePromises(
  directory: Directory,
  { acceptedEpoch, rejoining }: Promises,
): Promise<void> {
  const body = Buffer.alloc(rejoining === undefined ? EPOCH_BYTES : EPOCH_BYTES + 1);
  body.writeUInt32LE(acceptedEpoch);
  if (rejoining !== undefined) body[EPOCH_BYTES] = CAUSES.indexOf(rejoining);
  await writeSealedFile(directory, EPOCH_FILE, body);
}

/** Rejects with `CorruptionError`: a promise that cannot be read may not be taken for none. */
export async function readPromises(directory: Directory): Promise<Promises> {
  const body = await readSealedFile(directory, EPOCH_FILE);
  if (body.length === EPOCH_BYTES) return { acceptedEpoch: body.readUInt32LE(), rejoining: undefined };
  const rejoining = CAUSES[body[EPOCH_BYTES] ?? CAUSES.length];
  if (rejoining !== undefined && body.length === EPOCH_BYTES + 1) {
    return { acceptedEpoch: body.readUInt32LE(), rejoining };
  }
  throw new CorruptionError({ location: directory.location, file: EPOCH_FILE, reason: 'it holds no epoch' });
}
