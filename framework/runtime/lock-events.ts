import { HoldLostError, type Hold } from '../../core/recipes/index.js';
import type { EventHub } from '../events.js';

/** Tells of a lock that is held from now on, and when it is not any more. */
export function tellOfLock(events: EventHub, name: string, { fence, signal }: Hold): void {
  events.emit({ type: 'lock-acquired', name, fence });
  const ended = (): void => {
    const isLost = signal.reason instanceof HoldLostError;
    events.emit({ type: 'lock-released', name, fence, isLost });
  };
  if (signal.aborted) ended();
  else signal.addEventListener('abort', ended, { once: true });
}
