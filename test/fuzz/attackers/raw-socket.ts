import { connect, type Socket } from 'node:net';

/** Longest that an attacker waits for the member to close the socket. */
const LINGER_MS = 50;

/** A TCP connection that sends whatever it is given, and keeps the first bytes of the answer. */
export class RawSocket {
  answer = Buffer.alloc(0);
  isClosed = false;
  readonly #socket: Socket;
  readonly #closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      if (this.answer.length < 4_096) this.answer = Buffer.concat([this.answer, bytes]);
    });
    socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) =>
      socket.once('close', () => {
        this.isClosed = true;
        resolve();
      }),
    );
  }

  static open(port: number): Promise<RawSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawSocket(socket)));
    });
  }

  send(bytes: Uint8Array): void {
    if (!this.isClosed) this.#socket.write(bytes);
  }

  /** Closes the socket in order or at once. */
  async close(isAbrupt: boolean): Promise<void> {
    if (isAbrupt) this.#socket.resetAndDestroy();
    else this.#socket.end();
    await this.#within(LINGER_MS);
    this.#socket.destroy();
  }

  /** Waits until the answer has `length` bytes, or the time is up. */
  async answered(length: number): Promise<void> {
    for (let waited = 0; waited < LINGER_MS && this.answer.length < length && !this.isClosed; waited += 2)
      await this.#within(2);
  }

  async #within(ms: number): Promise<void> {
    await Promise.race([this.#closed, new Promise((resolve) => setTimeout(resolve, ms))]);
  }
}
