import { readFileSync } from 'node:fs';
import { ConfigurationError, type ClientListener } from '../../core/server/index.js';
import { ZooKeeperListener, type ListenerTlsOptions } from '../zookeeper/index.js';

/** Where ZooKeeper's own clients are taken in, as it can be set. */
export interface ZooKeeperSettings {
  /** Default: nowhere. */
  readonly zookeeperPort?: number;
  /** The same under TLS; needs `tlsCert` and `tlsKey`. */
  readonly secureZookeeperPort?: number;
  /** Paths of PEM files. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** With it clients have to present certificates that these authorities have signed. */
  readonly tlsCa?: string;
  /** Four-letter words that everybody may use: `*`, or `ruok,srvr,mntr`. */
  readonly fourLetterWords?: string;
  readonly handshakeMs?: number;
}

/** Throws `ConfigurationError`. */
export function zooKeeperListeners(settings: ZooKeeperSettings): readonly ClientListener[] {
  const { zookeeperPort, secureZookeeperPort, fourLetterWords } = settings;
  const words = fourLetterWords === undefined ? {} : { fourLetterWords };
  const listeners: ClientListener[] = [];
  if (zookeeperPort !== undefined) listeners.push(new ZooKeeperListener({ port: zookeeperPort, ...words }));
  const tls = tlsOf(settings);
  if (secureZookeeperPort !== undefined && tls !== null)
    listeners.push(new ZooKeeperListener({ port: secureZookeeperPort, tls, ...words }));
  return listeners;
}

function tlsOf(settings: ZooKeeperSettings): ListenerTlsOptions | null {
  const { secureZookeeperPort, handshakeMs } = settings;
  const names = ['tlsCert', 'tlsKey', 'tlsCa'] as const;
  if (secureZookeeperPort === undefined) {
    const useless = names.find((name) => settings[name] !== undefined);
    if (useless === undefined) return null;
    throw new ConfigurationError(
      useless,
      'it is of no use without secureZookeeperPort',
      'Give that too, or leave this out.',
    );
  }
  const [cert, key, ca] = names.map((name) => pemOf(name, settings[name]));
  for (const [name, text] of [
    ['tlsCert', cert],
    ['tlsKey', key],
  ] as const) {
    if (text === undefined)
      throw new ConfigurationError(name, 'secureZookeeperPort needs it', 'Give the path of a PEM file.');
  }
  return {
    cert: cert!,
    key: key!,
    ...(ca === undefined ? {} : { ca }),
    ...(handshakeMs === undefined ? {} : { handshakeMs }),
  };
}

function pemOf(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(name, `it cannot be read: ${why}`, 'Give the path of a PEM file.');
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new ConfigurationError(name, `${path} is no PEM file`, 'Give one that begins with "-----BEGIN …".');
}
