import type { Clock, Timer } from '../runtime/index.js';
import type { CloseReason, Connection, ConnectionHandlers } from '../transport/index.js';

/**
 * What a process is to the code that runs in it: its timers and its connections. It can be paused, as by a
 * debugger, a laptop's lid or a long collection of garbage, and it can die in the middle of anything: after
 * that no timer fires, nothing is delivered and nothing leaves.
 * running ⇄ paused → dead.
 */
export class MemberProcess implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  readonly #connections = new Set<Connection>();
  #state: 'running' | 'paused' | 'dead' = 'running';
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.wall();
  }

  setTimer(delayMs: number, task: () => void): Timer {
    if (this.#state === 'dead') return { cancel: () => undefined };
    let isCancelled = false;
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      this.#enter(() => {
        if (!isCancelled) task();
      });
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        isCancelled = true;
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  soon(task: () => void): void {
    this.#clock.soon(() => this.#enter(task));
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** All that waited happens now, late, in order. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    for (const act of this.#waiting.splice(0)) this.#enter(act);
  }

  /** Its connections break; nothing of it ever happens again. */
  kill(): void {
    this.#state = 'dead';
    this.#waiting = [];
    for (const timer of this.#timers) timer.cancel();
    for (const connection of this.#connections) connection.terminate();
    this.#timers.clear();
    this.#connections.clear();
  }

  /** The process's end of a connection. */
  connect(inner: Connection): Connection {
    this.#connections.add(inner);
    return {
      remoteAddress: inner.remoteAddress,
      get bufferedBytes() {
        return inner.bufferedBytes;
      },
      get isOpen() {
        return inner.isOpen;
      },
      handle: (handlers) => this.#handle(inner, handlers),
      send: (message) => this.#enter(() => inner.send(message)),
      pause: () => inner.pause(),
      resume: () => inner.resume(),
      close: (reason?: CloseReason) => this.#enter(() => inner.close(reason)),
      terminate: () => this.#enter(() => inner.terminate()),
    };
  }

  #handle(inner: Connection, handlers: ConnectionHandlers): void {
    inner.handle({
      message: (bytes) => this.#enter(() => handlers.message(bytes)),
      closed: (reason) => {
        this.#connections.delete(inner);
        this.#enter(() => handlers.closed(reason));
      },
      drained: () => this.#enter(() => handlers.drained?.()),
    });
  }

  #enter(act: () => void): void {
    if (this.#state === 'running') act();
    else if (this.#state === 'paused') this.#waiting.push(act);
  }
}
