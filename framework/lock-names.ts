import type { Client } from '../core/client/index.js';
import { childrenOf } from './children-of.js';

const ROOT = '/locks';
const DEFAULT_LIMIT = 1_000;
/** The znodes of those who hold a lock or wait for it, and where a semaphore keeps its own. */
const PARTICIPANT = /-(?:lock-|__READ__|__WRIT__|lease-)\d{10}$|__(?:lock|rlock)__\d{10}$/;
/** Where try-locks count their acquisitions. */
const COUNTERS = '_counters_';
const SEMAPHORE = new Set(['leases', 'locks']);

/** Names of locks below `/locks`, sorted. A name may have several segments, so that directories are looked into. */
export async function lockNames(
  client: Client,
  {
    signal,
    limit = DEFAULT_LIMIT,
  }: { readonly signal?: AbortSignal | undefined; readonly limit?: number | undefined },
): Promise<readonly string[]> {
  const found: string[] = [];
  const visit = async (name: string): Promise<void> => {
    if (found.length >= limit) return;
    const children = await childrenOf(client, name === '' ? ROOT : `${ROOT}/${name}`, { signal });
    const inner = children.filter((child) => !PARTICIPANT.test(child) && child !== COUNTERS);
    const isSemaphore = inner.length > 0 && inner.every((child) => SEMAPHORE.has(child));
    if (name !== '' && (inner.length < children.length || isSemaphore || children.length === 0))
      found.push(name);
    if (isSemaphore) return;
    for (const child of inner) await visit(name === '' ? child : `${name}/${child}`);
  };
  await visit('');
  return found.slice(0, limit).sort();
}
