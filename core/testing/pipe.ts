import type { Clock, Timer } from '../runtime/index.js';
import type { CloseReason } from '../transport/index.js';

/** What a pipe asks of the network it runs through, for its own direction. */
export interface Route {
  /** Milliseconds that the next message is under way, its own length left aside; may differ per call. */
  latencyMs(): number;
  readonly bytesPerMs: number;
  /** Nothing gets through now; it is sent again when that has changed. */
  readonly isBlocked: boolean;
  /** What the sender's system takes before the sender notices that nothing gets through. */
  readonly windowBytes: number;
  /** A choice of chance, in [0, 1). */
  chance(): number;
}

/** The end that a pipe leads to. */
export interface PipeReceiver {
  /** Takes messages now. */
  readonly isReading: boolean;
  arrived(bytes: Uint8Array): void;
  /** Nothing comes any more. */
  ended(reason: CloseReason): void;
}

interface Parcel {
  readonly bytes: Uint8Array | null;
  readonly end: CloseReason | null;
  readonly dueAt: number;
}

/**
 * One direction of a connection: messages arrive in the order in which they were sent, each after its time. What meets
 * a cut line waits, as a system that sends again and again, and arrives when the line is whole.
 */
export class Pipe {
  readonly #clock: Clock;
  readonly #route: Route;
  readonly #receiver: PipeReceiver;
  readonly #drained: () => void;
  #parcels: Parcel[] = [];
  #bytes = 0;
  /** When the line has carried everything so far. */
  #clearAt = 0;
  /** After a cut nothing arrives before that. */
  #notBefore = 0;
  /** Nothing more can be sent. */
  #isClosed = false;
  /** The news of the end is under way, or has arrived. */
  #isEndTold = false;
  #timer: Timer | null = null;

  constructor(parts: { clock: Clock; route: Route; receiver: PipeReceiver; drained: () => void }) {
    this.#clock = parts.clock;
    this.#route = parts.route;
    this.#receiver = parts.receiver;
    this.#drained = parts.drained;
  }

  /** What the sender sees waiting. */
  get bufferedBytes(): number {
    return Math.max(0, this.#bytes - this.#route.windowBytes);
  }

  send(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const startsAt = Math.max(this.#clock.now(), this.#clearAt);
    this.#clearAt = startsAt + bytes.length / this.#route.bytesPerMs;
    this.#bytes += bytes.length;
    this.#put({ bytes, end: null, dueAt: this.#clearAt + this.#route.latencyMs() });
  }

  /** Behind everything that was sent. */
  end(reason: CloseReason): void {
    this.#isClosed = true;
    if (this.#isEndTold) return;
    this.#isEndTold = true;
    this.#put({ bytes: null, end: reason, dueAt: this.#clock.now() + this.#route.latencyMs() });
  }

  /** The sender breaks off, or the line does: of what is under way the front arrives, or nothing. Then the end, if it is told at all. */
  breakOff(reason: CloseReason, isTold: boolean): void {
    const { length } = this.#parcels;
    const survivors = this.#route.isBlocked ? 0 : Math.floor(this.#route.chance() * (length + 1));
    for (const { bytes, end } of this.#parcels.splice(survivors)) {
      this.#bytes -= bytes?.length ?? 0;
      if (end !== null) this.#isEndTold = false;
    }
    this.#isClosed = true;
    if (isTold) this.end(reason);
    else this.schedule();
  }

  /** The line is whole again: what waited is sent once more. */
  unblocked(): void {
    this.#notBefore = this.#clock.now() + this.#route.latencyMs();
    this.schedule();
  }

  /** The line is as good as ever: what is under way does not take longer than what is sent now. */
  mended(): void {
    const now = this.#clock.now();
    const latestAt = now + this.#route.latencyMs();
    this.#clearAt = Math.min(this.#clearAt, now);
    this.#parcels = this.#parcels.map((parcel) => ({ ...parcel, dueAt: Math.min(parcel.dueAt, latestAt) }));
    this.schedule();
  }

  /** Nobody is there any more, at neither end. */
  drop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#parcels = [];
  }

  /** To be called when the receiver begins to read. */
  readonly schedule = (): void => {
    this.#timer?.cancel();
    this.#timer = null;
    const next = this.#parcels[0];
    if (next === undefined || this.#route.isBlocked || !this.#receiver.isReading) return;
    const dueAt = Math.max(next.dueAt, this.#notBefore);
    this.#timer = this.#clock.setTimer(Math.max(0, dueAt - this.#clock.now()), this.#deliver);
  };

  #put(parcel: Parcel): void {
    const last = this.#parcels.at(-1);
    const dueAt = Math.max(parcel.dueAt, last?.dueAt ?? 0);
    this.#parcels.push({ ...parcel, dueAt });
    if (this.#timer === null) this.schedule();
  }

  readonly #deliver = (): void => {
    this.#timer = null;
    const now = this.#clock.now();
    const wasFull = this.bufferedBytes > 0;
    let next = this.#parcels[0];
    while (next !== undefined && next.dueAt <= now && this.#receiver.isReading && !this.#route.isBlocked) {
      this.#parcels.shift();
      this.#bytes -= next.bytes?.length ?? 0;
      if (next.end === null) this.#receiver.arrived(next.bytes!);
      else this.#receiver.ended(next.end);
      next = this.#parcels[0];
    }
    if (wasFull && this.bufferedBytes === 0) this.#drained();
    if (this.#timer === null) this.schedule();
  };
}
