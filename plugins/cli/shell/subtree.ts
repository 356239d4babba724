import { allChildren, type Client } from '../../../core/client/index.js';
import { QuorateError } from '../../../core/runtime/index.js';
import type { WatchBook } from './watch-book.js';

/**
 * Paths of a znode and of everything below it, parents before children, siblings in order. Rejects if the first
 * one does not exist; what disappears on the way is passed over. With `watches`, sets one for the children of each.
 */
export async function* walkSubtree(
  client: Client,
  root: string,
  watches?: WatchBook,
): AsyncGenerator<string> {
  const waiting = [root];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const children = await childrenOf(client, path, path === root, watches);
    if (children === null) continue;
    yield path;
    const prefix = path === '/' ? '/' : `${path}/`;
    for (const name of [...children].reverse()) waiting.push(prefix + name);
  }
}

/** Null if the znode went away after it had been listed. */
async function childrenOf(
  client: Client,
  path: string,
  isRoot: boolean,
  watches: WatchBook | undefined,
): Promise<readonly string[] | null> {
  const note = watches?.oneShot('children', path, client);
  try {
    return await allChildren(client, path, { watch: note?.watch });
  } catch (error) {
    note?.forget();
    if (isRoot || !isCode(error, 'NO_NODE')) throw error;
    return null;
  }
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof QuorateError && error.code === code;
}
