/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
/** ZooKeeper's own protocol over TCP: a listener for members, a transport for clients. */
export type { ListenerTlsOptions } from './listener/listener-tls.js';
export { ZooKeeperListener, type ZooKeeperListenerOptions } from './listener/tcp-listener.js';
export { ZooKeeperDialer, type ZooKeeperDialerOptions } from './transport/zookeeper-dialer.js';
