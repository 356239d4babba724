/** Whoever waits for one signal. A single listener serves them all: a program may hand one signal to thousands of requests. */
class AbortListeners {
  readonly callbacks = new Set<() => void>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#fire, { once: true });
  }

  stop(): void {
    this.#signal.removeEventListener('abort', this.#fire);
  }

  readonly #fire = (): void => {
    listenersBySignal.delete(this.#signal);
    for (const callback of this.callbacks) callback();
  };
}

const listenersBySignal = new WeakMap<AbortSignal, AbortListeners>();

/** Calls `callback` once when `signal` aborts. Returns how to stop waiting; nothing of it stays on the signal then. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let listeners = listenersBySignal.get(signal);
  if (listeners === undefined) {
    listeners = new AbortListeners(signal);
    listenersBySignal.set(signal, listeners);
  }
  const { callbacks } = listeners;
  // One function may wait twice.
  const entry = (): void => callback();
  callbacks.add(entry);
  return () => {
    if (!callbacks.delete(entry) || callbacks.size > 0) return;
    if (listenersBySignal.get(signal) === listeners) listenersBySignal.delete(signal);
    listeners.stop();
  };
}

interface NodeEvents {
  setMaxListeners(count: number, ...targets: EventTarget[]): void;
}

/**
 * Tells Node, where this is Node, that many listeners on this signal are no leak; it would warn from the eleventh on.
 * Nothing is imported for it, so that a browser needs nothing of it.
 */
export function expectManyListeners(signal: AbortSignal): void {
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(id: string): NodeEvents | undefined };
  };
  process?.getBuiltinModule?.('events')?.setMaxListeners(0, signal);
}
