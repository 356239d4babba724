import { QuorateError, type Clock } from '../runtime/index.js';
import {
  CloseCode,
  type CloseReason,
  type Connection,
  type ConnectionHandlers,
  type Dialer,
} from './connection.js';

export interface MemoryNetworkOptions {
  /** Milliseconds that a message from one address to another is under way; may differ per call, order is kept. Default: none. */
  readonly latencyMs?: (from: string, to: string) => number;
}

/** Takes the connections that are made to an address. */
export interface MemoryListener {
  readonly address: string;
  /** New dials fail from now on; connections that exist stay. Idempotent. */
  close(): void;
}

/**
 * A network inside one process. Whatever happens at one end reaches the other in a later turn of the clock,
 * so that no handler is ever entered from within another; with a virtual clock all of it is reproducible.
 */
export class MemoryNetwork implements Dialer {
  readonly #clock: Clock;
  readonly #latencyMs: (from: string, to: string) => number;
  readonly #listeners = new Map<string, (connection: Connection) => void>();

  constructor(clock: Clock, options: MemoryNetworkOptions = {}) {
    this.#clock = clock;
    this.#latencyMs = options.latencyMs ?? (() => 0);
  }

  /** Throws a `QuorateError` of code `ADDRESS_IN_USE` if somebody listens there already. */
  listen(address: string, accept: (connection: Connection) => void): MemoryListener {
    if (this.#listeners.has(address)) {
      throw new QuorateError(
        'ADDRESS_IN_USE',
        `Cannot listen at ${address}: there is a listener already. Close it first, or choose another address.`,
        { fields: { address } },
      );
    }
    this.#listeners.set(address, accept);
    return {
      address,
      close: () => {
        if (this.#listeners.get(address) === accept) this.#listeners.delete(address);
      },
    };
  }

  /** Dials as an anonymous process; see `dialer` for one with an address of its own. */
  dial(address: string, options: { readonly signal: AbortSignal }): Promise<Connection> {
    return this.#dial('memory', address, options.signal);
  }

  /** A dialer whose connections come from `from`. */
  dialer(from: string): Dialer {
    return { dial: (address, options) => this.#dial(from, address, options.signal) };
  }

  #dial(from: string, address: string, signal: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      this.#after(this.#latencyMs(from, address), () => {
        const accept = this.#listeners.get(address);
        if (signal.aborted || accept === undefined) {
          const why = signal.aborted ? 'the attempt was given up' : 'nobody listens there';
          reject(
            new QuorateError('CONNECT_FAILED', `Cannot connect to ${address}: ${why}.`, {
              fields: { address },
              cause: signal.aborted ? signal.reason : undefined,
            }),
          );
          return;
        }
        const near = new MemoryConnection(this.#clock, address, () => this.#latencyMs(from, address));
        const far = new MemoryConnection(this.#clock, from, () => this.#latencyMs(address, from));
        near.peer = far;
        far.peer = near;
        accept(far);
        resolve(near);
      });
    });
  }

  #after(delayMs: number, task: () => void): void {
    if (delayMs > 0) this.#clock.setTimer(delayMs, task, { hold: true });
    else this.#clock.soon(task);
  }
}

/** Something on its way to a connection: a message, or the end. */
interface Parcel {
  readonly bytes: Uint8Array | null;
  readonly end: CloseReason | null;
  readonly dueAt: number;
}

/** One end. What is sent lands in the other end's inbox and is delivered from there, in order. */
class MemoryConnection implements Connection {
  readonly remoteAddress: string;
  readonly #clock: Clock;
  readonly #latencyMs: () => number;
  /** The other end; set once, right after both have been made. */
  peer!: MemoryConnection;
  #handlers: ConnectionHandlers | null = null;
  #inbox: Parcel[] = [];
  #inboxBytes = 0;
  #isOpen = true;
  #isPaused = false;
  #isOver = false;
  #isScheduled = false;

  constructor(clock: Clock, remoteAddress: string, latencyMs: () => number) {
    this.#clock = clock;
    this.remoteAddress = remoteAddress;
    this.#latencyMs = latencyMs;
  }

  get bufferedBytes(): number {
    return this.#isOpen ? this.peer.#inboxBytes : 0;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  handle(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#schedule();
  }

  send(message: Uint8Array): void {
    if (this.#isOpen) this.peer.#receive(message, null, this.#latencyMs());
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  close(reason: CloseReason = { code: CloseCode.normal, text: '' }): void {
    if (!this.#isOpen) return;
    this.peer.#receive(null, reason, this.#latencyMs());
    this.#endAtOnce(reason);
  }

  terminate(): void {
    if (this.#isOver) return;
    const reason = { code: CloseCode.abnormal, text: '' };
    this.#endAtOnce(reason);
    this.peer.#endAtOnce(reason);
  }

  #receive(bytes: Uint8Array | null, end: CloseReason | null, latencyMs: number): void {
    if (this.#isOver) return;
    const last = this.#inbox.at(-1);
    const dueAt = Math.max(last?.dueAt ?? 0, latencyMs > 0 ? this.#clock.now() + latencyMs : 0);
    this.#inbox.push({ bytes, end, dueAt });
    this.#inboxBytes += bytes?.length ?? 0;
    this.#schedule();
  }

  /** Nothing that is still under way to this end arrives any more, only the news of the end. */
  #endAtOnce(reason: CloseReason): void {
    if (this.#isOver) return;
    this.#isOpen = false;
    this.#isPaused = false;
    this.#inbox = [{ bytes: null, end: reason, dueAt: 0 }];
    this.#inboxBytes = 0;
    this.#schedule();
  }

  #schedule(): void {
    const next = this.#inbox[0];
    if (this.#isScheduled || next === undefined || this.#handlers === null || this.#isPaused) return;
    this.#isScheduled = true;
    const delayMs = next.dueAt - this.#clock.now();
    if (next.dueAt > 0 && delayMs > 0) this.#clock.setTimer(delayMs, this.#deliver, { hold: true });
    else this.#clock.soon(this.#deliver);
  }

  readonly #deliver = (): void => {
    this.#isScheduled = false;
    const arrivedBytes = this.#inboxBytes;
    let count = 0;
    while (!this.#isPaused && !this.#isOver && count < this.#inbox.length) {
      const parcel = this.#inbox[count]!;
      if (parcel.dueAt > 0 && parcel.dueAt > this.#clock.now()) break;
      if (parcel.end !== null) {
        this.#finish(parcel.end);
        return;
      }
      count += 1;
      this.#inboxBytes -= parcel.bytes!.length;
      const inbox = this.#inbox;
      this.#handlers!.message(parcel.bytes!);
      if (inbox !== this.#inbox) count = 0;
    }
    this.#inbox.splice(0, count);
    if (arrivedBytes > 0 && this.#inboxBytes === 0 && this.peer.#isOpen) this.peer.#handlers?.drained?.();
    this.#schedule();
  };

  #finish(reason: CloseReason): void {
    this.#isOver = true;
    this.#isOpen = false;
    this.#inbox = [];
    this.#inboxBytes = 0;
    this.#handlers!.closed(reason);
  }
}
