/** ZooKeeper's own protocol over TCP: a listener for members, a transport for clients. */
export { ZooKeeperListener, type ZooKeeperListenerOptions } from './listener/tcp-listener.js';
export { ZooKeeperDialer, type ZooKeeperDialerOptions } from './transport/zookeeper-dialer.js';
