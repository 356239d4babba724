import {
  CloseCode,
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
  type Dialer,
} from '../../../core/transport/index.js';
import { QuorateError } from '../../../core/runtime/index.js';

/** Where the planned break happens: before the n-th message leaves, or before the first answer after it comes in. */
export type Break = { readonly at: 'request' | 'reply'; readonly message: number };

const BROKEN: CloseReason = { code: CloseCode.abnormal, text: 'broken by the test' };

/** A dialer whose connections break when a test says so. Counts what it carries. */
export class FaultyDialer implements Dialer {
  readonly #inner: Dialer;
  readonly #open = new Set<FaultyConnection>();
  #isCutOff = false;
  #plan: Break | null = null;
  /** Messages sent since the plan was made. */
  #sent = 0;
  sentMessages = 0;
  receivedMessages = 0;
  /** Whether the planned break has happened. */
  hasBroken = false;

  constructor(inner: Dialer) {
    this.#inner = inner;
  }

  async dial(address: string, options: { readonly signal: AbortSignal }): Promise<Connection> {
    if (this.#isCutOff) throw new QuorateError('CONNECT_FAILED', `Cannot connect to ${address}: cut off.`);
    const connection = new FaultyConnection(await this.#inner.dial(address, options), this);
    this.#open.add(connection);
    return connection;
  }

  plan(plan: Break): void {
    this.#plan = plan;
    this.#sent = 0;
    this.hasBroken = false;
  }

  /** Breaks what is open; the client may dial again. */
  loseConnection(): void {
    for (const connection of this.#open) connection.break();
  }

  /** Nothing gets through until `rejoin`. */
  cutOff(): void {
    this.#isCutOff = true;
    this.loseConnection();
  }

  rejoin(): void {
    this.#isCutOff = false;
  }

  /** Whether the message may leave. */
  maySend(): boolean {
    this.sentMessages++;
    this.#sent++;
    return !this.#happens('request');
  }

  /** Whether the message may come in. */
  mayReceive(): boolean {
    this.receivedMessages++;
    return !this.#happens('reply');
  }

  forget(connection: FaultyConnection): void {
    this.#open.delete(connection);
  }

  #happens(at: Break['at']): boolean {
    const plan = this.#plan;
    if (plan === null || plan.at !== at || this.#sent < plan.message) return false;
    this.#plan = null;
    this.hasBroken = true;
    return true;
  }
}

class FaultyConnection implements Connection {
  readonly #inner: Connection;
  readonly #dialer: FaultyDialer;
  #handlers: ConnectionHandlers | null = null;
  #isBroken = false;

  constructor(inner: Connection, dialer: FaultyDialer) {
    this.#inner = inner;
    this.#dialer = dialer;
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  get isOpen(): boolean {
    return !this.#isBroken && this.#inner.isOpen;
  }

  handle(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#inner.handle({
      message: (bytes) => {
        if (this.#isBroken) return;
        if (this.#dialer.mayReceive()) handlers.message(bytes);
        else this.break();
      },
      closed: (reason) => this.#end(reason),
      drained: () => handlers.drained?.(),
    });
  }

  send(message: Uint8Array): void {
    if (this.#isBroken) return;
    if (this.#dialer.maySend()) this.#inner.send(message);
    // A connection does not break within `send`.
    else queueMicrotask(() => this.break());
  }

  break(): void {
    if (this.#isBroken) return;
    this.#inner.terminate();
    this.#end(BROKEN);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(reason?: CloseReason): void {
    this.#inner.close(reason);
  }

  terminate(): void {
    this.#inner.terminate();
  }

  #end(reason: CloseReason): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#dialer.forget(this);
    this.#handlers?.closed(reason);
  }
}
