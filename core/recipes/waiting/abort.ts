import { onAbort, type Clock } from '../../runtime/index.js';

/**
 * Settles as `promise` does, or rejects with the reason of the first of `signals` that aborts; the promise then
 * runs on unobserved. No listener stays behind.
 */
export function orAborted<T>(promise: Promise<T>, ...signals: readonly AbortSignal[]): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const listening: (() => void)[] = [];
    const stopListening = (): void => {
      for (const stop of listening) stop();
    };
    const end = (): void => {
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
    if (signals.some((signal) => signal.aborted)) end();
    else for (const signal of signals) listening.push(onAbort(signal, end));
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
    const end = (): void => this.#controller.abort(signal?.reason);
    const timer =
      timeoutMs === undefined
        ? undefined
        : clock.setTimer(timeoutMs, () => this.#controller.abort(timeoutError(timeoutMs)), { hold: true });
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
    this.#stop = () => {
      timer?.cancel();
      signal?.removeEventListener('abort', end);
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}
