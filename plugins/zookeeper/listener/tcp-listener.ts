import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ClientListener, ListenerHost } from '../../../core/server/index.js';
import { QuorateError, type Timer } from '../../../core/runtime/index.js';
import { TcpConnection } from '../framing/tcp-connection.js';
import { isFourLetterWord, WORD_BYTES } from './four-letter-words.js';
import { FourLetterService } from './four-letter-service.js';

export interface ZooKeeperListenerOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Default: where the member listens. */
  readonly host?: string;
}

/** Connections that the system may keep waiting until they are taken. */
const BACKLOG = 1_024;
const REFUSAL_LOG_INTERVAL_MS = 10_000;

/**
 * Takes ZooKeeper's own clients in over TCP. What a connection begins with tells what it is: a four-letter word, answered in
 * plain text, or the length of a connect request.
 */
export class ZooKeeperListener implements ClientListener {
  readonly #options: ZooKeeperListenerOptions;
  readonly #server: Server;
  /** All that are open, with who has them once it is known. */
  readonly #sockets = new Map<Socket, TcpConnection | null>();
  readonly #perAddress = new Map<string, number>();
  #host: ListenerHost | null = null;
  #refused = 0;
  #lastRefusalLogAt = Number.NEGATIVE_INFINITY;

  constructor(options: ZooKeeperListenerOptions) {
    this.#options = options;
    // A client may close its side before it reads the answer, as nc and zkServer.sh do.
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    this.#server.on('connection', (socket) => this.#admit(socket, this.#host!));
    this.#server.on('drop', () => this.#refuse('total'));
  }

  listen(host: ListenerHost): Promise<string> {
    this.#host = host;
    this.#server.maxConnections = host.maxConnections;
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
        const { address, port } = this.#server.address() as AddressInfo;
        resolve(`zk://${address.includes(':') ? `[${address}]` : address}:${port}`);
      });
    });
  }

  stop(): void {
    if (this.#server.listening) this.#server.close();
  }

  close(): Promise<void> {
    this.stop();
    for (const [socket, connection] of this.#sockets) {
      if (connection === null) socket.destroy();
      else connection.close();
    }
    return this.#ended();
  }

  /** A connection that is told to close and does not let go is cut off by itself after a while. */
  async #ended(): Promise<void> {
    while (this.#sockets.size > 0) {
      const [socket] = this.#sockets.keys();
      await new Promise<void>((resolve) => socket!.once('close', () => resolve()));
    }
  }

  #admit(socket: Socket, host: ListenerHost): void {
    socket.on('error', () => undefined);
    const address = socket.remoteAddress ?? '';
    const count = (this.#perAddress.get(address) ?? 0) + 1;
    if (count > host.maxConnectionsPerAddress) {
      socket.destroy();
      return this.#refuse(address);
    }
    this.#perAddress.set(address, count);
    this.#sockets.set(socket, null);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = this.#perAddress.get(address)! - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
    this.#readFirstBytes(socket, host);
  }

  /** Who says nothing for as long as a handshake may take is sent away. */
  #readFirstBytes(socket: Socket, host: ListenerHost): void {
    let head: Buffer = Buffer.alloc(0);
    const timer: Timer = host.clock.setTimer(host.options.handshakeMs, () => socket.destroy());
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
      this.#begin(socket, head, host);
    };
    const ended = (): void => void socket.destroy();
    socket.on('data', arrived);
    socket.on('end', ended);
    socket.on('close', settle);
    socket.resume();
  }

  #begin(socket: Socket, head: Buffer, host: ListenerHost): void {
    const word = head.toString('latin1', 0, WORD_BYTES);
    if (isFourLetterWord(word)) {
      const answer = new FourLetterService(host).answer(word);
      socket.resume();
      socket.end(answer, () => socket.destroySoon());
      return;
    }
    const { maxPacketBytes } = host.options;
    const connection = new TcpConnection(socket, { maxPacketBytes, clock: host.clock, head });
    this.#sockets.set(socket, connection);
    host.accept(connection);
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
