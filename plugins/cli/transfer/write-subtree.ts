import type { Client, CreateOptions } from '../../../core/client/index.js';
import { QuorateError } from '../../../core/runtime/index.js';
import { isCode, walkSubtree } from '../shell/subtree.js';
import { isSystem, parentOf, type MovedZnode } from './export-format.js';

/** Requests under way at once. */
const WINDOW = 64;

/**
 * - create: the znode at the top must not be there;
 * - merge: what is there gets data and ACL of the export, and other znodes stay;
 * - replace: the same, and other znodes of the subtree go, but for ephemeral ones and those above them.
 */
export type ImportMode = 'create' | 'merge' | 'replace';

export interface Imported {
  readonly created: number;
  readonly changed: number;
  readonly deleted: number;
  /** Ephemeral znodes, and those above them, that `replace` has left. */
  readonly left: number;
}

/** Writes an export. Rejects with `IMPORT_REFUSED` before anything is changed, or with what the servers refuse a znode for. */
export async function writeSubtree(
  client: Client,
  { root, znodes }: { readonly root: string; readonly znodes: readonly MovedZnode[] },
  mode: ImportMode,
): Promise<Imported> {
  await client.sync('/');
  const present = await presentAmong(client, znodes);
  await refuseConflicts(client, root, znodes, present, mode);
  const others = mode === 'replace' ? await othersIn(client, root, znodes) : [];
  let created = 0;
  let changed = 0;
  await inWindow(znodes, async (znode) => {
    if (!present.has(znode.path) && (await create(client, znode))) created += 1;
    else {
      await change(client, znode);
      changed += 1;
    }
  });
  return { created, changed, ...(await remove(client, others)) };
}

/** Those that are there, with the session that owns each. */
async function presentAmong(
  client: Client,
  znodes: readonly MovedZnode[],
): Promise<ReadonlyMap<string, bigint>> {
  const present = new Map<string, bigint>();
  await inWindow(znodes, async ({ path }) => {
    const stat = await client.exists(path);
    if (stat !== null) present.set(path, stat.ephemeralOwner);
  });
  return present;
}

/** What is in the subtree besides, parents first. */
async function othersIn(
  client: Client,
  root: string,
  znodes: readonly MovedZnode[],
): Promise<readonly string[]> {
  const others: string[] = [];
  if ((await client.exists(root)) === null) return others;
  const kept = new Set(znodes.map(({ path }) => path));
  for await (const path of walkSubtree(client, root))
    if (!kept.has(path) && !isSystem(path)) others.push(path);
  return others;
}

async function refuseConflicts(
  client: Client,
  root: string,
  znodes: readonly MovedZnode[],
  present: ReadonlyMap<string, bigint>,
  mode: ImportMode,
): Promise<void> {
  const refuse = (why: string): never => {
    throw new QuorateError('IMPORT_REFUSED', `Cannot import ${root}: ${why}. Nothing was changed.`, {
      fields: { path: root },
    });
  };
  if (mode === 'create' && present.has(root) && root !== '/')
    refuse(
      'it is there. Give --merge to add to it and overwrite, or --replace to make it as it is in the export',
    );
  if (mode === 'create' && root === '/') {
    const taken = znodes.find(({ path }) => path !== '/' && present.has(path));
    if (taken !== undefined) refuse(`${taken.path} is there. Give --merge to overwrite, or --replace`);
  }
  const parent = parentOf(root);
  if (root !== '/' && (await client.exists(parent)) === null)
    refuse(`its parent ${parent} is missing. Create it first`);
  const owned = znodes.find(({ path }) => (present.get(path) ?? 0n) !== 0n);
  if (owned !== undefined)
    refuse(`${owned.path} is an ephemeral znode of a session there. End that session first`);
}

/** False if it is there meanwhile. */
async function create(client: Client, { path, data, acl, lifetime }: MovedZnode): Promise<boolean> {
  const options: CreateOptions =
    lifetime === null
      ? { acl }
      : lifetime === 'container'
        ? { acl, mode: 'container' }
        : { acl, mode: 'persistent-ttl', ttlMs: lifetime };
  try {
    await client.create(path, data, options);
    return true;
  } catch (error) {
    if (isCode(error, 'NODE_EXISTS')) return false;
    throw error;
  }
}

async function change(client: Client, { path, data, acl }: MovedZnode): Promise<void> {
  await Promise.all([client.setData(path, data), client.setAcl(path, acl)]);
}

/** Deletes these, children first, but for ephemeral ones and those above them. */
async function remove(
  client: Client,
  others: readonly string[],
): Promise<{ readonly deleted: number; readonly left: number }> {
  const staying = new Set<string>();
  let deleted = 0;
  for (const path of [...others].reverse()) {
    const stat = await client.exists(path);
    if (stat === null) continue;
    if (stat.ephemeralOwner !== 0n || staying.has(path)) staying.add(path).add(parentOf(path));
    else {
      await client.delete(path);
      deleted += 1;
    }
  }
  return { deleted, left: others.filter((path) => staying.has(path)).length };
}

/** Begins each in order, a number of them at once; a failure stops those that have not begun. */
async function inWindow<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  let failure: { readonly error: unknown } | null = null;
  const running = new Set<Promise<void>>();
  for (const item of items) {
    if (failure !== null) break;
    const one: Promise<void> = act(item)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => running.delete(one));
    running.add(one);
    if (running.size >= WINDOW) await Promise.race(running);
  }
  await Promise.all(running);
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
}
