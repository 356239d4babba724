import type { Clock } from '../../core/runtime/index.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Ctrl-C under `npm start` reaches a process twice: from the terminal, which signals the whole group, and from whoever started it, which
 * passes its own on. So a second signal this soon is the same one.
 */
const SAME_WITHIN_MS = 500;

/** Stops on the first signal in order, on the second without waiting for work in hand. Returns how to let go. */
export function handleSignals(
  application: { stop(options?: { readonly deadlineMs: number }): Promise<void> },
  clock: Clock,
): () => void {
  let firstAt: number | null = null;
  const onSignal = (): void => {
    const now = clock.now();
    if (firstAt === null) {
      firstAt = now;
      void application.stop();
    } else if (now - firstAt > SAME_WITHIN_MS) void application.stop({ deadlineMs: 0 });
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
