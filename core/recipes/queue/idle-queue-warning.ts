import type { Client } from '../../client/index.js';
import type { QueueLayout } from './queue-layout.js';

/** How long somebody waits for a result before it is looked whether anybody works on the queue. */
const WARN_AFTER_MS = 5_000;
/** One warning a queue in this time: a thousand waits have the same cause. */
const WARN_EVERY_MS = 60_000;

/**
 * Warns somebody who waits for the result of a job that nobody will do: the queue has no worker, or is paused. Without it, a misspelt name
 * of a queue is a wait without a word.
 */
export class IdleQueueWarning {
  readonly #client: Client;
  readonly #layout: QueueLayout;
  readonly #queue: string;
  /** Monotonic. */
  #nextAt = 0;

  constructor(client: Client, layout: QueueLayout, queue: string) {
    this.#client = client;
    this.#layout = layout;
    this.#queue = queue;
  }

  /** Looks once, when the wait for `job` has lasted for five seconds; disposed of when the wait is over. */
  watch(job: string): Disposable {
    let isOver = false;
    const look = async (): Promise<void> => {
      const cause = await this.#cause();
      const now = this.#client.clock.now();
      if (isOver || cause === null || now < this.#nextAt) return;
      this.#nextAt = now + WARN_EVERY_MS;
      const facts = { queue: this.#queue, job, waitedMs: WARN_AFTER_MS, cause };
      this.#client.logger.warn('The result of a job is waited for, and nobody works on its queue', facts);
    };
    // What cannot be asked now is no news: the wait itself tells of a lost connection.
    const timer = this.#client.clock.setTimer(WARN_AFTER_MS, () => void look().catch(() => undefined));
    return {
      [Symbol.dispose]: () => {
        isOver = true;
        timer.cancel();
      },
    };
  }

  /** Why no job of the queue is begun; null if a worker is there, or nothing is known. */
  async #cause(): Promise<string | null> {
    if (this.#client.state !== 'connected') return null;
    const { consumers, paused } = this.#layout;
    const [workers, pause] = await Promise.all([consumers, paused].map((path) => this.#client.exists(path)));
    if (pause !== null && pause !== undefined)
      return `the queue is paused: quorate queue resume ${this.#queue}`;
    if (workers === null || workers === undefined || workers.cversion === 0)
      return 'no worker has ever registered for a queue of this name: check the name, and start an application that declares a worker for it';
    if (workers.numChildren > 0) return null;
    return 'no worker of the queue runs now: start an application that declares one';
  }
}
