/** ZooKeeper's own protocol over TCP. */
export { ZooKeeperListener, type ZooKeeperListenerOptions } from './listener/tcp-listener.js';
