import { checkOptions, type Clock, type OptionNames, type Timer } from '../runtime/index.js';
import type { CloseReason, Connection, ConnectionHandlers, Dialer } from '../transport/index.js';
import { standingFor } from './task-name.js';

export interface ProcessClockOptions {
  /** How fast its monotonic clock runs, as a multiple of true time. Default 1. */
  readonly rate?: number;
  /** How far its wall clock is ahead of true time. Milliseconds, default 0. */
  readonly wallAheadMs?: number;
}

const CLOCK_OPTIONS: OptionNames<ProcessClockOptions> = { rate: true, wallAheadMs: true };

/**
 * What a process is to the code that runs in it: its timers and its connections. Its clock may run too fast or too
 * slow. It can be paused, as by a debugger, a laptop's lid or a long collection of garbage, and it can die in the
 * middle of anything: after that no timer fires, nothing is delivered and nothing leaves.
 * running ⇄ paused → dead.
 */
export class SimulatedProcess implements Clock {
  readonly #clock: Clock;
  readonly #rate: number;
  readonly #startedAt: number;
  #wallAheadMs: number;
  readonly #timers = new Set<ProcessTimer>();
  readonly #connections = new Set<ProcessConnection>();
  #state: 'running' | 'paused' | 'dead' = 'running';
  /** True time at which its monotonic clock stopped; null while that runs. */
  #clockStoppedAt: number | null = null;
  /** For how long its monotonic clock has stood still, in true time. */
  #clockLostMs = 0;
  /** What happened during a pause and has not been noticed yet; what happens meanwhile comes behind it. */
  #late: (() => void)[] = [];

  constructor(clock: Clock, options: ProcessClockOptions = {}) {
    checkOptions('SimulatedProcess', options, CLOCK_OPTIONS);
    this.#clock = clock;
    this.#rate = options.rate ?? 1;
    this.#startedAt = clock.now();
    this.#wallAheadMs = options.wallAheadMs ?? 0;
  }

  get state(): 'running' | 'paused' | 'dead' {
    return this.#state;
  }

  /** Timers that have been set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  get connections(): number {
    return this.#connections.size;
  }

  now(): number {
    const now = this.#clockStoppedAt ?? this.#clock.now();
    return (now - this.#clockLostMs - this.#startedAt) * this.#rate;
  }

  wall(): number {
    return Math.floor(this.#clock.wall() + this.#wallAheadMs);
  }

  setTimer(delayMs: number, task: () => void): Timer {
    if (this.#state === 'dead') return { cancel: () => undefined };
    let isCancelled = false;
    const fire = (): void => {
      this.#timers.delete(timer);
      this.enter(() => {
        if (!isCancelled) task();
      });
    };
    const timer = new ProcessTimer(this.#clock, delayMs / this.#rate, standingFor(fire, task));
    this.#timers.add(timer);
    if (this.#clockStoppedAt === null) timer.run();
    return {
      cancel: () => {
        isCancelled = true;
        this.#timers.delete(timer);
        timer.stop();
      },
    };
  }

  /** Its monotonic clock stands still: no timer fires. Messages still arrive and leave. */
  stopClock(): void {
    if (this.#clockStoppedAt !== null) return;
    this.#clockStoppedAt = this.#clock.now();
    for (const timer of this.#timers) timer.stop();
  }

  /** Its monotonic clock stands still, or has stood still once. */
  get hasLostTime(): boolean {
    return this.#clockStoppedAt !== null || this.#clockLostMs > 0;
  }

  /** Its monotonic clock goes on from where it stopped, and so do its timers. */
  startClock(): void {
    if (this.#clockStoppedAt === null) return;
    this.#clockLostMs += this.#clock.now() - this.#clockStoppedAt;
    this.#clockStoppedAt = null;
    for (const timer of this.#timers) timer.run();
  }

  soon(task: () => void): void {
    this.#clock.soon(() => this.enter(task));
  }

  /** Its wall clock moves by `ms`, in either direction; its monotonic clock does not notice. */
  jumpWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  /** Nothing of it happens, and nothing that was sent to it is taken in. */
  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    for (const connection of this.#connections) connection.processPaused();
  }

  /** All that waited happens now, late, in order. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#catchUp();
    for (const connection of this.#connections) connection.processResumed();
  }

  /** Its connections break; nothing of it ever happens again. */
  kill(): void {
    this.#die();
    for (const connection of this.#connections) connection.breakOff();
    this.#connections.clear();
  }

  /** Nothing of it ever happens again, and nobody is told. */
  vanish(): void {
    this.#die();
    this.#connections.clear();
  }

  /** The process's end of a connection. */
  connect(inner: Connection): Connection {
    const connection = new ProcessConnection(this, inner, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    if (this.#state === 'paused') connection.processPaused();
    if (this.#state === 'dead') connection.breakOff();
    return connection;
  }

  /** Dials on behalf of the process. */
  dialer(inner: Dialer): Dialer {
    return { dial: async (address, options) => this.connect(await inner.dial(address, options)) };
  }

  /** Something happens to the process: it notices now, behind what it has missed in a pause, or never if it is dead. */
  enter(act: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'paused' || this.#late.length > 0) this.#late.push(act);
    else act();
  }

  /** The process does something to the world. */
  leave(act: () => void): void {
    if (this.#state === 'running') act();
    else if (this.#state === 'paused') this.#late.push(act);
  }

  #catchUp(): void {
    if (this.#late.length === 0) return;
    this.#clock.soon(() => {
      if (this.#state !== 'running' || this.#late.length === 0) return;
      const act = this.#late[0]!;
      try {
        act();
      } finally {
        this.#late.shift();
        this.#catchUp();
      }
    });
  }

  #die(): void {
    this.#state = 'dead';
    this.#late = [];
    for (const timer of this.#timers) timer.stop();
    this.#timers.clear();
  }
}

/** A timer that can stop with the clock of its process, and go on with it. */
class ProcessTimer {
  readonly #clock: Clock;
  readonly #task: () => void;
  #leftMs: number;
  #startedAt = 0;
  #timer: Timer | null = null;

  constructor(clock: Clock, delayMs: number, task: () => void) {
    this.#clock = clock;
    this.#leftMs = delayMs;
    this.#task = task;
  }

  run(): void {
    if (this.#timer !== null) return;
    this.#startedAt = this.#clock.now();
    this.#timer = this.#clock.setTimer(this.#leftMs, this.#task);
  }

  stop(): void {
    if (this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
    this.#leftMs = Math.max(0, this.#leftMs - (this.#clock.now() - this.#startedAt));
  }
}

/** Lets through what the process may do and notice. */
class ProcessConnection implements Connection {
  readonly #process: SimulatedProcess;
  readonly #inner: Connection;
  readonly #ended: () => void;
  #isPausedByOwner = false;

  constructor(process: SimulatedProcess, inner: Connection, ended: () => void) {
    this.#process = process;
    this.#inner = inner;
    this.#ended = ended;
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  get isOpen(): boolean {
    return this.#inner.isOpen;
  }

  handle(handlers: ConnectionHandlers): void {
    this.#inner.handle({
      message: (bytes) => this.#process.enter(() => handlers.message(bytes)),
      closed: (reason) => {
        this.#ended();
        this.#process.enter(() => handlers.closed(reason));
      },
      drained: () => this.#process.enter(() => handlers.drained?.()),
    });
  }

  send(message: Uint8Array): void {
    this.#process.leave(() => this.#inner.send(message));
  }

  pause(): void {
    this.#isPausedByOwner = true;
    this.#inner.pause();
  }

  resume(): void {
    this.#isPausedByOwner = false;
    if (this.#process.state !== 'paused') this.#inner.resume();
  }

  close(reason?: CloseReason): void {
    this.#process.leave(() => this.#inner.close(reason));
  }

  terminate(): void {
    this.#process.leave(() => this.#inner.terminate());
  }

  processPaused(): void {
    this.#inner.pause();
  }

  processResumed(): void {
    if (!this.#isPausedByOwner) this.#inner.resume();
  }

  /** The process has died. */
  breakOff(): void {
    this.#inner.terminate();
  }
}
