import type { Directory } from './disk.js';
import { EPOCH_FILE } from './file-name.js';
import { readSealedFile, writeSealedFile } from './sealed-file.js';
import { CorruptionError } from './storage-error.js';

/** Makes the highest epoch that this member has promised durable. */
export async function writeAcceptedEpoch(directory: Directory, epoch: number): Promise<void> {
  const body = Buffer.alloc(4);
  body.writeUInt32LE(epoch);
  await writeSealedFile(directory, EPOCH_FILE, body);
}

/** Rejects with `CorruptionError`: a promise that cannot be read may not be taken for none. */
export async function readAcceptedEpoch(directory: Directory): Promise<number> {
  const body = await readSealedFile(directory, EPOCH_FILE);
  if (body.length === 4) return body.readUInt32LE();
  throw new CorruptionError({ location: directory.location, file: EPOCH_FILE, reason: 'it holds no epoch' });
}
