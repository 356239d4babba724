import { ShareGroup } from './share-group.js';

/** Writes that all connections together may have under way while several of them write, */
const SHARED_WRITES = 2_000;
/** and what each may have at least. */
const LEAST_WRITES = 8;
/** Bytes of them, */
const SHARED_WRITE_BYTES = 8 * 1024 * 1024;
/** and what each may have at least: one write is always taken. */
const LEAST_WRITE_BYTES = 64 * 1024;

/**
 * Shares the writes under way among the groups of connections that write (`ShareGroup`), and in a group among its connections, so that a
 * connection with one write does not wait behind thousands of others. A connection that writes alone has no limit here.
 */
export class WriteShares {
  /** For connections that belong to no group of their own. */
  readonly everybody = new ShareGroup('');
  #groups = 0;
  #writers = 0;

  /** Whether a connection of this group may have one more write under way, beside so many of so many bytes. */
  allows(group: ShareGroup, writes: number, bytes: number): boolean {
    const others = this.#writers - (writes > 0 ? 1 : 0);
    if (writes === 0 || others === 0) return true;
    const parts = this.#groups * group.writers;
    return (
      writes < Math.max(LEAST_WRITES, SHARED_WRITES / parts) &&
      bytes < Math.max(LEAST_WRITE_BYTES, SHARED_WRITE_BYTES / parts)
    );
  }

  /** One more connection of the group has a write under way. */
  begin(group: ShareGroup): void {
    this.#writers += 1;
    group.writers += 1;
    if (group.writers === 1) this.#groups += 1;
  }

  /** A connection of the group has none any more. */
  end(group: ShareGroup): void {
    this.#writers -= 1;
    group.writers -= 1;
    if (group.writers === 0) this.#groups -= 1;
  }
}
