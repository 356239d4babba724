import type { Clock } from '../../core/runtime/index.js';

/** Resolves after `ms`, or as soon as `signal` aborts; says whether the whole time passed. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const stop = (): void => {
      timer.cancel();
      resolve(false);
    };
    const timer = clock.setTimer(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Waits for `work` at most `ms`; says whether it settled in time. Rejects if it does. */
export async function settledWithin(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(clock, ms, over.signal).then((isOver) => !isOver);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
}

/** Waits for `work` until `signal` aborts; says whether it settled before. Rejects if it does. */
export async function settledBefore(signal: AbortSignal, work: Promise<unknown>): Promise<boolean> {
  let stop: () => void = () => undefined;
  const interrupted = new Promise<false>((resolve) => {
    stop = () => resolve(false);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work.then(() => true as const), interrupted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
