const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Stops on the first signal in order, on the second without waiting for work in hand. Returns how to let go. */
export function handleSignals(application: {
  stop(options?: { readonly deadlineMs: number }): Promise<void>;
}): () => void {
  let isStopping = false;
  const onSignal = (): void => {
    void application.stop(isStopping ? { deadlineMs: 0 } : undefined);
    isStopping = true;
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
