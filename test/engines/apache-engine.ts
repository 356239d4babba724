import { ZooKeeperDialer } from '../../plugins/zookeeper/index.js';
import { ApacheServers } from '../conformance/servers/index.js';
import type { Engine } from './engine.js';

const TICK_MS = 200;

/** Three servers of Apache ZooKeeper. */
export class ApacheEngine implements Engine {
  readonly name = 'zk://';
  readonly dialer = new ZooKeeperDialer();
  readonly #servers: ApacheServers;

  private constructor(servers: ApacheServers) {
    this.#servers = servers;
  }

  static async start(): Promise<ApacheEngine> {
    return new ApacheEngine(await ApacheServers.start(3, { tickMs: TICK_MS }));
  }

  url(chroot: string): string {
    return `zk://${this.#servers.connect}${chroot}`;
  }

  connectString(place: string): string {
    return this.url(`/${place}`);
  }

  async restartServer(): Promise<void> {
    const leader = await this.#servers.leader();
    await this.#servers.kill(leader);
    await this.#servers.start(leader);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]();
  }
}
