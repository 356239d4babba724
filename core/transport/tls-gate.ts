import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { TLS_HANDSHAKE_TYPE } from './dial-error.js';
import { sliceWrites } from './sliced-writes.js';
import { MIN_TLS_VERSION } from './tls-options.js';

/** Certificates and keys of a listener, as PEM text. */
export interface TlsMaterial {
  /** Of the server, with those between it and its authority. */
  readonly cert: string;
  readonly key: string;
  /** Authorities of the certificates of clients and of other members; null if none are requested. */
  readonly ca: string | null;
}

/** The material of a listener, which may be replaced while it runs. */
export interface ServerTls {
  readonly material: TlsMaterial;
  /** Calls `listener` after each replacement, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** Whether the other end of a TLS connection has presented a certificate, and what is wrong with it. */
export interface PeerCertificate {
  /** Verified: signed by an authority of the material, and valid now. */
  readonly certificate: X509Certificate | null;
  /** Why the certificate that was presented is not accepted; null without one, and with a good one. */
  readonly problem: string | null;
}

export interface TlsGateOptions {
  readonly tls: ServerTls;
  /**
   * End the handshake with an alert if the other end presents no certificate, and the connection if it presents a bad one. Otherwise
   * `secured` decides. Without effect if the material has no authorities.
   */
  readonly requiresCertificate: boolean;
  /** Time for the TLS handshake (ms). */
  readonly handshakeMs: number;
  /** The handshake is complete; `raw` is the socket that was taken. */
  readonly secured: (socket: TLSSocket, raw: Socket) => void;
  /** The sender does not speak TLS; the socket is the receiver's from here on, and is paused. */
  readonly plain: (socket: Socket) => void;
  /** The handshake failed; the socket has been destroyed. */
  readonly failed: (remoteAddress: string, problem: string) => void;
}

/**
 * Carries out the TLS handshake on sockets that a listener has accepted. It looks at the first byte, so that a sender that does not
 * speak TLS can be answered in plain text. Replaced material counts for handshakes that begin later; open connections stay.
 */
export class TlsGate {
  readonly #options: TlsGateOptions;
  readonly #server: Server;
  readonly #stopListening: () => void;
  /** Sockets in their handshake, by remote address and port: `node:tls` names no other link between the two. */
  readonly #raw = new Map<string, Socket>();

  /** Throws if the material cannot be used. */
  constructor(options: TlsGateOptions) {
    this.#options = options;
    const { tls, handshakeMs, requiresCertificate, failed } = options;
    const hasAuthorities = tls.material.ca !== null;
    this.#server = createServer({
      ...contextOf(tls.material),
      allowHalfOpen: true,
      handshakeTimeout: handshakeMs,
      requestCert: hasAuthorities,
      rejectUnauthorized: hasAuthorities && requiresCertificate,
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      const remoteAddress = socket.remoteAddress ?? '';
      socket.destroy();
      failed(remoteAddress, error.message);
    });
    this.#stopListening = tls.onChange(() => this.#server.setSecureContext(contextOf(tls.material)));
  }

  /** Waits for the first byte; how long is the business of whoever accepted the socket. */
  take(socket: Socket): void {
    const ended = (): void => void socket.destroy();
    socket.once('end', ended);
    socket.once('data', (head: Buffer) => {
      socket.off('end', ended);
      socket.pause();
      socket.unshift(head);
      if (head[0] === TLS_HANDSHAKE_TYPE) this.#begin(socket);
      else this.#options.plain(socket);
    });
  }

  /** Replaced material has no effect any more. Idempotent. */
  close(): void {
    this.#stopListening();
  }

  #begin(socket: Socket): void {
    const sender = senderOf(socket);
    this.#raw.set(sender, socket);
    socket.once('close', () => {
      if (this.#raw.get(sender) === socket) this.#raw.delete(sender);
    });
    this.#server.emit('connection', socket);
  }

  #secured(socket: TLSSocket): void {
    const sender = senderOf(socket);
    const raw = this.#raw.get(sender);
    this.#raw.delete(sender);
    if (raw === undefined) return void socket.destroy();
    sliceWrites(socket);
    this.#options.secured(socket, raw);
  }
}

function senderOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** What the other end of a connection has presented. */
export function certificateOf(socket: TLSSocket): PeerCertificate {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { certificate: null, problem: null };
  if (socket.authorized) return { certificate, problem: null };
  return { certificate: null, problem: String(socket.authorizationError) };
}

/** Throws if certificate, key and authorities cannot be used together. */
export function contextOf({ cert, key, ca }: TlsMaterial): {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly minVersion: typeof MIN_TLS_VERSION;
  readonly secureOptions: number;
} {
  return {
    cert,
    key,
    ...(ca === null ? {} : { ca }),
    minVersion: MIN_TLS_VERSION,
    // A client of TLS 1.2 could make the server repeat the handshake, which costs the server more than the client.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}
