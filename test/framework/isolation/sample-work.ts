/** What the tests of isolation have done in a thread. */
import { threadId } from 'node:worker_threads';
import type { IsolatedJob } from '../../../framework/index.js';

export type Order =
  | 'where'
  | 'throw'
  | 'exit'
  | 'until aborted'
  | 'for ever'
  | 'progress'
  | 'hoard'
  | 'no answer'
  | 'odd error';

export async function handle({ data, signal, progress }: IsolatedJob<Order>): Promise<unknown> {
  switch (data) {
    case 'where':
      return threadId;
    case 'throw':
      throw new RangeError('too far');
    case 'exit':
      return process.exit(3);
    case 'until aborted':
      progress('begun');
      await new Promise((resolve) => {
        const keepsAwake = setInterval(() => undefined, 1_000);
        signal.addEventListener('abort', () => resolve(clearInterval(keepsAwake)));
      });
      return String(signal.reason);
    case 'for ever':
      progress('begun');
      for (;;);
    case 'hoard': {
      const hoard: number[][] = [];
      for (;;) hoard.push(Array.from({ length: 100_000 }, Math.random));
    }
    case 'no answer':
      return () => undefined;
    case 'odd error':
      throw Object.assign(new Error('odd'), { with: () => undefined });
    default:
      progress('half');
      return 'whole';
  }
}
