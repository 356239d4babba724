import { onAbort } from '../runtime/index.js';

/** What a bounded stream does with `value` when its buffer is full: the new contents of the buffer. */
export type Overflow<T> = (buffer: readonly T[], value: T) => T[];

export interface EventStreamOptions<T> {
  /** Values that wait for the consumer; what comes beyond them is `overflow`'s to decide. */
  readonly limit: number;
  readonly overflow: Overflow<T>;
  /** Ends the stream, as `return` does. */
  readonly signal?: AbortSignal | undefined;
  /** Called once, however the stream ends. */
  readonly ended?: () => void;
}

/**
 * An async iterator that is fed by pushing. It buffers within its bound while nobody asks; when it has ended, what is
 * buffered is still handed out, except after `return` and after the signal has aborted.
 */
export class EventStream<T> implements AsyncIterableIterator<T> {
  readonly #options: EventStreamOptions<T>;
  #stopWaitingForAbort: (() => void) | null = null;
  #buffer: T[] = [];
  #waiters: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }[] = [];
  #isOver = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: EventStreamOptions<T>) {
    this.#options = options;
    if (options.signal?.aborted === true) this.#cancel();
    else if (options.signal !== undefined) {
      this.#stopWaitingForAbort = onAbort(options.signal, this.#cancel);
    }
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  push(value: T): void {
    if (this.#isOver) return;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter.resolve({ done: false, value });
    else if (this.#buffer.length < this.#options.limit) this.#buffer.push(value);
    else this.#buffer = this.#options.overflow(this.#buffer, value);
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWaitingForAbort?.();
    this.#finishWaiters();
    this.#options.ended?.();
  }

  /** Ends it; once the buffer is empty the consumer's next call rejects, once. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failure = { error };
    this.end();
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#buffer.length > 0) return Promise.resolve({ done: false, value: this.#buffer.shift()! });
    if (this.#failure !== null) {
      const { error } = this.#failure;
      this.#failure = null;
      return Promise.reject(error);
    }
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** What is buffered, taken out at once: saves a busy consumer a promise for each. */
  take(): readonly T[] {
    const taken = this.#buffer;
    if (taken.length > 0) this.#buffer = [];
    return taken;
  }

  return(): Promise<IteratorResult<T>> {
    this.#cancel();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #cancel = (): void => {
    this.#buffer = [];
    this.end();
  };

  #finishWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (this.#failure === null) waiter.resolve({ done: true, value: undefined });
      else {
        waiter.reject(this.#failure.error);
        this.#failure = null;
      }
    }
  }
}
