import type { X509Certificate } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';
import type { Clock, Logger, Timer } from '../runtime/index.js';
import { CloseCode, type Connection } from './connection.js';
import { TLS_HANDSHAKE_TYPE } from './dial-error.js';
import { LimitedLog } from './limited-log.js';
import { listenError } from './listen-error.js';
import { OriginPolicy, type OriginPolicyOptions } from './origin-policy.js';
import type { AdmittedSocket, SocketBudget } from './socket-budget.js';
import { certificateOf, TlsGate, type PeerCertificate, type ServerTls } from './tls-gate.js';
import { WsConnection } from './ws-connection.js';

export interface WebSocketListenerOptions extends OriginPolicyOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Shared by all listeners of the process; what it has no room for is closed before a byte of it is read. */
  readonly sockets: SocketBudget;
  /** Milliseconds within which a socket has to have sent its whole HTTP request, the TLS handshake before it included. */
  readonly requestTimeoutMs: number;
  /** With it only TLS is spoken at the port. Default: none. */
  readonly tls?: ServerTls | undefined;
  /** Serve senders without TLS all the same. Default false. */
  readonly allowsPlain?: boolean | undefined;
  /** Refuse senders that present no certificate; needs authorities in `tls`. Default false. */
  readonly requiresCertificate?: boolean | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who takes the WebSockets that are opened at a path. */
export interface WebSocketRoute {
  readonly subprotocol: string;
  readonly maxMessageBytes: number;
  /** Who opens it: a client, which may be a page in a browser, or another member, which never is. */
  readonly from: 'client' | 'peer';
  /** `certificate`: what the other end has proved its identity with, verified; null if it has presented none. */
  accept(connection: Connection, certificate: X509Certificate | null): void;
}

/** Who asks for a page or a status, as far as the request says. */
export interface HttpCaller {
  /** The header of this name. */
  readonly authorization: string | undefined;
  /** Verified; null if the sender has presented none. */
  readonly certificate: X509Certificate | null;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** An accepted socket, of whatever kind it will be. */
interface OpenSocket {
  readonly admitted: AdmittedSocket;
  /** Destroys the socket. */
  readonly deadline: Timer;
}

/** A connection that is told to close and does not answer is cut off after this time. */
const CLOSE_TIMEOUT_MS = 2_000;
const CLOSE_POLL_MS = 10;
/** A refused request gets its answer within this time; then its socket is destroyed, whatever the sender does. */
const REFUSAL_LINGER_MS = 500;
/** Characters of a sender's own text in a log line. */
const MOST_LOGGED = 200;
const NO_CERTIFICATE: PeerCertificate = { certificate: null, problem: null };
/** Not registered, but known from other servers: the client's certificate is bad, or missing. */
const BAD_CERTIFICATE = '495 SSL Certificate Error';
const CERTIFICATE_REQUIRED = '496 SSL Certificate Required';
const ONLY_TLS = 'This port accepts only TLS: use wss:// or https://.\n';
const ONLY_WEB_SOCKETS =
  "This port speaks WebSocket: use ws:// or wss://. ZooKeeper's protocol has a port of its own, --zookeeper-port.\n";
/** First byte of a packet of ZooKeeper's protocol: of its length, in four bytes. No text of HTTP begins with it. */
const ZOOKEEPER_FIRST_BYTE = 0;

/** One HTTP server on a port, with or without TLS: WebSockets by path, and small answers to GET. */
export class WebSocketListener {
  readonly #options: WebSocketListenerOptions;
  readonly #server: Server;
  /** Parses the requests on the sockets that it is given; listens nowhere itself. */
  readonly #http = createHttpServer({ maxHeaderSize: 8_192 });
  readonly #gate: TlsGate | null;
  readonly #origins: OriginPolicy;
  readonly #routes = new Map<string, WebSocketRoute & { readonly handshake: WebSocketServer }>();
  readonly #answers = new Map<string, (caller: HttpCaller) => HttpAnswer>();
  readonly #connections = new Set<WsConnection>();
  readonly #sockets = new Map<Socket, OpenSocket>();
  /** The same by what the requests are read from: under TLS that is another object. */
  readonly #readFrom = new WeakMap<Duplex, OpenSocket>();
  readonly #log: LimitedLog;

  constructor(options: WebSocketListenerOptions) {
    this.#options = options;
    this.#log = new LimitedLog(options.clock, options.logger);
    this.#origins = new OriginPolicy(options);
    this.#gate = this.#tlsGate();
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#admit(socket));
    this.#http.on('request', (request, response) => this.#answer(request, response));
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http.on('clientError', (error, socket) => this.#refuseMalformed(error, socket));
  }

  /** WebSockets opened at `path` go to `route`. To be called before `listen`. */
  route(path: string, route: WebSocketRoute): void {
    // A variable, because the types of ws do not know `closeTimeout` yet.
    const options = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: route.maxMessageBytes,
      handleProtocols: () => route.subprotocol,
      closeTimeout: CLOSE_TIMEOUT_MS,
    };
    const handshake = new WebSocketServer(options);
    handshake.on('wsClientError', (_error, socket) => socket.destroy());
    this.#routes.set(path, { ...route, handshake });
  }

  /** GET of `path` is answered by `answer`. */
  get(path: string, answer: (caller: HttpCaller) => HttpAnswer): void {
    this.#answers.set(path, answer);
  }

  /** Rejects with a `QuorateError` of code `LISTEN_FAILED`. */
  listen(): Promise<{ readonly host: string; readonly port: number }> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => reject(listenError({ host, port }, cause, { flag: '--port' }));
      this.#server.once('error', fail);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', fail);
        this.#server.on('error', (error) => this.#options.logger.error('Listener failed', { error }));
        const bound = this.#server.address() as AddressInfo;
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  /** Sockets of any kind that are open. */
  get socketCount(): number {
    return this.#sockets.size;
  }

  /** Takes no more connections; those that exist stay. Idempotent. */
  stop(): void {
    this.#gate?.close();
    if (this.#server.listening) this.#server.close();
  }

  /** Closes every connection in order and frees the port; what does not answer is cut off. Idempotent. */
  async close(): Promise<void> {
    this.stop();
    for (const connection of this.#connections) {
      connection.close({ code: CloseCode.goingAway, text: 'the member is stopping' });
    }
    const { clock } = this.#options;
    const deadline = clock.now() + CLOSE_TIMEOUT_MS;
    while (this.#connections.size > 0 && clock.now() < deadline) {
      await new Promise<void>((resolve) => clock.setTimer(CLOSE_POLL_MS, resolve, { hold: true }));
    }
    for (const connection of this.#connections) connection.terminate();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #admit(socket: Socket): void {
    const { sockets, clock, requestTimeoutMs } = this.#options;
    const address = socket.remoteAddress ?? '';
    const admitted = sockets.admit(socket, address);
    if (admitted === null) return this.#log.warn('Connections refused', { limit: address });
    const open = { admitted, deadline: clock.setTimer(requestTimeoutMs, () => socket.destroy()) };
    this.#sockets.set(socket, open);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      open.deadline.cancel();
      this.#sockets.delete(socket);
    });
    if (this.#gate === null) this.#read(socket, open);
    else this.#gate.take(socket);
  }

  #tlsGate(): TlsGate | null {
    const { tls, requestTimeoutMs } = this.#options;
    if (tls === undefined) return null;
    return new TlsGate({
      tls,
      // A missing one is refused by an HTTP status, which says more than an alert.
      requiresCertificate: false,
      handshakeMs: requestTimeoutMs,
      secured: (socket, raw) => {
        const open = this.#sockets.get(raw);
        if (open !== undefined) this.#read(socket, open);
      },
      plain: (socket) => {
        const open = this.#sockets.get(socket);
        if (this.#options.allowsPlain === true && open !== undefined) {
          this.#read(socket, open);
          socket.resume();
          return;
        }
        this.#log.warn('Connections without TLS refused', { remote: socket.remoteAddress });
        this.#refuse(socket, '426 Upgrade Required', ONLY_TLS);
      },
      failed: (remote, problem) => this.#log.warn('TLS handshakes failed', { remote, problem }),
    });
  }

  #read(socket: Duplex, open: OpenSocket): void {
    this.#readFrom.set(socket, open);
    this.#http.emit('connection', socket);
  }

  /** Null if the sender may go on; otherwise the HTTP status that says why not. */
  #certificateRefusal({ certificate, problem }: PeerCertificate): string | null {
    if (problem !== null) {
      this.#log.warn('Client certificates refused', { problem });
      return BAD_CERTIFICATE;
    }
    const { requiresCertificate = false } = this.#options;
    return requiresCertificate && certificate === null ? CERTIFICATE_REQUIRED : null;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { status, contentType, body } = this.#answerTo(request);
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  #answerTo(request: IncomingMessage): HttpAnswer {
    const presented = presentedBy(request);
    const refusal = this.#certificateRefusal(presented);
    if (refusal !== null) return textAnswer(Number.parseInt(refusal, 10), `${refusal}\n`);
    if (this.#origins.refusalOfGet(request.headers) !== null) return plain(403);
    const answer = this.#answers.get(pathOf(request));
    const { certificate } = presented;
    const caller = { authorization: request.headers.authorization, certificate };
    if (answer === undefined) return plain(404);
    return request.method === 'GET' || request.method === 'HEAD' ? answer(caller) : plain(405);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const open = this.#readFrom.get(socket);
    open?.deadline.cancel();
    const { certificate, problem } = presentedBy(request);
    const certificateRefusal = this.#certificateRefusal({ certificate, problem });
    if (certificateRefusal !== null) return this.#refuse(socket, certificateRefusal);
    const route = this.#routes.get(pathOf(request));
    if (route === undefined) return this.#refuse(socket, '404 Not Found');
    const { origin } = request.headers;
    const refusal =
      route.from === 'peer'
        ? this.#origins.refusalOfPeer(request.headers)
        : this.#origins.refusalOfClient(request.headers);
    if (refusal !== null) {
      this.#log.warn('Connections refused', { limit: `origin ${(origin ?? '').slice(0, MOST_LOGGED)}` });
      return this.#refuse(socket, '403 Forbidden');
    }
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
    if (!offered.includes(route.subprotocol)) return this.#refuse(socket, '400 Bad Request');
    route.handshake.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.once('message', () => open?.admitted.proved());
      const { remoteAddress, remotePort } = request.socket;
      const connection = new WsConnection(webSocket, hostPort(remoteAddress ?? 'unknown', remotePort));
      this.#connections.add(connection);
      webSocket.once('close', () => this.#connections.delete(connection));
      route.accept(connection, certificate);
    });
  }

  /** Whoever speaks TLS or ZooKeeper's protocol at a port without gets bytes that are neither, by which it notices. */
  #refuseMalformed(error: Error & { readonly rawPacket?: Uint8Array }, socket: Duplex): void {
    const first = socket.destroyed ? undefined : error.rawPacket?.[0];
    if (first === TLS_HANDSHAKE_TYPE)
      this.#refuse(socket, '400 Bad Request', 'This port does not speak TLS.\n');
    else if (first === ZOOKEEPER_FIRST_BYTE) {
      this.#log.warn("Connections with ZooKeeper's protocol refused: this port speaks WebSocket", {});
      this.#refuse(socket, '400 Bad Request', ONLY_WEB_SOCKETS);
    } else socket.destroy();
  }

  /**
   * Answers and lets go of the socket. What the sender still sends is read and dropped, so that the answer arrives; a socket with
   * unread bytes, or whose other end stays open, would keep its descriptor for ever.
   */
  #refuse(socket: Duplex, status: string, body = ''): void {
    socket.resume();
    const headers = `Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n${body}`);
    const linger = this.#options.clock.setTimer(REFUSAL_LINGER_MS, () => socket.destroy());
    socket.once('close', () => linger.cancel());
    socket.once('end', () => socket.destroy());
  }
}

/** The certificate of whoever sent the request. */
function presentedBy({ socket }: IncomingMessage): PeerCertificate {
  return socket instanceof TLSSocket ? certificateOf(socket) : NO_CERTIFICATE;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!;
}

/** An IPv4 peer of a dual-stack socket is written as the IPv4 address it has. */
function hostPort(address: string, port: number | undefined): string {
  const host = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return host.includes(':') ? `[${host}]:${port ?? 0}` : `${host}:${port ?? 0}`;
}

function plain(status: 403 | 404 | 405): HttpAnswer {
  const bodies = { 403: 'forbidden for this Host\n', 404: 'not found\n', 405: 'only GET is allowed here\n' };
  return textAnswer(status, bodies[status]);
}

function textAnswer(status: number, body: string): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
