import type { zooKeeperDialer as inNode } from './dialer-node.js';

/** A browser has no TCP, so nobody there speaks `zk:`. */
export const zooKeeperDialer: typeof inNode = () => null;
