import type { Clock } from '../../runtime/index.js';

/**
 * Settles as `promise` does, or rejects with the reason of the first of `signals` that aborts; the promise then
 * runs on unobserved. No listener stays behind.
 */
export function orAborted<T>(promise: Promise<T>, ...signals: readonly AbortSignal[]): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stopListening = (): void => {
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      stopListening();
      reject(signals.find((signal) => signal.aborted)?.reason);
    };
    promise.then(
      (value) => {
        stopListening();
        resolve(value);
      },
      (error: unknown) => {
        stopListening();
        reject(error);
      },
    );
    if (signals.some((signal) => signal.aborted)) onAbort();
    else for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Resolves after `delayMs`, or rejects with the reason of the first signal that aborts. */
export async function delay(
  clock: Clock,
  delayMs: number,
  ...signals: readonly AbortSignal[]
): Promise<void> {
  let cancel = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    const timer = clock.setTimer(delayMs, resolve, { hold: true });
    cancel = () => timer.cancel();
  });
  try {
    await orAborted(passed, ...signals);
  } finally {
    cancel();
  }
}

/** Resolves when `signal` aborts; at once if it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A caller's signal and time limit as one signal; dispose of it when the wait is over. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #stop: () => void;

  constructor(
    clock: Clock,
    limits: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number | undefined },
    timeoutError: (timeoutMs: number) => unknown,
  ) {
    const { signal, timeoutMs } = limits;
    const onAbort = (): void => this.#controller.abort(signal?.reason);
    const timer =
      timeoutMs === undefined
        ? undefined
        : clock.setTimer(timeoutMs, () => this.#controller.abort(timeoutError(timeoutMs)), { hold: true });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.#stop = () => {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}
