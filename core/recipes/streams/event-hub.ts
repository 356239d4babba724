/** Two events about the same thing as one; null if together they are no event. */
export type Merge<E> = (earlier: E, later: E) => E | null;

/**
 * Gives the same events to any number of async iterators. Each has its own backlog, with at most one event
 * per key: a consumer that is slow gets events merged, so a backlog never outgrows the number of keys.
 */
export class EventHub<E> {
  readonly #keyOf: (event: E) => unknown;
  readonly #merge: Merge<E>;
  readonly #readers = new Set<Reader<E>>();
  #end: { readonly error?: unknown } | null = null;

  constructor(keyOf: (event: E) => unknown, merge: Merge<E>) {
    this.#keyOf = keyOf;
    this.#merge = merge;
  }

  emit(event: E): void {
    const key = this.#keyOf(event);
    for (const reader of this.#readers) reader.add(key, event, this.#merge);
  }

  /** Ends all iterators, present and future, after their backlog; with `error` they throw it. Idempotent. */
  end(failure: { readonly error?: unknown } = {}): void {
    if (this.#end !== null) return;
    this.#end = failure;
    for (const reader of this.#readers) reader.end(failure);
    this.#readers.clear();
  }

  /** Every event from this call on, `first` before them. Ends when `signal` aborts. */
  events(
    options: { readonly signal?: AbortSignal | undefined } = {},
    first: readonly E[] = [],
  ): AsyncIterableIterator<E> {
    const reader = new Reader<E>((which) => this.#readers.delete(which), options.signal);
    for (const event of first) reader.add(this.#keyOf(event), event, this.#merge);
    if (this.#end !== null) reader.end(this.#end);
    else if (!reader.hasEnded) this.#readers.add(reader);
    return reader;
  }
}

class Reader<E> implements AsyncIterableIterator<E> {
  readonly #backlog = new Map<unknown, E>();
  readonly #leave: (reader: Reader<E>) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => void this.return();
  /** Of calls of `next` that wait. */
  #wakes: (() => void)[] = [];
  #end: { readonly error?: unknown } | null = null;

  constructor(leave: (reader: Reader<E>) => void, signal: AbortSignal | undefined) {
    this.#leave = leave;
    this.#signal = signal;
    if (signal?.aborted === true) this.#end = {};
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get hasEnded(): boolean {
    return this.#end !== null;
  }

  add(key: unknown, event: E, merge: Merge<E>): void {
    const earlier = this.#backlog.get(key);
    const merged = earlier === undefined ? event : merge(earlier, event);
    // Merged events keep the place of the earlier one only if nothing is lost by it; the later place is right.
    this.#backlog.delete(key);
    if (merged !== null) this.#backlog.set(key, merged);
    this.#wake();
  }

  end(failure: { readonly error?: unknown }): void {
    this.#end ??= failure;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#wake();
  }

  async next(): Promise<IteratorResult<E, undefined>> {
    for (;;) {
      for (const [key, event] of this.#backlog) {
        this.#backlog.delete(key);
        return { done: false, value: event };
      }
      if (this.#end !== null) {
        if ('error' in this.#end) throw this.#end.error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }

  return(): Promise<IteratorResult<E, undefined>> {
    this.#backlog.clear();
    this.#leave(this);
    this.end({});
    return Promise.resolve({ done: true, value: undefined });
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
