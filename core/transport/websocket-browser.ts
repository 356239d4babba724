import { QuorateError, SystemClock } from '../runtime/index.js';
import { CloseCode, type CloseReason, type Connection, type ConnectionHandlers } from './connection.js';
import type { WebSocketOptions } from './websocket-dialer.js';

/** What this file needs of the platform's WebSocket; named here so that it builds without the DOM's types. */
interface PlatformWebSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  binaryType: string;
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  send(data: Uint8Array): void;
  close(code?: number, text?: string): void;
}
type PlatformWebSocketClass = new (url: string, subprotocols: string[]) => PlatformWebSocket;

const OPEN = 1;
/** The platform tells nobody when its buffer has drained, so it is asked. */
const DRAIN_POLL_MS = 20;
const clock = new SystemClock();

/** Opens a WebSocket in a browser. Rejects with a `QuorateError` of code `CONNECT_FAILED`. */
export function openWebSocket(url: URL, options: WebSocketOptions, signal: AbortSignal): Promise<Connection> {
  if (options.tls !== undefined) {
    const what = `Cannot connect to ${url.href}: a browser takes its certificates from nobody; leave out tls.`;
    return Promise.reject(new QuorateError('CONNECT_FAILED', what, { fields: { address: url.href } }));
  }
  return new Promise((resolve, reject) => {
    const Platform = (globalThis as unknown as { readonly WebSocket: PlatformWebSocketClass }).WebSocket;
    const socket = new Platform(url.href, [options.subprotocol]);
    socket.binaryType = 'arraybuffer';
    const settle = (): void => {
      signal.removeEventListener('abort', abort);
      socket.onopen = socket.onclose = null;
      // An error is always followed by the close that tells of it.
      socket.onerror = () => undefined;
    };
    const fail = (why: string, cause?: unknown): void => {
      settle();
      reject(
        new QuorateError('CONNECT_FAILED', `Cannot connect to ${url.href}: ${why}.`, {
          fields: { address: url.href },
          cause,
        }),
      );
    };
    const abort = (): void => {
      fail('the attempt was given up', signal.reason);
      socket.close();
    };
    socket.onerror = () => fail('the browser refused or lost the connection');
    socket.onclose = (event) => fail(`closed with code ${event.code}`);
    socket.onopen = () => {
      settle();
      resolve(new BrowserConnection(socket, url.host, options.maxMessageBytes));
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/**
 * A connection over the platform's WebSocket. It offers no way to stop the other end: while paused,
 * messages are kept, up to `maxHeldBytes`, beyond which the connection is given up.
 */
class BrowserConnection implements Connection {
  readonly remoteAddress: string;
  readonly #socket: PlatformWebSocket;
  readonly #maxHeldBytes: number;
  #handlers: ConnectionHandlers | null = null;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #endedBy: CloseReason | null = null;
  #isPaused = false;
  #isOver = false;
  #isWatchingDrain = false;

  constructor(socket: PlatformWebSocket, remoteAddress: string, maxMessageBytes: number) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    this.#maxHeldBytes = 4 * maxMessageBytes;
    socket.onmessage = (event) => this.#arrived(event.data);
    socket.onclose = (event) => this.#ended({ code: event.code, text: event.reason });
  }

  get bufferedBytes(): number {
    return this.isOpen ? this.#socket.bufferedAmount : 0;
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#socket.readyState === OPEN;
  }

  handle(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    if (this.#endedBy !== null) this.#ended(this.#endedBy);
    else if (!this.#isPaused) this.resume();
  }

  send(message: Uint8Array): void {
    if (!this.isOpen) return;
    this.#socket.send(message);
    this.#watchDrain();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (this.#handlers !== null && this.#held.length > 0 && !this.#isPaused && this.isOpen) {
      const message = this.#held.shift()!;
      this.#heldBytes -= message.length;
      this.#handlers.message(message);
    }
  }

  close(reason: CloseReason = { code: CloseCode.normal, text: '' }): void {
    if (!this.isOpen) return;
    // A page may only use 1000 and 3000 to 4999.
    const mayBeSent = reason.code === CloseCode.normal || reason.code >= 3000;
    this.#socket.close(mayBeSent ? reason.code : CloseCode.normal, reason.text.slice(0, 40));
  }

  /** The platform has no abrupt end: the closing handshake goes on in the background, unheard. */
  terminate(): void {
    if (this.#isOver) return;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    queueMicrotask(() => this.#ended({ code: CloseCode.abnormal, text: '' }));
  }

  #arrived(data: unknown): void {
    if (!this.isOpen) return;
    if (!(data instanceof ArrayBuffer)) {
      this.#socket.close();
      return;
    }
    const message = new Uint8Array(data);
    if (this.#handlers !== null && !this.#isPaused && this.#held.length === 0) {
      this.#handlers.message(message);
      return;
    }
    this.#held.push(message);
    this.#heldBytes += message.length;
    if (this.#heldBytes > this.#maxHeldBytes) this.terminate();
  }

  #watchDrain(): void {
    if (this.#isWatchingDrain || this.#handlers?.drained === undefined) return;
    if (this.#socket.bufferedAmount === 0) return;
    this.#isWatchingDrain = true;
    const look = (): void => {
      if (this.isOpen && this.#socket.bufferedAmount > 0) {
        clock.setTimer(DRAIN_POLL_MS, look);
        return;
      }
      this.#isWatchingDrain = false;
      if (this.isOpen) this.#handlers?.drained?.();
    };
    clock.setTimer(DRAIN_POLL_MS, look);
  }

  #ended(reason: CloseReason): void {
    this.#endedBy = reason;
    if (this.#isOver || this.#handlers === null) return;
    this.#isOver = true;
    this.#held = [];
    this.#handlers.closed(reason);
  }
}
