import { checkOptions, type Clock, type OptionNames, type Timer } from '../runtime/index.js';
import { SystemWork } from './system-work.js';
import { taskName } from './task-name.js';

/** The real one, also if a test runner puts another in its place later, such as vitest's fake timers. */
const { setImmediate } = globalThis;

/** Turns of the real event loop without news after which nothing is on its way any more. */
const IDLE_TURNS = 2;

/** Time moves in steps that are exact as a number: who waits for what is left of a wait must not wait for nothing, for ever. */
const STEPS_PER_MS = 1024;

/** So often the real event loop gets its turn where nothing waits for it: for the watchdogs of whoever runs the test. */
const STEPS_PER_TURN = 10_000;

/** Steps without a standstill after which something is taken to be rescheduling itself for ever. */
const MOST_STEPS = 1_000_000;

/** Pending timers that a failure names. */
const TIMERS_NAMED = 8;

export interface VirtualClockOptions {
  /** Wall time at the beginning, milliseconds since 1970. Default: the year 2025. */
  readonly wallMs?: number;
  /**
   * Nothing on this clock waits for sockets, files, threads or timers of the system, only for promises and for this
   * clock. A standstill is then seen without a turn of the real event loop, several times faster. Default false.
   */
  readonly promisesOnly?: boolean;
  /**
   * What is due already happens by itself, soon: only what has to wait for a later moment waits until a test moves
   * time. Default false: nothing happens but in a call. What a task throws then rejects the next call, or is an
   * unhandled rejection.
   */
  readonly settlesItself?: boolean;
  /**
   * Time does not move while files, names or connections that this process has asked its system for are on their way, nor
   * while two parts of this process talk over a socket; other processes are not waited for. Default false.
   */
  readonly waitsForSystem?: boolean;
}

const CLOCK_OPTIONS: OptionNames<VirtualClockOptions> = {
  wallMs: true,
  promisesOnly: true,
  settlesItself: true,
  waitsForSystem: true,
};

interface PendingTimer {
  readonly due: number;
  readonly order: number;
  readonly task: () => void;
}

/**
 * A clock that moves only when a test says so. Timers fire one by one, in order of time and, at the same
 * moment, in the order in which they were set; between any two of them everything that is already due — `soon`
 * tasks one by one, promise chains, other work of the event loop — runs to a standstill. An error thrown by a task
 * rejects the call that ran it. Only one of `advance`, `runUntil`, `moveUntil`, `waitFor` and `settle` may run at a time.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #wallOffset: number;
  #nextOrder = 0;
  /** Sorted by due time, then by order of setting. */
  readonly #timers: PendingTimer[] = [];
  #soon: (() => void)[] = [];
  #nextSoon = 0;
  readonly #promisesOnly: boolean;
  readonly #settlesItself: boolean;
  readonly #system: SystemWork | undefined;
  #steps = 0;
  #isRunning = false;
  #settling: Promise<void> | undefined;

  constructor(options: VirtualClockOptions = {}) {
    checkOptions('VirtualClock', options, CLOCK_OPTIONS);
    this.#wallOffset = options.wallMs ?? Date.UTC(2025, 0, 1);
    this.#promisesOnly = options.promisesOnly ?? false;
    this.#settlesItself = options.settlesItself ?? false;
    this.#system = options.waitsForSystem === true ? new SystemWork() : undefined;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return Math.floor(this.#wallOffset + this.#now);
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const due = Math.ceil((this.#now + Math.max(0, delayMs)) * STEPS_PER_MS) / STEPS_PER_MS;
    const timer = { due, order: this.#nextOrder++, task };
    this.#timers.splice(this.#positionOf(timer), 0, timer);
    this.#wake();
    return { cancel: () => this.#remove(timer) };
  }

  soon(task: () => void): void {
    this.#soon.push(task);
    this.#wake();
  }

  /** Timers that have been set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Moves wall time by `ms`, in either direction; monotonic time does not notice. */
  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Moves time by `ms`, firing what falls due on the way. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`time cannot be advanced by ${ms} ms`);
    const deadline = this.#now + ms;
    await this.#exclusively(async () => {
      await this.#drain(this.#system);
      while (this.#stepTowards(deadline)) await this.#drain(this.#system);
    });
  }

  /** Runs what is due now to a standstill; time stays where it is. */
  async settle(): Promise<void> {
    await this.#exclusively(() => this.#drain());
  }

  /**
   * Moves time from timer to timer until `condition` holds, which is asked at every standstill. Rejects with
   * what is pending when it still does not hold `maxMs` from now.
   */
  async runUntil(condition: () => boolean, maxMs: number): Promise<void> {
    if (await this.moveUntil(condition, maxMs)) return;
    throw new Error(this.#describeTimeout(String(condition), maxMs));
  }

  /** Moves time from timer to timer until `condition` holds, at most by `maxMs`; resolves with whether it holds. */
  async moveUntil(condition: () => boolean, maxMs: number): Promise<boolean> {
    const deadline = this.#now + maxMs;
    let holds = false;
    await this.#exclusively(async () => {
      await this.#drain(this.#system);
      while (!(holds = condition()) && this.#stepTowards(deadline)) await this.#drain(this.#system);
    });
    return holds;
  }

  /** Moves time from timer to timer until `promise` settles, and settles likewise; rejects as `runUntil` does. */
  async waitFor<T>(promise: Promise<T>, maxMs: number): Promise<T> {
    let isSettled = false;
    const note = (): void => void (isSettled = true);
    promise.then(note, note);
    const thePromiseIsSettled = (): boolean => isSettled;
    await this.runUntil(thePromiseIsSettled, maxMs);
    return promise;
  }

  /** Moves to the next timer and fires it, or to `deadline` if none comes before; false when already there. */
  #stepTowards(deadline: number): boolean {
    const next = this.#timers[0];
    if (next !== undefined && next.due <= deadline) {
      this.#fireFirst();
      return true;
    }
    const hasMoved = this.#now < deadline;
    this.#now = Math.max(this.#now, deadline);
    return hasMoved;
  }

  #fireFirst(): void {
    const timer = this.#timers.shift()!;
    this.#now = Math.max(this.#now, timer.due);
    timer.task();
  }

  /** Before time moves, with what the system still has to answer. */
  async #drain(system?: SystemWork): Promise<void> {
    // Only what is asked for in a promise chain is told when all of them have come to an end.
    await Promise.resolve();
    for (let step = 0, idle = 0; idle < this.#idleTurns(system); step++) {
      if (step === MOST_STEPS)
        throw new Error(`no standstill after ${MOST_STEPS} steps: ${this.describePending()}`);
      await promiseChains();
      if (this.#runDue()) idle = 0;
      else if (this.#promisesOnly || (await turnOfTheLoop())) idle++;
      if (idle > 0 && (await system?.answers(() => this.#isDue())) === true) idle = 0;
    }
    this.#steps++;
    if (this.#steps % STEPS_PER_TURN === 0) await turnOfTheLoop();
  }

  #idleTurns(system: SystemWork | undefined): number {
    if (this.#promisesOnly) return 1;
    return system?.idleTurns(IDLE_TURNS) ?? IDLE_TURNS;
  }

  /** The oldest `soon` task, else one timer that is already due. */
  #runDue(): boolean {
    if (this.#nextSoon < this.#soon.length) {
      const task = this.#soon[this.#nextSoon++]!;
      if (this.#nextSoon === this.#soon.length) {
        this.#soon = [];
        this.#nextSoon = 0;
      }
      task();
      return true;
    }
    if ((this.#timers[0]?.due ?? Infinity) > this.#now) return false;
    this.#fireFirst();
    return true;
  }

  async #exclusively(run: () => Promise<void>): Promise<void> {
    if (this.#isRunning)
      throw new Error('the virtual clock is running already: await the earlier call first');
    this.#isRunning = true;
    try {
      await this.#settling;
      await run();
    } finally {
      this.#isRunning = false;
      this.#wake();
    }
  }

  /** What is due happens soon, if it is to happen by itself and no call sees to it. */
  #wake(): void {
    if (!this.#settlesItself || this.#isRunning || this.#settling !== undefined || !this.#isDue()) return;
    this.#settling = turnOfTheLoop()
      .then(() => this.#drain())
      .finally(() => {
        this.#settling = undefined;
        this.#wake();
      });
  }

  #isDue(): boolean {
    return this.#nextSoon < this.#soon.length || (this.#timers[0]?.due ?? Infinity) <= this.#now;
  }

  /** Where `timer` stands, or would stand, among the sorted timers. */
  #positionOf(timer: PendingTimer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle]!;
      const isBefore = other.due < timer.due || (other.due === timer.due && other.order < timer.order);
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(timer: PendingTimer): void {
    const position = this.#positionOf(timer);
    if (this.#timers[position] === timer) this.#timers.splice(position, 1);
  }

  #describeTimeout(condition: string, maxMs: number): string {
    return `after ${maxMs} ms of virtual time this still does not hold: ${condition}\npending: ${this.describePending()}`;
  }

  /** What waits for a later moment, the first of it by name. */
  describePending(): string {
    const named = this.#timers
      .slice(0, TIMERS_NAMED)
      .map(({ due, task }) => `in ${Math.ceil(due - this.#now)} ms ${taskName(task)}`);
    const more = this.#timers.length - named.length;
    return [
      `${this.#soon.length - this.#nextSoon} tasks for the next turn`,
      ...named,
      ...(more > 0 ? [`${more} more timers`] : []),
    ].join('; ');
  }
}

/** Resolves when every promise chain has come to an end: a tick that is asked for in a microtask comes when none is left. */
function promiseChains(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function turnOfTheLoop(): Promise<true> {
  return new Promise((resolve) => setImmediate(resolve, true));
}
