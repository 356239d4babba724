import type { WebSocket } from 'ws';
import { CloseCode, type CloseReason, type Connection, type ConnectionHandlers } from './connection.js';

const BINARY = { binary: true, compress: false } as const;
/** RFC 6455 §5.5: a control frame holds 125 bytes, two of them the code. */
const LONGEST_CLOSE_TEXT = 120;

/** A connection over a `WebSocket` of the ws package, for both ends in Node. */
export class WsConnection implements Connection {
  readonly remoteAddress: string;
  readonly #socket: WebSocket;
  #handlers: ConnectionHandlers | null = null;
  /** Arrived while nobody may be told; at most what one read of the socket holds. */
  #held: Uint8Array[] = [];
  #endedBy: CloseReason | null = null;
  #isPaused = false;
  #isOver = false;
  #isBackedUp = false;

  constructor(socket: WebSocket, remoteAddress: string) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    socket.binaryType = 'nodebuffer';
    socket.on('message', this.#arrived);
    socket.on('close', (code, text) => this.#ended({ code, text: text.toString() }));
    // ws closes the socket itself, with the close code that fits the violation; 'close' follows.
    socket.on('error', () => undefined);
    socket.pause();
  }

  get bufferedBytes(): number {
    return this.isOpen ? this.#socket.bufferedAmount : 0;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  handle(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    if (this.#endedBy !== null) this.#ended(this.#endedBy);
    else if (!this.#isPaused) this.resume();
  }

  send(message: Uint8Array): void {
    if (!this.isOpen) return;
    this.#socket.send(message, BINARY, this.#flushed);
    if (this.#socket.bufferedAmount > 0) this.#isBackedUp = true;
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#handlers === null) return;
    while (this.#held.length > 0 && !this.#isPaused && this.isOpen) {
      this.#handlers.message(this.#held.shift()!);
    }
    if (!this.#isPaused) this.#socket.resume();
  }

  close(reason: CloseReason = { code: CloseCode.normal, text: '' }): void {
    if (!this.isOpen) return;
    const text = Buffer.byteLength(reason.text) > LONGEST_CLOSE_TEXT ? '' : reason.text;
    // The other end's answer to the close frame has to be read, paused or not.
    this.#socket.resume();
    this.#socket.close(reason.code === CloseCode.abnormal ? CloseCode.goingAway : reason.code, text);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  readonly #arrived = (data: unknown, isBinary: boolean): void => {
    if (!this.isOpen) return;
    if (!isBinary) {
      this.close({ code: CloseCode.unsupportedData, text: 'messages must be binary' });
    } else if (this.#isPaused || this.#handlers === null || this.#held.length > 0) {
      this.#held.push(data as Uint8Array);
    } else {
      this.#handlers.message(data as Uint8Array);
    }
  };

  readonly #flushed = (): void => {
    if (!this.#isBackedUp || !this.isOpen || this.#socket.bufferedAmount > 0) return;
    this.#isBackedUp = false;
    this.#handlers?.drained?.();
  };

  #ended(reason: CloseReason): void {
    this.#endedBy = reason;
    if (this.#isOver || this.#handlers === null) return;
    this.#isOver = true;
    this.#held = [];
    this.#handlers.closed(reason);
  }
}
