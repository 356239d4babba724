import type { CacheEvent, NodeValue } from './node-value.js';

/**
 * What a cache knows: znodes by path, with the names of their children. Every change is returned as the event
 * that tells of it, so that what is emitted and what is known cannot differ.
 */
export class NodeTable {
  #nodes = new Map<string, NodeValue>();
  /** Names of the cached children, by parent. */
  #children = new Map<string, Set<string>>();

  get size(): number {
    return this.#nodes.size;
  }

  get(path: string): NodeValue | undefined {
    return this.#nodes.get(path);
  }

  children(path: string): readonly string[] {
    return [...(this.#children.get(path) ?? [])].sort();
  }

  snapshot(): ReadonlyMap<string, NodeValue> {
    return new Map(this.#nodes);
  }

  /** Null if nothing changed, or if `node` is older than what is known. */
  put(node: NodeValue): CacheEvent | null {
    const { path } = node;
    const previous = this.#nodes.get(path);
    if (previous !== undefined && !isNewer(node, previous)) return null;
    this.#nodes.set(path, node);
    if (previous !== undefined) return { type: 'changed', path, node, previous };
    this.#link(path);
    return { type: 'created', path, node };
  }

  /** Null if it was not known. */
  remove(path: string): CacheEvent | null {
    const previous = this.#nodes.get(path);
    if (previous === undefined) return null;
    this.#nodes.delete(path);
    const [parent, name] = split(path);
    const siblings = this.#children.get(parent);
    siblings?.delete(name);
    if (siblings?.size === 0) this.#children.delete(parent);
    return { type: 'deleted', path, previous };
  }

  /** Takes over what was read anew, in one step; parents are told before their children, and removed after them. */
  replace(fresh: ReadonlyMap<string, NodeValue>): readonly CacheEvent[] {
    const gone = [...this.#nodes.keys()].filter((path) => !fresh.has(path)).sort();
    const removed = gone.reverse().map((path) => this.remove(path));
    const added = [...fresh.values()].map((node) => this.put(node));
    return [...removed, ...added].filter((event) => event !== null);
  }

  #link(path: string): void {
    const [parent, name] = split(path);
    const siblings = this.#children.get(parent);
    if (siblings === undefined) this.#children.set(parent, new Set([name]));
    else siblings.add(name);
  }
}

function isNewer(node: NodeValue, known: NodeValue): boolean {
  if (node.stat.czxid !== known.stat.czxid) return node.stat.czxid > known.stat.czxid;
  return node.stat.mzxid > known.stat.mzxid;
}

function split(path: string): [parent: string, name: string] {
  const at = path.lastIndexOf('/');
  return [at === 0 ? '/' : path.slice(0, at), path.slice(at + 1)];
}

/** Two events of one znode as one. */
export function mergeCacheEvents(earlier: CacheEvent, later: CacheEvent): CacheEvent | null {
  const { path } = later;
  if (earlier.type === 'created') {
    return later.type === 'deleted' ? null : { type: 'created', path, node: later.node };
  }
  const { previous } = earlier;
  return later.type === 'deleted'
    ? { type: 'deleted', path, previous }
    : { type: 'changed', path, node: later.node, previous };
}
