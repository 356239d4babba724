import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError, type Random } from '../runtime/index.js';
import { SECRET_BYTES } from './session-service.js';

const FILE_NAME = 'session-secret';

/**
 * The secret behind the session passwords of a member that stands alone, from its data directory; made and synced
 * first if there is none. Readable by the owner only.
 */
export async function memberSecret(directory: string, random: Random): Promise<Uint8Array> {
  const path = join(directory, FILE_NAME);
  const present = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (present === null) return create(directory, path, random.bytes(SECRET_BYTES));
  if (present.length === SECRET_BYTES) return present;
  throw new QuorateError(
    'DAMAGED_SECRET',
    `${path} holds ${present.length} bytes instead of ${SECRET_BYTES}. Restore it, or remove it: then no client can resume its session.`,
    { fields: { path } },
  );
}

async function create(directory: string, path: string, secret: Uint8Array): Promise<Uint8Array> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
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
