import { createServer, type Server, type TLSSocket } from 'node:tls';
import { ConfigurationError } from '../../../core/server/index.js';

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

/** A server that speaks TLS and nothing else. Throws `ConfigurationError` if certificate and key cannot be used. */
export function createSecureServer({ cert, key, ca, handshakeMs = 10_000 }: ListenerTlsOptions): Server {
  const hasAuthority = ca !== undefined;
  try {
    return createServer({
      allowHalfOpen: true,
      handshakeTimeout: handshakeMs,
      cert,
      key,
      ...(hasAuthority ? { ca } : {}),
      requestCert: hasAuthority,
      rejectUnauthorized: hasAuthority,
      minVersion: 'TLSv1.2',
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(
      'tls',
      `certificate, key and authorities cannot be used: ${why}`,
      'Give each as PEM, and the key that belongs to the certificate.',
    );
  }
}

/** Who a client has proved to be: `x509:<subject>`, written as Java does (RFC 2253). */
export function identitiesOfCertificate(
  socket: TLSSocket,
): readonly { readonly scheme: string; readonly id: string }[] {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) return [];
  return [{ scheme: 'x509', id: certificate.subject.split('\n').reverse().join(',') }];
}
