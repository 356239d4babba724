/** Servers that speak ZooKeeper's protocol: Apache ZooKeeper's and ours, started and killed alike. */
export { Servers, SUPER_DIGEST, type ServerCount, type ServersOptions } from './servers.js';
export { ApacheServers, JVM_FLAGS, LOG_JAR, ZOOKEEPER_JAR } from './apache-servers.js';
export { QuorateServers } from './quorate-servers.js';
export { Gates } from './gates.js';
export { fourLetterWord } from './four-letter-word.js';
