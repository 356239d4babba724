import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { QuorateError } from '../../../core/runtime/index.js';
import type { AdmittedSocket } from '../../../core/transport/listener.js';
import { ConfigurationError, type ClientListener, type ListenerHost } from '../../../core/server/index.js';
import { letGo, TcpConnection } from '../framing/tcp-connection.js';
import { FourLetterWords, isFourLetterWord, parseWordList, WORD_BYTES } from './four-letter-words.js';
import { createSecureServer, identitiesOfCertificate, type ListenerTlsOptions } from './secure-server.js';

export interface ZooKeeperListenerOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Default: where the member listens. */
  readonly host?: string;
  /** With it only TLS is spoken at this port. */
  readonly tls?: ListenerTlsOptions;
  /**
   * Four-letter words that everybody may use: `*`, or `ruok,srvr,mntr`. Default: all of them from this machine, and `srvr` and
   * `isro` from elsewhere.
   */
  readonly fourLetterWords?: string;
}

/** Connections that the system may keep waiting until they are taken. */
const BACKLOG = 1_024;
const REFUSAL_LOG_INTERVAL_MS = 10_000;

/**
 * Takes ZooKeeper's own clients in over TCP. What a connection begins with tells what it is: a four-letter word, answered in
 * plain text, or the length of a connect request. The constructor throws `ConfigurationError`.
 */
export class ZooKeeperListener implements ClientListener {
  readonly #options: ZooKeeperListenerOptions;
  readonly #allowedWords: ReadonlySet<string> | null;
  readonly #server: Server;
  /** All that are open, under TLS the ones below it. */
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<TcpConnection>();
  /** By the remote address and port: under TLS a request comes from another object than the socket that was admitted. */
  readonly #admitted = new Map<string, AdmittedSocket>();
  #host: ListenerHost | null = null;
  #words: FourLetterWords | null = null;
  #refused = 0;
  #lastRefusalLogAt = Number.NEGATIVE_INFINITY;

  constructor(options: ZooKeeperListenerOptions) {
    this.#options = options;
    checkPort(options);
    this.#allowedWords = parseWordList(options.fourLetterWords);
    // A client may close its side before it reads the answer, as nc and zkServer.sh do.
    this.#server =
      options.tls === undefined ? createServer({ allowHalfOpen: true }) : createSecureServer(options.tls);
    this.#server.on('connection', (socket) => this.#admit(socket));
    if (options.tls !== undefined) {
      this.#server.on('secureConnection', (socket: TLSSocket) => this.#readFirstBytes(socket));
      this.#server.on('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy());
    }
  }

  listen(host: ListenerHost): Promise<string> {
    this.#host = host;
    const at = { host: this.#options.host ?? host.host, port: this.#options.port };
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void =>
        reject(
          new QuorateError(
            'LISTEN_FAILED',
            `Cannot listen for ZooKeeper's clients on ${at.host}:${at.port}: ${cause.message}.`,
            { fields: at, cause },
          ),
        );
      this.#server.once('error', fail);
      this.#server.listen({ ...at, backlog: BACKLOG }, () => {
        this.#server.off('error', fail);
        this.#server.on('error', (error) => host.logger.error('Listener failed', { error }));
        resolve(this.#listening(host));
      });
    });
  }

  stop(): void {
    if (this.#server.listening) this.#server.close();
  }

  async close(): Promise<void> {
    this.stop();
    for (const connection of this.#connections) connection.close();
    // Whoever is told to close and does not let go cuts itself off after a while.
    for (const connection of this.#connections) await connection.gone;
    for (const socket of this.#sockets) socket.destroy();
  }

  #listening(host: ListenerHost): string {
    const { address, port } = this.#server.address() as AddressInfo;
    const isSecure = this.#options.tls !== undefined;
    this.#words = new FourLetterWords({
      host,
      allowed: this.#allowedWords,
      clientPort: isSecure ? -1 : port,
      securePort: isSecure ? port : -1,
    });
    return `${isSecure ? 'zks' : 'zk'}://${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  #admit(socket: Socket): void {
    socket.on('error', () => undefined);
    const address = socket.remoteAddress ?? '';
    const admitted = this.#host!.sockets.admit(socket, address);
    if (admitted === null) return this.#refuse(address);
    const sender = senderOf(socket);
    this.#admitted.set(sender, admitted);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#admitted.get(sender) === admitted) this.#admitted.delete(sender);
    });
    if (this.#options.tls === undefined) this.#readFirstBytes(socket);
  }

  /** Who says nothing for as long as a handshake may take is sent away. */
  #readFirstBytes(socket: Socket): void {
    const { clock, options } = this.#host!;
    let head: Buffer = Buffer.alloc(0);
    const settle = (): void => {
      timer.cancel();
      socket.off('data', arrived);
      socket.off('end', ended);
      socket.off('close', settle);
    };
    const arrived = (chunk: Buffer): void => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < WORD_BYTES) return;
      socket.pause();
      settle();
      this.#begin(socket, head);
    };
    const ended = (): void => void socket.destroy();
    const timer = clock.setTimer(options.handshakeMs, ended);
    socket.on('error', () => undefined);
    socket.on('data', arrived);
    socket.on('end', ended);
    socket.on('close', settle);
    socket.resume();
  }

  #begin(socket: Socket, head: Buffer): void {
    const host = this.#host!;
    const word = head.toString('latin1', 0, WORD_BYTES);
    if (isFourLetterWord(word)) return void this.#answer(socket, word, host);
    const { maxPacketBytes } = host.options;
    const admitted = this.#admitted.get(senderOf(socket));
    const firstPacket = (): void => admitted?.proved();
    const connection = new TcpConnection(socket, { maxPacketBytes, clock: host.clock, head, firstPacket });
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
    host.accept(
      connection,
      this.#options.tls === undefined ? [] : identitiesOfCertificate(socket as TLSSocket),
    );
  }

  async #answer(socket: Socket, word: string, { clock, logger }: ListenerHost): Promise<void> {
    let answer = '';
    try {
      answer = await this.#words!.answer(word, socket.remoteAddress ?? '');
    } catch (error) {
      logger.error('Four-letter word not answered, by a fault of this member', { word, error });
    }
    socket.write(answer);
    letGo(socket, clock);
  }

  #refuse(limit: string): void {
    const { clock, logger } = this.#host!;
    this.#refused += 1;
    const now = clock.now();
    if (now - this.#lastRefusalLogAt < REFUSAL_LOG_INTERVAL_MS) return;
    this.#lastRefusalLogAt = now;
    logger.warn("Connections of ZooKeeper's clients refused: limit reached", {
      limit,
      refused: this.#refused,
    });
  }
}

function senderOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function checkPort({ port, tls }: ZooKeeperListenerOptions): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new ConfigurationError(
    tls === undefined ? 'zookeeperPort' : 'secureZookeeperPort',
    `${port} is not a port`,
    'Give a whole number from 0 to 65535.',
  );
}
