import { checkOptions, type OptionNames } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import type { Hold } from '../contention/hold.js';
import { CURATOR_LOCK } from '../contention/sequence.js';
import { pathBelow } from '../nodes/znode-name.js';
import { isWithinTaskOf, runOwned } from '../waiting/own-task.js';
import { Candidacy, type NextTerm, type RecipeState } from './candidacy.js';

export interface LeaderSelectorOptions {
  /** Parent of all elections; `/leaders` by default. */
  readonly root?: string | undefined;
  /** Says who this participant is; a random UUID by default. */
  readonly id?: string | undefined;
  /** Stand again when a leadership is over; true by default. */
  readonly requeue?: boolean | undefined;
}

const SELECTOR_OPTIONS: OptionNames<LeaderSelectorOptions> = { root: true, id: true, requeue: true };

/**
 * Election in turns: whoever is first leads for as long as its task runs, then the next one does.
 *
 * Layout: `/leaders/<name>/_c_<uuid>-lock-<sequence>`, that of Curator's LeaderSelector, with which it can compete; not that of a
 * latch, so a name is for one of the two.
 *
 * - latent → started, by `start` → closed, by `close` or, without `requeue`, after one leadership.
 * - A task is told by `hold.signal` when its leadership is lost; the next in the line begins whether the task has ended or not,
 *   so it has to obey. On `close` it is told too, and the next one waits for its end. What it throws is logged, and the
 *   leadership over; it stands again after a pause, which grows from failure to failure.
 *
 * Guarantees: those of `LeaderLatch`. This participant never leads twice at the same time: it stands again only when its task
 * has ended.
 */
export class LeaderSelector implements AsyncDisposable {
  readonly path: string;
  readonly id: string;
  readonly #client: Client;
  readonly #task: (hold: Hold) => unknown;
  readonly #requeue: boolean;
  readonly #candidacy: Candidacy;

  /** `task` leads for as long as it runs. Throws `InvalidNameError`. */
  constructor(
    client: Client,
    name: string,
    task: (hold: Hold) => unknown,
    options: LeaderSelectorOptions = {},
  ) {
    checkOptions('LeaderSelector', options, SELECTOR_OPTIONS);
    this.path = pathBelow(options.root ?? '/leaders', name, 'leadership');
    this.id = options.id ?? client.random.uuid();
    this.#client = client;
    this.#task = task;
    this.#requeue = options.requeue ?? true;
    this.#candidacy = new Candidacy(client, {
      recipe: 'LeaderSelector',
      line: { directory: this.path, marker: CURATOR_LOCK, data: this.id },
      lead: (term) => this.#lead(term),
      ended: () => undefined,
    });
  }

  get state(): RecipeState {
    return this.#candidacy.state;
  }

  /** The leadership, if this participant has it now. */
  get leadership(): Hold | null {
    return this.#candidacy.leadership;
  }

  /** Stands for election. Throws `RecipeStateError` if called twice or after `close`. */
  start(): this {
    this.#candidacy.start();
    return this;
  }

  /**
   * Gives up leadership and candidacy: its task is told by its signal, and another leads when it has ended. Resolves when it
   * has; within the task itself at once. Idempotent.
   */
  async close(): Promise<void> {
    const closed = this.#candidacy.close();
    if (!isWithinTaskOf(this)) await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #lead(term: Hold): Promise<NextTerm> {
    let next: NextTerm = 'at once';
    try {
      await runOwned(this, () => this.#task(term));
    } catch (error) {
      // Throwing the signal's own reason is how well-behaved code answers to it.
      if (!term.signal.aborted || error !== term.signal.reason) {
        this.#client.logger.error('a leader failed', { path: this.path, error });
        next = 'later';
      }
    }
    return this.#requeue ? next : 'never';
  }
}
