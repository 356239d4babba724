import { createSecureContext } from 'node:tls';
import { checkNestedOptions, type OptionNames } from '../../../core/runtime/index.js';
import { ConfigurationError, type ListenerHost } from '../../../core/server/index.js';
import { contextOf, type ServerTls, type TlsMaterial } from '../../../core/transport/listener.js';

/** Certificates and keys, as PEM text. */
export interface ListenerTlsOptions {
  /** Of this member, with those between it and the authority. */
  readonly cert: string;
  readonly key: string;
  /** Authorities of clients. With it every client has to present a certificate that one of them has signed. */
  readonly ca?: string;
  /** Milliseconds that a client may take for the handshake of TLS. Default 10 000. */
  readonly handshakeMs?: number;
}

const TLS_OPTIONS: OptionNames<ListenerTlsOptions> = { cert: true, key: true, ca: true, handshakeMs: true };

/** What a port under TLS is run with. */
export interface PortTls {
  readonly tls: ServerTls;
  readonly requiresCertificate: boolean;
  readonly handshakeMs: number;
}

const DEFAULT_HANDSHAKE_MS = 10_000;

/** Throws `ConfigurationError` if certificate and key cannot be used. */
export function checkTls(options: ListenerTlsOptions | 'member' | undefined): void {
  if (options === undefined || options === 'member') return;
  checkNestedOptions('ZooKeeperListener', 'tls', options, TLS_OPTIONS);
  try {
    createSecureContext(contextOf(materialOf(options)));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(
      'tls',
      `certificate, key and authorities cannot be used: ${why}`,
      'Give each as PEM, and the key that belongs to the certificate.',
    );
  }
}

/** Null without TLS. Throws `ConfigurationError` if the member, whose certificates are to be used, has none. */
export function portTls(
  options: ListenerTlsOptions | 'member' | undefined,
  host: ListenerHost,
): PortTls | null {
  if (options === undefined) return null;
  if (options === 'member') {
    const { tls, requiresCertificate } = host;
    if (tls !== null) return { tls, requiresCertificate, handshakeMs: host.options.handshakeMs };
    throw new ConfigurationError(
      'tls',
      'the member has no certificates',
      'Start it with tlsCert and tlsKey, or give the listener certificates of its own.',
    );
  }
  const { handshakeMs = DEFAULT_HANDSHAKE_MS } = options;
  const tls = { material: materialOf(options), onChange: () => () => undefined };
  return { tls, requiresCertificate: true, handshakeMs };
}

function materialOf({ cert, key, ca }: ListenerTlsOptions): TlsMaterial {
  return { cert, key, ca: ca ?? null };
}
