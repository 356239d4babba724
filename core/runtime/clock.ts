/**
 * Time, as a port. Everything in the house that waits, expires or stamps asks a `Clock`, so that a whole
 * cluster can run on virtual time under a seed. Two notions of time are kept apart on purpose: monotonic
 * time measures durations and never jumps back; wall time is for people and for znode stats.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin. Never decreases; may have a fraction. */
  now(): number;
  /** Wall-clock milliseconds since 1970-01-01 UTC, an integer. May jump in either direction. */
  wall(): number;
  /**
   * Calls `task` once, not before `delayMs` from now; a longer delay than the platform's timers can hold
   * is waited for all the same. A timer never keeps the process alive on its own unless `hold` is set.
   */
  setTimer(delayMs: number, task: () => void, options?: { readonly hold?: boolean }): Timer;
  /**
   * Calls `task` once, after the events that are already due (sockets read, timers fired) have been
   * handled: the point at which a loop turns the batch that has gathered into one piece of work.
   */
  soon(task: () => void): void;
}

/** A pending timer. */
export interface Timer {
  /** Idempotent; after it the task is never called. */
  cancel(): void;
}
