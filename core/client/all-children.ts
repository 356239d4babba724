import type { Client, ReadOptions } from './client.js';
import { ReplyTooLargeError } from './client-errors.js';

/**
 * Names of all children, sorted. A list that is too large for one reply is read page by page (`getChildrenPage`): then a child that is
 * created or removed meanwhile may be missing or not, and `watch` counts from the first page. Rejects with `ReplyTooLargeError` where a
 * server has no pages, as ZooKeeper's.
 */
export async function allChildren(
  client: Pick<Client, 'getChildren' | 'getChildrenPage'>,
  path: string,
  options: ReadOptions = {},
): Promise<readonly string[]> {
  try {
    return (await client.getChildren(path, options)).children;
  } catch (error) {
    if (!(error instanceof ReplyTooLargeError)) throw error;
  }
  const first = await client.getChildrenPage(path, options);
  const names = [...first.children];
  for (let after = first.next; after !== null;) {
    const page = await client.getChildrenPage(path, { ...options, watch: undefined, after });
    for (const name of page.children) names.push(name);
    after = page.next;
  }
  return names.sort();
}
