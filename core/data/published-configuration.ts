import type { Stat } from '../protocol/index.js';
import { CONFIG_PATH } from './data-tree.js';
import type { StoredData } from './stored-data.js';
import type { Znode } from './znode.js';

/** What ZooKeeper shows of a configuration that its servers were started with, and that nobody has written since. */
const VERSION = -1;

/**
 * What the znode of the configuration shows until somebody writes it. As in ZooKeeper that is what this member was started with:
 * no transaction made it, so it is no part of the state that members have in common, nor of its digest.
 */
export class PublishedConfiguration {
  /** Null for a member that stands alone: the znode shows itself. */
  text: Uint8Array | null = null;

  isShownAt(node: Znode): boolean {
    return this.text !== null && node.mzxid === 0n && node.path === CONFIG_PATH;
  }

  /** Null and empty are different things. */
  dataOf(node: Znode): StoredData {
    return this.isShownAt(node) ? this.text : node.stored;
  }

  statOf(node: Znode): Stat {
    const stat = node.stat();
    return this.isShownAt(node) ? { ...stat, version: VERSION, dataLength: this.text!.length } : stat;
  }

  /** What the next write of the data counts on from. */
  versionOf(node: Znode): number {
    return this.isShownAt(node) ? VERSION : node.version;
  }
}
