/** Many who listen to one signal, as one listener: signals warn of more than ten, and each costs a registration. */
export class AbortFan {
  readonly signal: AbortSignal;
  readonly #listeners = new Set<() => void>();
  readonly #onAbort = (): void => {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  };

  constructor(signal: AbortSignal) {
    this.signal = signal;
    if (!signal.aborted) signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Calls `listener` once when the signal aborts; at once if it has. Returns how to stop listening. */
  on(listener: () => void): () => void {
    if (this.signal.aborted) {
      listener();
      return () => undefined;
    }
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.signal.removeEventListener('abort', this.#onAbort);
    this.#listeners.clear();
  }
}
