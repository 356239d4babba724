import { createReadStream } from 'node:fs';
import { QuorateError } from '../../../core/runtime/index.js';

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

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
