import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { QuorateError, type Clock, type Logger } from '../runtime/index.js';
import { CloseCode, type Connection } from './connection.js';
import { OriginPolicy, type OriginPolicyOptions } from './origin-policy.js';
import type { AdmittedSocket, SocketBudget } from './socket-budget.js';
import { WsConnection } from './ws-connection.js';

export interface WebSocketListenerOptions extends OriginPolicyOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Shared by all listeners of the process; what it has no room for is closed before a byte of it is read. */
  readonly sockets: SocketBudget;
  /** Milliseconds within which a socket has to have sent its whole HTTP request. */
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who takes the WebSockets that are opened at a path. */
export interface WebSocketRoute {
  readonly subprotocol: string;
  readonly maxMessageBytes: number;
  /** Who opens it: a client, which may be a page in a browser, or another member, which never is. */
  readonly from: 'client' | 'peer';
  accept(connection: Connection): void;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A connection that is told to close and does not answer is cut off after this time. */
const CLOSE_TIMEOUT_MS = 2_000;
const CLOSE_POLL_MS = 10;
/** A refused request gets its answer within this time; then its socket is destroyed, whatever the sender does. */
const REFUSAL_LINGER_MS = 500;
const REFUSAL_LOG_INTERVAL_MS = 10_000;
/** Characters of a sender's own text in a log line. */
const MOST_LOGGED = 200;

/** One HTTP server on a port: WebSockets by path, and small answers to GET. */
export class WebSocketListener {
  readonly #options: WebSocketListenerOptions;
  readonly #server: Server;
  readonly #origins: OriginPolicy;
  readonly #routes = new Map<string, WebSocketRoute & { readonly handshake: WebSocketServer }>();
  readonly #answers = new Map<string, () => HttpAnswer>();
  readonly #connections = new Set<WsConnection>();
  readonly #sockets = new Map<Duplex, AdmittedSocket>();
  #refused = 0;
  #lastRefusalLogAt = Number.NEGATIVE_INFINITY;

  constructor(options: WebSocketListenerOptions) {
    this.#options = options;
    this.#origins = new OriginPolicy(options);
    this.#server = createServer({
      headersTimeout: options.requestTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(1_000, options.requestTimeoutMs / 2)),
      maxHeaderSize: 8_192,
    });
    this.#server.on('connection', (socket) => this.#admit(socket));
    this.#server.on('request', (request, response) => this.#answer(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
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
  get(path: string, answer: () => HttpAnswer): void {
    this.#answers.set(path, answer);
  }

  /** Rejects with a `QuorateError` of code `LISTEN_FAILED`. */
  listen(): Promise<{ readonly host: string; readonly port: number }> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void =>
        reject(
          new QuorateError('LISTEN_FAILED', `Cannot listen on ${host}:${port}: ${cause.message}.`, {
            fields: { host, port },
            cause,
          }),
        );
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
    const address = socket.remoteAddress ?? '';
    const admitted = this.#options.sockets.admit(socket, address);
    if (admitted === null) return this.#logRefusal(address);
    socket.setNoDelay(true);
    this.#sockets.set(socket, admitted);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #logRefusal(limit: string): void {
    this.#refused += 1;
    const now = this.#options.clock.now();
    if (now - this.#lastRefusalLogAt < REFUSAL_LOG_INTERVAL_MS) return;
    this.#lastRefusalLogAt = now;
    this.#options.logger.warn('Connections refused', { limit, refused: this.#refused });
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
    if (this.#origins.refusalOfGet(request.headers) !== null) return plain(403);
    const answer = this.#answers.get(pathOf(request));
    if (answer === undefined) return plain(404);
    return request.method === 'GET' || request.method === 'HEAD' ? answer() : plain(405);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const route = this.#routes.get(pathOf(request));
    if (route === undefined) return this.#refuse(socket, '404 Not Found');
    const { origin } = request.headers;
    const refusal =
      route.from === 'peer'
        ? this.#origins.refusalOfPeer(request.headers)
        : this.#origins.refusalOfClient(request.headers);
    if (refusal !== null) {
      this.#logRefusal(`origin ${(origin ?? '').slice(0, MOST_LOGGED)}`);
      return this.#refuse(socket, '403 Forbidden');
    }
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
    if (!offered.includes(route.subprotocol)) return this.#refuse(socket, '400 Bad Request');
    const admitted = this.#sockets.get(request.socket);
    route.handshake.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.once('message', () => admitted?.proved());
      const { remoteAddress, remotePort } = request.socket;
      const connection = new WsConnection(webSocket, hostPort(remoteAddress ?? 'unknown', remotePort));
      this.#connections.add(connection);
      webSocket.once('close', () => this.#connections.delete(connection));
      route.accept(connection);
    });
  }

  /**
   * Answers and lets go of the socket. What the sender still sends is read and dropped, so that the answer arrives; a socket with
   * unread bytes, or whose other end stays open, would keep its descriptor for ever.
   */
  #refuse(socket: Duplex, status: string): void {
    socket.resume();
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    const linger = this.#options.clock.setTimer(REFUSAL_LINGER_MS, () => socket.destroy());
    socket.once('close', () => linger.cancel());
    socket.once('end', () => socket.destroy());
  }
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
  const body = bodies[status];
  return { status, contentType: 'text/plain; charset=utf-8', body };
}
