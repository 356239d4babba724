import type { Clock, Timer } from './clock.js';

/** `setTimeout` fires at once for anything above 2^31-1 ms; longer waits are made of several. */
const LONGEST_TIMEOUT_MS = 0x7fffffff;

interface UnrefableTimeout {
  unref?(): void;
}

/** The platform's clock: `performance.now`, `Date.now`, `setTimeout`, `setImmediate` where there is one. */
export class SystemClock implements Clock {
  #taskQueue: MessageTaskQueue | undefined;

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  setTimer(delayMs: number, task: () => void, options?: { readonly hold?: boolean }): Timer {
    const deadline = this.now() + delayMs;
    let handle: ReturnType<typeof setTimeout>;
    const arm = (remainingMs: number): void => {
      const isLast = remainingMs <= LONGEST_TIMEOUT_MS;
      handle = setTimeout(
        () => (isLast ? task() : arm(deadline - this.now())),
        Math.max(0, Math.min(remainingMs, LONGEST_TIMEOUT_MS)),
      );
      if (options?.hold !== true) (handle as UnrefableTimeout).unref?.();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  }

  soon(task: () => void): void {
    if (typeof setImmediate === 'function') setImmediate(task);
    else (this.#taskQueue ??= new MessageTaskQueue()).add(task);
  }
}

/** As browsers have it; in Node, where only tests come here, an idle port must not keep the process alive. */
interface TaskPort {
  onmessage: (() => void) | null;
  ref?(): void;
  unref?(): void;
}

/** Browsers hold back timers of 0 ms, and those of hidden pages by a second; messages to oneself they do not. */
class MessageTaskQueue {
  readonly #channel = new MessageChannel();
  readonly #receiver = this.#channel.port1 as unknown as TaskPort;
  readonly #tasks: (() => void)[] = [];

  constructor() {
    this.#receiver.onmessage = () => {
      const task = this.#tasks.shift();
      if (this.#tasks.length === 0) this.#receiver.unref?.();
      task?.();
    };
    this.#receiver.unref?.();
  }

  add(task: () => void): void {
    this.#tasks.push(task);
    this.#receiver.ref?.();
    this.#channel.port2.postMessage(null);
  }
}
