import type { Acl, Client } from '../../../core/client/index.js';
import { QuorateError } from '../../../core/runtime/index.js';
import { walkSubtree, isCode } from '../shell/subtree.js';
import { isSystem, type MovedZnode } from './export-format.js';

/**
 * The znodes at and below `root` as a client may read them, one after the other, so not all at the same zxid. Ephemeral ones, and what
 * goes meanwhile, are left out. No client is told which znodes are containers or have a time to live. Rejects with `NO_NODE` if there is
 * no `root`, and with `EXPORT_REFUSED` where an ACL is shown in part only.
 */
export async function* readSubtree(client: Client, root: string): AsyncGenerator<MovedZnode, void> {
  await client.sync(root);
  for await (const path of walkSubtree(client, root)) {
    if (isSystem(path)) continue;
    const znode = await readZnode(client, path, root);
    if (znode !== null) yield znode;
  }
}

async function readZnode(client: Client, path: string, root: string): Promise<MovedZnode | null> {
  try {
    const [{ data, stat }, { acl }] = await Promise.all([client.getData(path), client.getAcl(path)]);
    if (stat.ephemeralOwner !== 0n) return null;
    if (acl.some(isShortened))
      throw new QuorateError(
        'EXPORT_REFUSED',
        `Cannot export ${path}: its ACL is shown to this identity without the digests. Give --auth with an identity that may administer it.`,
        { fields: { path } },
      );
    return { path, data, acl, lifetime: null };
  } catch (error) {
    if (path !== root && isCode(error, 'NO_NODE')) return null;
    throw error;
  }
}

/** Servers show a digest as `x` to those who may not administer the znode. */
function isShortened({ id }: Acl): boolean {
  return id.scheme === 'digest' && id.id.endsWith(':x');
}
