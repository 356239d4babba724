import type { Clock, Timer } from '../runtime/index.js';

/** After this share of the timeout without an answered packet, a ping is sent. */
export const PING_SHARE = 1 / 3;
/** After this share of the timeout without a byte from the server, the connection is given up. */
export const SILENCE_SHARE = 2 / 3;
/**
 * The part of the timeout by which this client gives up a session before a server can: two clocks that differ by one
 * per cent, a hundred times what a healthy clock does, are still covered twice.
 */
export const DRIFT_SHARE = 0.02;

export interface SessionTimerEvents {
  /** Time for a ping. */
  pingDue(): void;
  /** The server has said nothing for too long. */
  silent(): void;
  /** The servers may expire the session any moment now. */
  expired(): void;
}

/**
 * Knows how much longer the session can be relied upon. A server counts the timeout from when it received the last
 * packet, which was not before that packet was sent; so this timer counts from the *sending* of the last packet that was
 * answered, on monotonic time, and stops a margin for drift earlier. It says so no later than any server could.
 */
export class SessionTimer {
  readonly #clock: Clock;
  readonly #events: SessionTimerEvents;
  #timeoutMs = 0;
  #provenAt = 0;
  #pingedAt = 0;
  #heardAt = 0;
  #isRunning = false;
  #isLinked = false;
  #timer: Timer | null = null;

  constructor(clock: Clock, events: SessionTimerEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  /** A server accepted the session in answer to a packet sent at `sentAt`. */
  linked(timeoutMs: number, sentAt: number): void {
    this.#timeoutMs = timeoutMs;
    this.#provenAt = sentAt;
    this.#pingedAt = sentAt;
    this.#heardAt = this.#clock.now();
    this.#isRunning = true;
    this.#isLinked = true;
    this.#arm();
  }

  /** The connection is gone; only the end of the session is waited for. */
  unlinked(): void {
    this.#isLinked = false;
    this.#arm();
  }

  /** There is no session any more. */
  stop(): void {
    this.#isRunning = false;
    this.#isLinked = false;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Something arrived. To be called before it is acted upon. */
  heard(): void {
    this.check();
    this.#heardAt = this.#clock.now();
  }

  /** The packet sent at `sentAt` was answered. */
  answered(sentAt: number): void {
    this.#provenAt = Math.max(this.#provenAt, sentAt);
  }

  /** Milliseconds for which the session can still be relied upon; Infinity if there is none. */
  get remainingMs(): number {
    return this.#isRunning ? this.#expiresAt() - this.#clock.now() : Infinity;
  }

  /**
   * Says at once what is overdue: after a pause of the process, other work may come before the timers, and must not
   * run on a session that is over.
   */
  check(): void {
    if (this.#isRunning && this.#clock.now() >= this.#expiresAt()) {
      this.stop();
      this.#events.expired();
    }
  }

  #expiresAt(): number {
    return this.#provenAt + this.#timeoutMs * (1 - DRIFT_SHARE);
  }

  #silentAt(): number {
    return this.#isLinked ? this.#heardAt + this.#timeoutMs * SILENCE_SHARE : Infinity;
  }

  #pingAt(): number {
    if (!this.#isLinked) return Infinity;
    return Math.max(this.#provenAt, this.#pingedAt) + this.#timeoutMs * PING_SHARE;
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (!this.#isRunning) return;
    const next = Math.min(this.#expiresAt(), this.#silentAt(), this.#pingAt());
    // Whole milliseconds: a wait too short for the clock to move would be waited for again and again.
    const delayMs = Math.max(0, Math.ceil(next - this.#clock.now()));
    this.#timer = this.#clock.setTimer(delayMs, this.#fire, { hold: true });
  }

  readonly #fire = (): void => {
    this.check();
    if (!this.#isRunning) return;
    const now = this.#clock.now();
    if (now >= this.#silentAt()) {
      this.#isLinked = false;
      this.#events.silent();
    } else if (now >= this.#pingAt()) {
      this.#pingedAt = now;
      this.#events.pingDue();
    }
    this.#arm();
  };
}
