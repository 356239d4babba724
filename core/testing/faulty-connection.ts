import { readReplyHeader, splitPackets, type JuteReader } from '../protocol/index.js';
import { CloseCode, type CloseReason, type Connection, type ConnectionHandlers } from '../transport/index.js';
import { readSeenRequest, type SeenRequest } from './request-pattern.js';

/** Larger than anything that either side sends. */
const MAX_PACKET_BYTES = 128 * 1024 * 1024;
const PACKET_LENGTH_BYTES = 4;
const BROKEN: CloseReason = { code: CloseCode.abnormal, text: 'broken by the test' };

/** Decides what gets through. */
export interface Traffic {
  /** Asked for each request about to leave; false breaks the connection in front of it. */
  mayLeave(request: SeenRequest): boolean;
  /** Asked for each reply that has come; false breaks the connection in front of it. */
  mayArrive(request: SeenRequest): boolean;
  ended(connection: FaultyConnection): void;
}

/**
 * A client's end of a connection that breaks, or stands still, when a test says so. It reads along: whole
 * packets get through or not, in order, so that a break falls exactly between two of them.
 */
export class FaultyConnection implements Connection {
  readonly #inner: Connection;
  readonly #traffic: Traffic;
  /** Sent and not answered yet, by xid. */
  readonly #unanswered = new Map<number, SeenRequest>();
  /** What waits while the line stands still, in either direction. */
  #held: (() => void)[] | null = null;
  #handlers: ConnectionHandlers | null = null;
  #hasGreeted = false;
  #isGreeted = false;
  /** It is about to break. */
  #isDoomed = false;
  #isOver = false;

  constructor(inner: Connection, traffic: Traffic) {
    this.#inner = inner;
    this.#traffic = traffic;
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#inner.isOpen;
  }

  handle(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#inner.handle({
      message: (bytes) => this.#pass(() => this.#receive(bytes)),
      closed: (reason) => this.#pass(() => this.#end(reason)),
      drained: () => handlers.drained?.(),
    });
  }

  send(message: Uint8Array): void {
    this.#pass(() => this.#send(message));
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(reason?: CloseReason): void {
    this.#pass(() => this.#inner.close(reason));
  }

  terminate(): void {
    this.#inner.terminate();
  }

  /** Breaks it for both ends, at once. */
  break(): void {
    if (this.#isOver) return;
    this.#inner.terminate();
    this.#end(BROKEN);
  }

  /** Nothing gets through in either direction, and nobody is told. */
  hold(): void {
    this.#held ??= [];
  }

  /** What waited gets through, in order. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const act of held) act();
  }

  #pass(act: () => void): void {
    if (this.#held === null) act();
    else this.#held.push(act);
  }

  #send(message: Uint8Array): void {
    if (this.#isOver || this.#isDoomed) return;
    let passed = 0;
    for (const packet of splitPackets(message, MAX_PACKET_BYTES)) {
      const bytes = PACKET_LENGTH_BYTES + packet.remaining;
      if (!this.#leaves(packet)) {
        if (passed > 0) this.#inner.send(message.subarray(0, passed));
        this.#isDoomed = true;
        // A connection never breaks within `send`, which the client does not expect.
        queueMicrotask(() => this.break());
        return;
      }
      passed += bytes;
    }
    this.#inner.send(message);
  }

  #leaves(packet: JuteReader): boolean {
    const isGreeting = !this.#hasGreeted;
    this.#hasGreeted = true;
    const request = isGreeting ? null : readSeenRequest(packet);
    if (request === null) return true;
    if (!this.#traffic.mayLeave(request)) return false;
    this.#unanswered.set(request.xid, request);
    return true;
  }

  #receive(message: Uint8Array): void {
    if (this.#isOver || this.#isDoomed) return;
    let passed = 0;
    for (const packet of splitPackets(message, MAX_PACKET_BYTES)) {
      const bytes = PACKET_LENGTH_BYTES + packet.remaining;
      if (!this.#arrives(packet)) {
        if (passed > 0) this.#handlers!.message(message.subarray(0, passed));
        this.break();
        return;
      }
      passed += bytes;
    }
    this.#handlers!.message(message);
  }

  #arrives(packet: JuteReader): boolean {
    if (!this.#isGreeted) {
      this.#isGreeted = true;
      return true;
    }
    const { xid } = readReplyHeader(packet);
    const request = this.#unanswered.get(xid);
    this.#unanswered.delete(xid);
    return request === undefined || this.#traffic.mayArrive(request);
  }

  #end(reason: CloseReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#held = null;
    this.#traffic.ended(this);
    this.#handlers?.closed(reason);
  }
}
