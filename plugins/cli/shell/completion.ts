import { printableLine } from '../../../core/runtime/index.js';
import type { Client } from '../../../core/client/index.js';
import { Shell } from './shell.js';

/** A server that does not answer by then does not keep the user waiting. */
const ANSWER_WITHIN_MS = 1000;

/**
 * What the last word of `line` can become, and that word: names of commands for the first one, paths of znodes for
 * one that begins with a slash. Never rejects.
 */
export async function complete(line: string, client: Client | null): Promise<[string[], string]> {
  const word = /\S*$/.exec(line)![0];
  const isFirst = line.trimStart() === word;
  if (isFirst) return [Shell.commandNames.filter((name) => name.startsWith(word)), word];
  if (!word.startsWith('/') || client === null) return [[], word];
  return [await completePath(word, client), word];
}

async function completePath(word: string, client: Client): Promise<string[]> {
  const slash = word.lastIndexOf('/');
  const parent = slash === 0 ? '/' : word.slice(0, slash);
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const { children } = await client.getChildren(parent, { signal });
    const start = word.slice(slash + 1);
    // A completion is written to the terminal as it is, and becomes part of the command.
    return children
      .filter((name) => name.startsWith(start) && printableLine(name) === name)
      .map((name) => word.slice(0, slash + 1) + name);
  } catch {
    return [];
  }
}
