import type { Dialer } from '../../../core/transport/index.js';
import type { ZooKeeperDialerOptions } from './zookeeper-dialer.js';

/** What `zk:` and `zks:` mean to the client in Node. What it takes is loaded when the first server is dialled. */
export function zooKeeperDialer(options: ZooKeeperDialerOptions): Dialer | null {
  let loading: Promise<Dialer> | undefined;
  return {
    dial: async (address, dialOptions) => {
      loading ??= import('./zookeeper-dialer.js').then(({ ZooKeeperDialer }) => new ZooKeeperDialer(options));
      return (await loading).dial(address, dialOptions);
    },
  };
}
