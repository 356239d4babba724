import { open, rename, rm, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { QuorateError } from '../../../core/runtime/index.js';
import { createPrivateFile } from '../../../core/storage/index.js';

/**
 * Writes a file of mode 0600 in one step: under another name, synced, renamed, its directory synced. What was there before stays until
 * then, and if `content` fails. Rejects with `FILE_NOT_WRITTEN`, or with what `content` rejects with.
 */
export async function writeWhole(file: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const draft = join(dirname(file), `.${basename(file)}.partial`);
  await usable(file);
  const handle = await createPrivateFile(draft).catch((cause: unknown) => fail(file, cause));
  try {
    for await (const piece of content)
      await handle.writeFile(piece).catch((cause: unknown) => fail(file, cause));
    await handle.sync().catch((cause: unknown) => fail(file, cause));
    await handle.close();
    await rename(draft, file).catch((cause: unknown) => fail(file, cause));
    await syncDirectory(dirname(file));
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw error;
  }
}

/** Pieces of a file; rejects with `FILE_NOT_READ`. */
export async function* readWhole(file: string): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of createReadStream(file)) yield piece as Uint8Array;
  } catch (cause) {
    if (cause instanceof QuorateError) throw cause;
    throw new QuorateError('FILE_NOT_READ', `Cannot read ${file}: ${reasonOf(cause)}.`, {
      fields: { file },
      cause,
    });
  }
}

/** The standard input in pieces. */
export async function* standardInput(): AsyncGenerator<Uint8Array, void> {
  for await (const piece of process.stdin) yield piece as Uint8Array;
}

async function usable(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found !== null && !found.isFile()) fail(file, new Error('it is there and is no file'));
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r').catch(() => null);
  // Not every system can sync a directory.
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function fail(file: string, cause: unknown): never {
  if (cause instanceof QuorateError) throw cause;
  throw new QuorateError('FILE_NOT_WRITTEN', `Cannot write ${file}: ${reasonOf(cause)}.`, {
    fields: { file },
    cause,
  });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
