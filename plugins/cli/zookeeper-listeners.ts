import { ConfigurationError, type ClientListener } from '../../core/server/index.js';
import { ZooKeeperListener } from '../zookeeper/index.js';

/** Where ZooKeeper's own clients are taken in, as it can be set. */
export interface ZooKeeperSettings {
  /** Default: nowhere. */
  readonly zookeeperPort?: number;
  /** The same under TLS; needs `tlsCert` and `tlsKey`. */
  readonly secureZookeeperPort?: number;
  readonly tlsCert?: string;
  /** Four-letter words that everybody may use: `*`, or `ruok,srvr,mntr`. */
  readonly fourLetterWords?: string;
}

/** Throws `ConfigurationError`. */
export function zooKeeperListeners(settings: ZooKeeperSettings): readonly ClientListener[] {
  const { zookeeperPort, secureZookeeperPort, tlsCert, fourLetterWords } = settings;
  const words = fourLetterWords === undefined ? {} : { fourLetterWords };
  const listeners: ClientListener[] = [];
  if (zookeeperPort !== undefined) listeners.push(new ZooKeeperListener({ port: zookeeperPort, ...words }));
  if (secureZookeeperPort === undefined) return listeners;
  if (tlsCert === undefined)
    throw new ConfigurationError(
      'tlsCert',
      'secureZookeeperPort needs it',
      'Give it and tlsKey, or leave secureZookeeperPort out.',
    );
  listeners.push(new ZooKeeperListener({ port: secureZookeeperPort, tls: 'member', ...words }));
  return listeners;
}
