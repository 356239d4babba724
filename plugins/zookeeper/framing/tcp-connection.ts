import type { Socket } from 'node:net';
import { FrameError, PacketSplitter } from '../../../core/protocol/index.js';
import type { Clock } from '../../../core/runtime/index.js';
import {
  certificateRefusal,
  CloseCode,
  SERVER_WITH_HTTP,
  SERVER_WITH_TLS,
  TLS_ALERT_TYPE,
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
} from '../../../core/transport/index.js';

/** A connection that has said all it had to say is cut off after this time if the other end does not let go. */
const LINGER_MS = 2_000;

export interface TcpConnectionOptions {
  /** Largest packet that is taken, without its length field. */
  readonly maxPacketBytes: number;
  readonly clock: Clock;
  /** Read from the socket already. */
  readonly head?: Uint8Array;
  /** Called when the first whole packet has come. */
  readonly firstPacket?: () => void;
}

/**
 * A connection over a TCP or TLS socket that was made with `allowHalfOpen`, for both ends. ZooKeeper's packets are cut out of the stream, so that a
 * message holds whole packets here as anywhere else. Bytes that are no packets end the connection, behind what was whole before them.
 */
export class TcpConnection implements Connection {
  readonly remoteAddress: string;
  /** Nothing of it is left in the system. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #splitter: PacketSplitter;
  #firstPacket: (() => void) | undefined;
  #handlers: ConnectionHandlers | null = null;
  /** Arrived while nobody may be told; at most what one read of the socket holds. */
  #held: Uint8Array[] = [];
  /** The other end sends nothing more; told once what it has sent has been delivered. */
  #hasHeardAll = false;
  #reason: CloseReason | null = null;
  #isGone = false;
  #isOpen = true;
  #isPaused = false;
  #isOver = false;
  #isBackedUp = false;

  constructor(socket: Socket, { maxPacketBytes, clock, head, firstPacket }: TcpConnectionOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#firstPacket = firstPacket;
    this.#splitter = new PacketSplitter(maxPacketBytes);
    this.remoteAddress = addressOf(socket);
    this.gone = new Promise((resolve) => {
      if (socket.destroyed) resolve();
      else socket.once('close', () => resolve());
    });
    socket.setNoDelay(true);
    socket.on('data', this.#arrived);
    socket.on('end', this.#heardAll);
    socket.on('error', this.#failed);
    socket.on('close', this.#ended);
    socket.pause();
    if (head !== undefined && head.length > 0) this.#arrived(head);
    if (socket.destroyed) this.#ended();
  }

  get bufferedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  handle(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    if (!this.#isPaused) this.resume();
    this.#tellEnd();
  }

  send(message: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#socket.write(message, this.#flushed);
    if (this.#socket.writableLength > 0) this.#isBackedUp = true;
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#handlers === null) return;
    while (this.#held.length > 0 && !this.#isPaused && this.#isOpen) {
      this.#handlers.message(this.#held.shift()!);
    }
    this.#tellHeardAll();
    if (!this.#isPaused) this.#socket.resume();
  }

  close(reason: CloseReason = { code: CloseCode.normal, text: '' }): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#reason = reason;
    this.#held = [];
    if (reason.isLastWord === true && this.#hasNothingUnderWay()) this.#socket.destroy();
    else letGo(this.#socket, this.#clock);
  }

  terminate(): void {
    this.#isOpen = false;
    this.#reason ??= { code: CloseCode.abnormal, text: '' };
    this.#held = [];
    this.#socket.destroy();
  }

  /**
   * The system has taken every byte that was written, and nothing that has arrived was left unread: it delivers them behind a
   * socket that is closed at once, which costs half of what lingering does. Under TLS some may be left to encrypt.
   */
  #hasNothingUnderWay(): boolean {
    return this.#socket.writableLength === 0 && !this.#isPaused && !('encrypted' in this.#socket);
  }

  readonly #arrived = (chunk: Uint8Array): void => {
    if (!this.#isOpen) return;
    try {
      this.#splitter.push(chunk, this.#deliver);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const code = error.reason === 'oversize' ? CloseCode.messageTooBig : CloseCode.protocolError;
      this.close({ code, text: otherProtocol(chunk) ?? error.message });
    }
  };

  readonly #deliver = (message: Uint8Array): void => {
    if (!this.#isOpen) return;
    this.#firstPacket?.();
    this.#firstPacket = undefined;
    if (this.#isPaused || this.#handlers === null || this.#held.length > 0) this.#held.push(message);
    else this.#handlers.message(message);
  };

  readonly #heardAll = (): void => {
    this.#hasHeardAll = true;
    this.#tellHeardAll();
  };

  #tellHeardAll(): void {
    if (!this.#hasHeardAll || this.#held.length > 0 || this.#handlers === null || !this.#isOpen) return;
    this.#hasHeardAll = false;
    if (this.#handlers.ended !== undefined) this.#handlers.ended();
    else this.close({ code: CloseCode.normal, text: 'the other end has closed' });
  }

  readonly #flushed = (): void => {
    if (!this.#isBackedUp || !this.#isOpen || this.#socket.writableLength > 0) return;
    this.#isBackedUp = false;
    this.#handlers?.drained?.();
  };

  readonly #failed = (error: Error): void => {
    this.#reason ??= { code: CloseCode.abnormal, text: certificateRefusal(error) ?? error.message };
  };

  readonly #ended = (): void => {
    this.#isGone = true;
    this.#isOpen = false;
    this.#tellEnd();
  };

  #tellEnd(): void {
    if (!this.#isGone || this.#isOver || this.#handlers === null) return;
    this.#isOver = true;
    this.#held = [];
    this.#handlers.closed(this.#reason ?? { code: CloseCode.abnormal, text: 'connection lost' });
  }
}

/** What the other end speaks instead of ZooKeeper's protocol; null if nothing shows it. As lengths of packets these would be 350 MB and 1.2 GB. */
function otherProtocol(chunk: Uint8Array): string | null {
  if (chunk[0] === TLS_ALERT_TYPE && chunk[1] === 3) return SERVER_WITH_TLS;
  const head = Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, 12)).toString('latin1');
  if (head === 'HTTP/1.1 426') return SERVER_WITH_TLS;
  return head.startsWith('HTTP/') ? SERVER_WITH_HTTP : null;
}

/**
 * Closes a socket behind what was written to it. What still arrives is read and dropped: a socket that is closed with unread
 * bytes takes the last reply with it. The other end has some time to close its side.
 */
export function letGo(socket: Socket, clock: Clock): void {
  const linger = clock.setTimer(LINGER_MS, () => socket.destroy(), { hold: true });
  socket.once('close', () => linger.cancel());
  socket.once('end', () => socket.destroySoon());
  socket.end();
  socket.resume();
  if (socket.readableEnded) socket.destroySoon();
}

/** An IPv4 peer of a dual-stack socket is written as the IPv4 address it has. */
function addressOf({ remoteAddress = 'unknown', remotePort = 0 }: Socket): string {
  const host = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice('::ffff:'.length) : remoteAddress;
  return host.includes(':') ? `[${host}]:${remotePort}` : `${host}:${remotePort}`;
}
