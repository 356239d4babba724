import type { Directory } from './disk.js';
import { EPOCH_FILE } from './file-name.js';
import { readSealedFile, writeSealedFile } from './sealed-file.js';
import { CorruptionError } from './storage-error.js';
import type { Rejoining } from './storage.js';

/** What a member may not forget besides its history. */
export interface Promises {
  /** The highest epoch that it has promised. */
  readonly acceptedEpoch: number;
  readonly rejoining: Rejoining | null;
}

const EPOCH_BYTES = 4;
/** By the byte behind the epoch, which is left out for null. */
const CAUSES: readonly (Rejoining | null)[] = [null, 'new', 'damaged'];

/** Makes them durable, both in one step. */
export async function writePromises(
  directory: Directory,
  { acceptedEpoch, rejoining }: Promises,
): Promise<void> {
  const body = Buffer.alloc(rejoining === null ? EPOCH_BYTES : EPOCH_BYTES + 1);
  body.writeUInt32LE(acceptedEpoch);
  if (rejoining !== null) body[EPOCH_BYTES] = CAUSES.indexOf(rejoining);
  await writeSealedFile(directory, EPOCH_FILE, body);
}

/** Rejects with `CorruptionError`: a promise that cannot be read may not be taken for none. */
export async function readPromises(directory: Directory): Promise<Promises> {
  const body = await readSealedFile(directory, EPOCH_FILE);
  const rejoining = CAUSES[body[EPOCH_BYTES] ?? 0];
  if (rejoining !== undefined && (body.length === EPOCH_BYTES || body.length === EPOCH_BYTES + 1)) {
    return { acceptedEpoch: body.readUInt32LE(), rejoining };
  }
  throw new CorruptionError({ location: directory.location, file: EPOCH_FILE, reason: 'it holds no epoch' });
}
