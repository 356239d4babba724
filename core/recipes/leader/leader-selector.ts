import type { Client } from '../../client/index.js';
import { Contender } from '../contention/contender.js';
import type { Hold } from '../contention/hold.js';
import { CURATOR_LOCK } from '../contention/sequence.js';
import { RecipeStateError } from '../errors.js';
import { pathBelow } from '../nodes/znode-name.js';
import { isClosed, pause } from '../waiting/failure.js';
import type { RecipeState } from './leader-latch.js';

export interface LeaderSelectorOptions {
  /** Parent of all elections; `/leaders` by default. */
  readonly root?: string | undefined;
  /** Says who this participant is; a random UUID by default. */
  readonly id?: string | undefined;
  /** Stand again when a leadership is over; true by default. */
  readonly requeue?: boolean | undefined;
}

/**
 * Election in turns: whoever is first leads for as long as its task runs, then the next one does.
 *
 * Layout: `/leaders/<name>/_c_<uuid>-lock-<sequence>`, that of Curator's LeaderSelector, with which it can compete; not that of a
 * latch, so a name is for one of the two.
 *
 * - latent → started, by `start` → closed, by `close` or, without `requeue`, after one leadership.
 * - A task is told by `hold.signal` when its leadership is lost; the next in the line begins whether the task has ended or not,
 *   so it has to obey. What it throws is logged, and the leadership over.
 *
 * Guarantees: those of `LeaderLatch`. This participant never leads twice at the same time: it stands again only when its task
 * has ended.
 */
export class LeaderSelector implements AsyncDisposable {
  readonly path: string;
  readonly id: string;
  readonly #client: Client;
  readonly #contender: Contender;
  readonly #task: (hold: Hold) => unknown;
  readonly #requeue: boolean;
  readonly #closing = new AbortController();
  #state: RecipeState = 'latent';
  #leadership: Hold | null = null;
  #standing: Promise<void> = Promise.resolve();

  /** `task` leads for as long as it runs. Throws `InvalidNameError`. */
  constructor(
    client: Client,
    name: string,
    task: (hold: Hold) => unknown,
    options: LeaderSelectorOptions = {},
  ) {
    this.path = pathBelow(options.root ?? '/leaders', name, 'leadership');
    this.id = options.id ?? client.random.uuid();
    this.#client = client;
    this.#task = task;
    this.#requeue = options.requeue ?? true;
    this.#contender = new Contender(client, { directory: this.path, marker: CURATOR_LOCK, data: this.id });
  }

  get state(): RecipeState {
    return this.#state;
  }

  /** The leadership, if this participant has it now. */
  get leadership(): Hold | null {
    return this.#leadership;
  }

  /** Stands for election. Throws `RecipeStateError` if called twice or after `close`. */
  start(): this {
    if (this.#state !== 'latent')
      throw new RecipeStateError('LeaderSelector', this.path, this.#state, 'start');
    this.#state = 'started';
    this.#standing = this.#stand();
    return this;
  }

  /** Gives up leadership and candidacy; resolves when its task has ended too. Idempotent. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#closing.abort(new RecipeStateError('LeaderSelector', this.path, 'closed', 'leading'));
    await this.#leadership?.release();
    await this.#standing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #stand(): Promise<void> {
    const { signal } = this.#closing;
    for (let refusals = 0; !signal.aborted;) {
      try {
        const hold = await this.#contender.contend(signal, 'endless');
        refusals = 0;
        await this.#lead(hold!);
        if (!this.#requeue) break;
      } catch (error) {
        if (signal.aborted || isClosed(this.#client, error)) break;
        this.#client.logger.error('standing for election was refused', { path: this.path, error });
        await pause(this.#client, ++refusals, signal).catch(() => undefined);
      }
    }
    this.#state = 'closed';
  }

  async #lead(hold: Hold): Promise<void> {
    this.#leadership = hold;
    try {
      if (!this.#closing.signal.aborted) await this.#task(hold);
    } catch (error) {
      if (!hold.signal.aborted) this.#client.logger.error('a leader failed', { path: this.path, error });
    } finally {
      this.#leadership = null;
      await hold.release();
    }
  }
}
