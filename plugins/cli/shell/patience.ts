import type { Client } from '../../../core/client/index.js';
import type { Timer } from '../../../core/runtime/index.js';
import { ShellError } from './shell-error.js';

/**
 * The outcome of `work`, unless no server is in reach for `patienceMs` at a stretch: a client's requests wait for the next
 * server, but somebody at a prompt, or a script, has to hear in the end. Rejects with `ShellError` then.
 */
export function unlessOutOfReach(work: Promise<void>, client: Client, patienceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer: Timer | null = null;
    const watchState = (): void => {
      timer?.cancel();
      timer = null;
      if (client.state === 'connected') return;
      const giveUp = (): void => {
        settle();
        reject(new ShellError(`No server answered for ${patienceMs} ms; the command may still take effect`));
      };
      timer = client.clock.setTimer(patienceMs, giveUp, { hold: true });
    };
    const unsubscribe = client.onState(watchState);
    const settle = (): void => {
      timer?.cancel();
      unsubscribe();
    };
    watchState();
    work.finally(settle).then(resolve, reject);
  });
}
