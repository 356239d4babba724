import { onAbort, type Clock } from '../runtime/index.js';

/** Waits on `clock`; rejects with the signal's reason when it aborts first. Keeps the process alive. */
export function sleep(
  delayMs: number,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const timer = clock.setTimer(
      delayMs,
      () => {
        stopWaiting?.();
        resolve();
      },
      { hold: true },
    );
    const stopWaiting =
      signal &&
      onAbort(signal, () => {
        timer.cancel();
        reject(signal.reason);
      });
  });
}
