/** What a connection under TLS is made with. Keys and certificates are PEM; a browser has its own and takes none. */
export interface TlsOptions {
  /** Authorities that the server's certificate is checked against. Default: those that Node brings along. */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** The certificate of this client, for servers that ask for one. */
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
  /** Of an encrypted key. */
  readonly passphrase?: string | undefined;
  /** The name that the server's certificate has to be for. Default: the host that is dialled. */
  readonly serverName?: string | undefined;
}

/** Options, or a function that returns them; it is called for each connection, so that renewed certificates take effect. */
export type TlsSource = TlsOptions | (() => TlsOptions);

export type Pem = string | Uint8Array;

/** The same under the names of `node:tls`. An option that is left out keeps Node's default. */
export interface NodeTlsSettings {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly minVersion: typeof MIN_TLS_VERSION;
}

/** Older versions are refused by both ends, whatever Node's own default is. */
export const MIN_TLS_VERSION = 'TLSv1.2';

/** Throws what the function of the source throws. */
export function nodeTlsSettings(source: TlsSource = {}): NodeTlsSettings {
  const { ca, cert, key, passphrase, serverName } = typeof source === 'function' ? source() : source;
  return {
    ...(ca !== undefined && { ca: [ca].flat().map(textOf) }),
    ...(cert !== undefined && { cert: textOf(cert) }),
    ...(key !== undefined && { key: textOf(key) }),
    ...(passphrase !== undefined && { passphrase }),
    ...(serverName !== undefined && { servername: serverName }),
    minVersion: MIN_TLS_VERSION,
  };
}

/** Text, so that the declarations of this package need none of Node's. */
function textOf(pem: Pem): string {
  return typeof pem === 'string' ? pem : new TextDecoder().decode(pem);
}
