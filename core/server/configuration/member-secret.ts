import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError, type Random } from '../../runtime/index.js';
import { createPrivateFile, toOpeningError } from '../../storage/index.js';

export const SECRET_BYTES = 32;
const FILE_NAME = 'session-secret';

/**
 * The secret behind the session passwords of a member that stands alone, from its data directory; made and synced
 * first if there is none. Readable by the owner only. Rejects with `StorageError` if it cannot be read or made.
 */
export async function memberSecret(directory: string, random: Random): Promise<Uint8Array> {
  const path = join(directory, FILE_NAME);
  let present: Uint8Array;
  try {
    present = (await readIfThere(path)) ?? (await create(directory, path, random.bytes(SECRET_BYTES)));
  } catch (error) {
    throw toOpeningError(error, { location: directory, doing: `opening ${FILE_NAME}`, file: FILE_NAME });
  }
  if (present.length === SECRET_BYTES) return present;
  throw new QuorateError(
    'DAMAGED_SECRET',
    `${path} holds ${present.length} bytes instead of ${SECRET_BYTES}. Restore it, or remove it: then no client can resume its session.`,
    { fields: { path } },
  );
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function create(directory: string, path: string, secret: Uint8Array): Promise<Uint8Array> {
  const temporary = `${path}.new`;
  const file = await createPrivateFile(temporary);
  try {
    await file.writeFile(secret);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
  return secret;
}
