const SLASH = 0x2f;
/** Of two hashes that are kept side by side, so that they hardly ever agree by chance. */
const FACTORS = [0x01000193, 0x5bd1e995] as const;
const STARTS = [0x811c9dc5, 0x2545f491] as const;
/** As many bits of the second as fit behind 32 of the first in a whole number. */
const SECOND_BITS = 20;

interface Counted {
  readonly path: string;
  count: number;
}

/**
 * A multiset of paths, which finds those above a given path in one pass over its characters: a path of thousands of levels costs no
 * more than its length, though it has as many prefixes.
 */
export class PathPrefixes {
  readonly #byHash = new Map<number, Counted[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(path: string): void {
    this.#size += 1;
    const key = hashOf(path);
    const there = this.#byHash.get(key);
    const same = there?.find((one) => one.path === path);
    if (same !== undefined) same.count += 1;
    else if (there === undefined) this.#byHash.set(key, [{ path, count: 1 }]);
    else there.push({ path, count: 1 });
  }

  /** The path has to be in. */
  remove(path: string): void {
    this.#size -= 1;
    const key = hashOf(path);
    const there = this.#byHash.get(key)!;
    const index = there.findIndex((one) => one.path === path);
    if ((there[index]!.count -= 1) > 0) return;
    there.splice(index, 1);
    if (there.length === 0) this.#byHash.delete(key);
  }

  /** Calls `found` for each path of the set that is above `path`; `/` is above all others. */
  above(path: string, found: (prefix: string) => void): void {
    if (path === '/') return;
    let [first, second]: [number, number] = [...STARTS];
    for (let end = 0; end < path.length; end++) {
      const unit = path.charCodeAt(end);
      // The prefix that ends in front of a slash; in front of the first one that is the root.
      if (unit === SLASH) this.#match(path, end, keyOf(first, second), found);
      first = Math.imul(first ^ unit, FACTORS[0]);
      second = Math.imul(second ^ unit, FACTORS[1]);
    }
  }

  #match(path: string, end: number, key: number, found: (prefix: string) => void): void {
    for (const { path: prefix } of this.#byHash.get(key) ?? []) {
      const isRoot = end === 0 && prefix === '/';
      if (isRoot || (prefix.length === end && path.startsWith(prefix))) found(prefix);
    }
  }
}

/** Of the whole path; the root counts as the empty prefix that is in front of every first slash. */
function hashOf(path: string): number {
  let [first, second]: [number, number] = [...STARTS];
  const { length } = path === '/' ? '' : path;
  for (let index = 0; index < length; index++) {
    const unit = path.charCodeAt(index);
    first = Math.imul(first ^ unit, FACTORS[0]);
    second = Math.imul(second ^ unit, FACTORS[1]);
  }
  return keyOf(first, second);
}

function keyOf(first: number, second: number): number {
  return (first >>> 0) * 2 ** SECOND_BITS + (second >>> (32 - SECOND_BITS));
}
