import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { QuorateError } from '../runtime/index.js';
import { createPrivateFile } from './private-file.js';

/**
 * Writes a file of mode 0600 in one step: under another name, synced, renamed, its directory synced. What was there before stays until
 * then, and if `content` fails. Rejects with `FILE_NOT_WRITTEN`, or with what `content` rejects with.
 */
export async function writeWholeFile(file: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const draft = join(dirname(file), `.${basename(file)}.partial`);
  const failed = (cause: unknown): never => {
    throw cause instanceof QuorateError ? cause : notWritten(file, cause);
  };
  const found = await stat(file).catch(() => null);
  if (found !== null && !found.isFile()) failed(new Error('it is there and is no file'));
  const handle = await createPrivateFile(draft).catch(failed);
  try {
    for await (const piece of content) await handle.writeFile(piece).catch(failed);
    await handle.sync().catch(failed);
    await handle.close();
    await rename(draft, file).catch(failed);
    await syncDirectory(dirname(file));
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw error;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => null);
  // Not every system can sync a directory.
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function notWritten(file: string, cause: unknown): QuorateError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new QuorateError('FILE_NOT_WRITTEN', `Cannot write ${file}: ${reason}.`, {
    fields: { file },
    cause,
  });
}
