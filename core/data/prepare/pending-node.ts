import type { Acl } from '../../protocol/index.js';
import type { NodeState } from '../znode.js';
import type { Pending } from './pending-layers.js';

const NO_ACL: readonly Acl[] = [];

/** A znode as it will be, or the place where it will be missing. */
export class PendingNode implements NodeState, Pending {
  zxid: bigint;
  exists = true;
  version = 0;
  aversion = 0;
  creates = 0;
  numChildren = 0;
  ephemeralOwner = 0n;
  ttlMs = 0;
  mtime = 0;
  dataLength = 0;
  acl: readonly Acl[] = NO_ACL;

  constructor(zxid: bigint) {
    this.zxid = zxid;
  }

  static copyOf(node: NodeState, zxid: bigint): PendingNode {
    const copy = new PendingNode(zxid);
    copy.version = node.version;
    copy.aversion = node.aversion;
    copy.creates = node.creates;
    copy.numChildren = node.numChildren;
    copy.ephemeralOwner = node.ephemeralOwner;
    copy.ttlMs = node.ttlMs;
    copy.mtime = node.mtime;
    copy.dataLength = node.dataLength;
    copy.acl = node.acl;
    return copy;
  }
}
