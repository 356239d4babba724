import { allChildren, type Client } from '../core/client/index.js';

/** Names of the children of a znode, sorted; none if it is missing. */
export async function childrenOf(
  client: Client,
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly string[]> {
  try {
    return await allChildren(client, path, options);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'NO_NODE') return [];
    throw error;
  }
}
