import { connect, type Socket } from 'node:net';
import type { CloseReason, Connection, ConnectionHandlers } from '../../../core/transport/index.js';
import { RawClient } from '../../core/server/raw-client.js';

/** A client's end of a TCP connection, as naive as can be: what arrives is kept in one buffer and cut at the lengths. */
export class TcpEnd implements Connection {
  readonly socket: Socket;
  readonly remoteAddress = 'server';
  readonly bufferedBytes = 0;
  /** The server has closed its direction, or the connection has broken. */
  readonly ended: Promise<void>;
  hasBroken = false;
  #buffer: Buffer = Buffer.alloc(65_536);
  #length = 0;
  #cutUpTo = 0;
  #handlers: ConnectionHandlers | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.ended = new Promise((resolve) => {
      socket.once('end', resolve);
      socket.once('close', () => resolve());
    });
    socket.setNoDelay(true);
    socket.on('error', () => (this.hasBroken = true));
    socket.on('data', (chunk: Buffer) => {
      const needed = this.#length + chunk.length;
      if (needed > this.#buffer.length)
        this.#buffer = Buffer.concat([this.received], Math.max(needed, 2 * this.#buffer.length));
      chunk.copy(this.#buffer, this.#length);
      this.#length = needed;
      this.#cut();
    });
    socket.on('close', () => this.#handlers?.closed({ code: 1006, text: 'closed' }));
  }

  static open(port: number): Promise<TcpEnd> {
    return TcpEnd.over(connect({ port, host: '127.0.0.1' }), 'connect');
  }

  /** Over a socket that tells by `ready` that it may be used. */
  static over(socket: Socket, ready: 'connect' | 'secureConnect'): Promise<TcpEnd> {
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once(ready, () => {
        socket.off('error', reject);
        resolve(new TcpEnd(socket));
      });
    });
  }

  /** Everything that has arrived. */
  get received(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  handle(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#cut();
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  close(_reason?: CloseReason): void {
    this.socket.end();
  }

  terminate(): void {
    this.socket.destroy();
  }

  #cut(): void {
    if (this.#handlers === null) return;
    while (this.received.length - this.#cutUpTo >= 4) {
      const end = this.#cutUpTo + 4 + this.received.readInt32BE(this.#cutUpTo);
      if (end > this.received.length) return;
      const packet = this.received.subarray(this.#cutUpTo, end);
      this.#cutUpTo = end;
      this.#handlers.message(packet);
    }
  }
}

/** A client that has said nothing yet. */
export async function dial(port: number): Promise<{ readonly client: RawClient; readonly tcp: TcpEnd }> {
  const tcp = await TcpEnd.open(port);
  return { client: new RawClient(tcp), tcp };
}

/** A client with a new session. */
export async function open(port: number, timeoutMs = 10_000): Promise<RawClient> {
  const { client } = await dial(port);
  await client.connect({ timeoutMs });
  return client;
}

/** What the server says to a four-letter word until it closes. */
export async function ask(port: number, word: string): Promise<string> {
  const tcp = await TcpEnd.open(port);
  tcp.socket.write(word);
  await tcp.ended;
  tcp.socket.destroy();
  return tcp.received.toString();
}
