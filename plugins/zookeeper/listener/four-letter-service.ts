import type { ListenerHost } from '../../../core/server/index.js';

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests\n';

/** Answers four-letter words. */
export class FourLetterService {
  readonly #host: ListenerHost;

  constructor(host: ListenerHost) {
    this.#host = host;
  }

  answer(word: string): string {
    const health = this.#host.health();
    if (word === 'ruok') return 'imok';
    if (word === 'isro') return health.isServing ? 'rw' : 'null';
    if (word === 'envi') return 'Environment:\nzookeeper.version=3.9.5-quorate\n';
    if (!health.isServing) return NOT_SERVING;
    const mode =
      { leading: 'leader', following: 'follower', observing: 'observer' }[health.state as 'leading'] ??
      'standalone';
    return [
      'Zookeeper version: 3.9.5-quorate, built on 2026-01-01 00:00 UTC',
      `Connections: ${health.connections}`,
      `Zxid: ${health.zxid}`,
      `Mode: ${mode}`,
      '',
    ].join('\n');
  }
}
