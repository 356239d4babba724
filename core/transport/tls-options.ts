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

export type Pem = string | Uint8Array;

/** The same in the words of `node:tls`; what is left out stays Node's own choice. */
export interface NodeTlsSettings {
  readonly ca?: (string | Buffer)[];
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
}

export function nodeTlsSettings(options: TlsOptions = {}): NodeTlsSettings {
  const { ca, cert, key, passphrase, serverName } = options;
  return {
    ...(ca !== undefined && { ca: [ca].flat().map(forNode) }),
    ...(cert !== undefined && { cert: forNode(cert) }),
    ...(key !== undefined && { key: forNode(key) }),
    ...(passphrase !== undefined && { passphrase }),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

/** Node takes any view of bytes there, although its types say `Buffer`. */
function forNode(pem: Pem): string | Buffer {
  return pem as string | Buffer;
}
