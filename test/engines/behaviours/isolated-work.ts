/** What is done in threads to show isolation. */
import { threadId } from 'node:worker_threads';
import type { IsolatedJob } from '../../../framework/index.js';

export type IsolatedOrder = 'facts' | 'crash once' | 'until cancelled' | 'for ever';

export async function handle({ data, attempt, fence, signal, progress }: IsolatedJob<IsolatedOrder>) {
  switch (data) {
    case 'facts':
      return { thread: threadId, fence: String(fence) };
    case 'crash once':
      return attempt === 1 ? process.exit(1) : `attempt ${attempt}`;
    case 'until cancelled':
      progress('begun');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 'cancelled';
    default:
      progress('begun');
      for (;;);
  }
}
