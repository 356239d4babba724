import { allChildren, type Client } from '../../client/index.js';
import { CacheOverflowError } from '../errors.js';
import { orAborted } from '../waiting/abort.js';
import { hasCode, repeatIdempotentAcrossSessions } from '../waiting/failure.js';
import type { NodeValue } from './node-value.js';

export interface Subtree {
  readonly path: string;
  readonly maxDepth: number;
  readonly maxNodes: number;
  readonly parallelReads: number;
}

/** Reads a subtree, or single znodes of it, with a bounded number of reads under way. */
export class SubtreeReader {
  readonly #client: Client;
  readonly #subtree: Subtree;

  constructor(client: Client, subtree: Subtree) {
    this.#client = client;
    this.#subtree = subtree;
  }

  /** Whether `path` is the root or lies below it, not too deep. */
  covers(path: string): boolean {
    const { path: root, maxDepth } = this.#subtree;
    if (path === root) return true;
    const prefix = root === '/' ? '/' : `${root}/`;
    if (!path.startsWith(prefix)) return false;
    return depthBelow(prefix, path) <= maxDepth;
  }

  /** Level by level, so that parents stand before their children. Throws `CacheOverflowError`. */
  async readAll(signal: AbortSignal): Promise<ReadonlyMap<string, NodeValue>> {
    const { path, maxDepth, maxNodes } = this.#subtree;
    const found = new Map<string, NodeValue>();
    let level = [path];
    for (let depth = 0; level.length > 0; depth++) {
      const values = (await this.readEach(level, signal)).filter((value) => value !== null);
      for (const value of values) found.set(value.path, value);
      const parents = depth < maxDepth ? values.filter((value) => value.stat.numChildren > 0) : [];
      level = (await this.#inParallel(parents, (parent) => this.#childrenOf(parent.path, signal))).flat();
      if (found.size + level.length > maxNodes) throw new CacheOverflowError(path, maxNodes);
    }
    return found;
  }

  /** In the order of `paths`; null where there is no such znode, or, unless it is the only one, it may not be read. */
  readEach(paths: readonly string[], signal: AbortSignal): Promise<(NodeValue | null)[]> {
    return this.#inParallel(paths, (path) => this.#read(path, signal));
  }

  async #read(path: string, signal: AbortSignal): Promise<NodeValue | null> {
    const read = await this.#ask(path, signal, () => this.#client.getData(path));
    return read === null ? null : { path, data: read.data, stat: read.stat };
  }

  async #childrenOf(path: string, signal: AbortSignal): Promise<readonly string[]> {
    const listing = await this.#ask(path, signal, () => allChildren(this.#client, path));
    const prefix = path === '/' ? '/' : `${path}/`;
    return listing === null ? [] : listing.map((name) => prefix + name);
  }

  async #ask<T>(path: string, signal: AbortSignal, request: () => Promise<T>): Promise<T | null> {
    try {
      return await orAborted(repeatIdempotentAcrossSessions(this.#client, request, signal), signal);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      // Of a single znode there is nothing else to be told, and to take it for missing could do harm.
      if (!hasCode(error, 'NO_AUTH') || this.#subtree.maxDepth === 0) throw error;
      this.#client.logger.warn('a cache leaves out a znode that it may not read', { path });
      return null;
    }
  }

  async #inParallel<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
    const results = new Array<B>(items.length);
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < items.length) {
        const at = next++;
        results[at] = await work(items[at]!);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#subtree.parallelReads, items.length) }, worker));
    return results;
  }
}

/** Number of segments of `path` behind `prefix`, which ends in a slash. */
function depthBelow(prefix: string, path: string): number {
  let depth = 1;
  for (let at = prefix.length; at < path.length; at++) if (path[at] === '/') depth++;
  return depth;
}
