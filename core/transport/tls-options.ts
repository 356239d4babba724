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
