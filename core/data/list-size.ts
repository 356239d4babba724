import { LENGTH_BYTES, stringBytes, textBytes } from '../protocol/index.js';
import { nameStart, type Znode } from './znode.js';

/** A UTF-16 code unit takes at most so many bytes. */
const MOST_BYTES_PER_UNIT = 3;

/**
 * Encoded size of the list of the children's names: exact, unless a lower bound is above `most` already. Looks at each child only
 * if it has to.
 */
export function childrenBytes(node: Znode, most: number): number {
  const least = leastChildrenBytes(node);
  if (least > most) return least;
  const skip = nameStart(node);
  let bytes = LENGTH_BYTES * (1 + node.numChildren);
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    bytes += textBytes(child.path.slice(skip));
  }
  return bytes;
}

/** Whether the list takes at most `most` bytes, whatever characters the names have. */
export function fitsAnyway(node: Znode, most: number): boolean {
  return LENGTH_BYTES * (1 + node.numChildren) + MOST_BYTES_PER_UNIT * node.childNameUnits <= most;
}

/** Encoded size of the list of those paths that begin with `prefix`. */
export function ephemeralsBytes(owned: ReadonlySet<Znode>, prefix: string): number {
  let bytes = LENGTH_BYTES;
  for (const { path } of owned) if (path.startsWith(prefix)) bytes += stringBytes(path);
  return bytes;
}

/** A lower bound of it, without a look at the children. */
export function leastChildrenBytes(node: Znode): number {
  return LENGTH_BYTES * (1 + node.numChildren) + node.childNameUnits;
}
