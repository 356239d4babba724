import type { Disk } from './disk.js';
import { EPOCH_FILE } from './file-name.js';
import { readSealedFile, writeSealedFile } from './sealed-file.js';
import { CorruptionError } from './storage-error.js';

/** Makes the highest epoch that this member has promised durable. */
export async function writeAcceptedEpoch(disk: Disk, epoch: number): Promise<void> {
  const body = Buffer.alloc(4);
  body.writeUInt32LE(epoch);
  await writeSealedFile(disk, EPOCH_FILE, body);
}

/** Rejects with `CorruptionError`: a promise that cannot be read may not be taken for none. */
export async function readAcceptedEpoch(disk: Disk): Promise<number> {
  const body = await readSealedFile(disk, EPOCH_FILE);
  if (body.length === 4) return body.readUInt32LE();
  throw new CorruptionError({ location: disk.location, file: EPOCH_FILE, reason: 'it holds no epoch' });
}
