const MIB = 1024 * 1024;

/** What a member needs besides its tree: code, connections, watches, what is under way, and what a snapshot keeps. */
const OTHER_BYTES = 32 * MIB;
/** What is left of the heap holds the tree, and as much again of garbage and copies. */
const TREE_SHARE = 0.5;
/** A tree may always grow to this size. */
const LEAST_BYTES = 8 * MIB;

/** What the tree of a member may take in memory, unless it is told otherwise: what a heap with this limit can hold. */
export function dataBytesFor(heapLimitBytes: number): number {
  return Math.max(LEAST_BYTES, Math.floor(TREE_SHARE * (heapLimitBytes - OTHER_BYTES)));
}
