import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { checkOptions, type OptionNames, type Timer } from '../../../core/runtime/index.js';
import { MISDIRECTED_STATUS, TLS_HANDSHAKE_TYPE } from '../../../core/transport/index.js';
import {
  certificateOf,
  LimitedLog,
  listenError,
  TlsGate,
  type AdmittedSocket,
  type PeerCertificate,
} from '../../../core/transport/listener.js';
import {
  ConfigurationError,
  identitiesOfCertificate,
  type ClientListener,
  type ListenerHost,
} from '../../../core/server/index.js';
import { letGo, TcpConnection } from '../framing/tcp-connection.js';
import { FourLetterWords, isFourLetterWord, parseWordList, WORD_BYTES } from './four-letter-words.js';
import { checkTls, portTls, type ListenerTlsOptions } from './listener-tls.js';

export interface ZooKeeperListenerOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Default: where the member listens. */
  readonly host?: string;
  /** With it only TLS is spoken at this port; `member`: with the certificates of the member, also after these were renewed. */
  readonly tls?: ListenerTlsOptions | 'member';
  /**
   * Four-letter words that everybody may use: `*`, or `ruok,srvr,mntr`. Default: all of them from this machine, and `srvr` and
   * `isro` from elsewhere.
   */
  readonly fourLetterWords?: string;
}

const LISTENER_OPTIONS: OptionNames<ZooKeeperListenerOptions> = {
  port: true,
  host: true,
  tls: true,
  fourLetterWords: true,
};

/** Connections that the system may keep waiting until they are taken. */
const BACKLOG = 1_024;
const NO_CERTIFICATE: PeerCertificate = { certificate: null, problem: null };
/** What a sender gets that begins a TLS handshake at a port without TLS: it notices by bytes that are no TLS. */
const NO_TLS = 'This port does not speak TLS.\n';
/** How requests of HTTP begin, those of WebSockets too. */
const HTTP_METHODS: ReadonlySet<string> = new Set(['GET ', 'HEAD', 'POST', 'PUT ', 'OPTI']);
const NO_HTTP =
  "This port speaks ZooKeeper's protocol: use zk://. WebSockets and /readyz are at the member's --port.\n";
/** A TLS alert, fatal, "protocol version": what a sender without TLS gets. */
const TLS_REQUIRED = Buffer.of(0x15, 3, 3, 0, 2, 2, 70);

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
  /** By what is read from them: under TLS another object than the socket that was admitted. */
  readonly #admitted = new WeakMap<Socket, AdmittedSocket>();
  /** Of sockets under TLS. */
  readonly #deadlines = new WeakMap<Socket, Timer>();
  #host: ListenerHost | null = null;
  #gate: TlsGate | null = null;
  #log: LimitedLog | null = null;
  #words: FourLetterWords | null = null;

  constructor(options: ZooKeeperListenerOptions) {
    checkOptions('ZooKeeperListener', options, LISTENER_OPTIONS);
    this.#options = options;
    checkPort(options);
    checkTls(options.tls);
    this.#allowedWords = parseWordList(options.fourLetterWords);
    // A client may close its side before it reads the answer, as nc and zkServer.sh do.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#admit(socket));
  }

  async listen(host: ListenerHost): Promise<string> {
    this.#host = host;
    this.#log = new LimitedLog(host.clock, host.logger);
    this.#gate = this.#tlsGate(host);
    const at = { host: this.#options.host ?? host.host, port: this.#options.port };
    return new Promise((resolve, reject) => {
      const flag = this.#options.tls === undefined ? '--zookeeper-port' : '--secure-zookeeper-port';
      const fail = (cause: Error): void =>
        reject(listenError(at, cause, { forWhom: " for ZooKeeper's clients", flag }));
      this.#server.once('error', fail);
      this.#server.listen({ ...at, backlog: BACKLOG }, () => {
        this.#server.off('error', fail);
        this.#server.on('error', (error) => host.logger.error('Listener failed', { error }));
        resolve(this.#listening(host));
      });
    });
  }

  stop(): void {
    this.#gate?.close();
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
    if (host.tls !== null && !isSecure)
      host.logger.warn('The ZooKeeper port has no TLS, though the member has certificates', { port });
    this.#words = new FourLetterWords({
      host,
      allowed: this.#allowedWords,
      clientPort: isSecure ? -1 : port,
      securePort: isSecure ? port : -1,
    });
    return `${isSecure ? 'zks' : 'zk'}://${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  #tlsGate(host: ListenerHost): TlsGate | null {
    const port = portTls(this.#options.tls, host);
    if (port === null) return null;
    return new TlsGate({
      ...port,
      secured: (socket, raw) => this.#secured(socket, raw),
      plain: (socket) => {
        this.#log!.warn("Connections of ZooKeeper's clients without TLS refused", {
          remote: socket.remoteAddress,
        });
        socket.write(TLS_REQUIRED);
        letGo(socket, host.clock);
      },
      failed: (remote, problem) =>
        this.#log!.warn("TLS handshakes with ZooKeeper's clients failed", { remote, problem }),
    });
  }

  #admit(socket: Socket): void {
    socket.on('error', () => undefined);
    const address = socket.remoteAddress ?? '';
    const admitted = this.#host!.sockets.admit(socket, address);
    if (admitted === null)
      return this.#log!.warn("Connections of ZooKeeper's clients refused: limit reached", { limit: address });
    this.#admitted.set(socket, admitted);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#gate === null) return this.#readFirstBytes(socket);
    const { clock, options } = this.#host!;
    const deadline = clock.setTimer(options.handshakeMs, () => socket.destroy());
    this.#deadlines.set(socket, deadline);
    socket.once('close', () => deadline.cancel());
    this.#gate.take(socket);
  }

  #secured(socket: TLSSocket, raw: Socket): void {
    this.#admitted.set(socket, this.#admitted.get(raw)!);
    const { problem } = certificateOf(socket);
    if (problem === null) return this.#readFirstBytes(socket, this.#deadlines.get(raw));
    this.#log!.warn("Certificates of ZooKeeper's clients refused", { remote: raw.remoteAddress, problem });
    socket.destroy();
  }

  /** Who says nothing for as long as a handshake may take is sent away. `begun`: that time began before, with the TLS handshake. */
  #readFirstBytes(socket: Socket, begun?: Timer): void {
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
    const timer = begun ?? clock.setTimer(options.handshakeMs, ended);
    socket.on('error', () => undefined);
    socket.on('data', arrived);
    socket.on('end', ended);
    socket.on('close', settle);
    socket.resume();
  }

  #begin(socket: Socket, head: Buffer): void {
    const host = this.#host!;
    if (head[0] === TLS_HANDSHAKE_TYPE) {
      socket.write(NO_TLS);
      return letGo(socket, host.clock);
    }
    const word = head.toString('latin1', 0, WORD_BYTES);
    if (isFourLetterWord(word)) return void this.#answer(socket, word, host);
    if (HTTP_METHODS.has(word)) return this.#refuseHttp(socket, host);
    const { maxPacketBytes } = host.options;
    const admitted = this.#admitted.get(socket);
    const firstPacket = (): void => admitted?.proved();
    const connection = new TcpConnection(socket, { maxPacketBytes, clock: host.clock, head, firstPacket });
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
    const { certificate } = socket instanceof TLSSocket ? certificateOf(socket) : NO_CERTIFICATE;
    host.accept(connection, identitiesOfCertificate(certificate));
  }

  /** Whoever speaks HTTP or WebSocket here is told so in its own words. */
  #refuseHttp(socket: Socket, { clock }: ListenerHost): void {
    this.#log!.warn("Requests of HTTP refused: this port speaks ZooKeeper's protocol", {
      remote: socket.remoteAddress,
    });
    const headers = `Connection: close\r\nContent-Type: text/plain\r\nContent-Length: ${NO_HTTP.length}\r\n`;
    socket.write(`HTTP/1.1 ${MISDIRECTED_STATUS}\r\n${headers}\r\n${NO_HTTP}`);
    letGo(socket, clock);
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
}

function checkPort({ port, tls }: ZooKeeperListenerOptions): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new ConfigurationError(
    tls === undefined ? 'zookeeperPort' : 'secureZookeeperPort',
    `${port} is not a port`,
    'Give a whole number from 0 to 65535.',
  );
}
