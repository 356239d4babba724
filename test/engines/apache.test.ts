import { ApacheServers } from '../conformance/servers/index.js';
import { ApacheEngine } from './apache-engine.js';
import { runOn } from './run-on.js';

runOn(
  'three servers of Apache ZooKeeper over zk://',
  () => ApacheEngine.start(),
  ApacheServers.isInstalled() ? undefined : "Apache ZooKeeper is not installed (Debian's package zookeeper)",
);
