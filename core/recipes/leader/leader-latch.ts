import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import type { Hold } from '../contention/hold.js';
import { CURATOR_LATCH, orderContenders } from '../contention/sequence.js';
import { pathBelow } from '../nodes/znode-name.js';
import { EventHub } from '../streams/event-hub.js';
import { aborted } from '../waiting/abort.js';
import { repeatRead, hasCode } from '../waiting/failure.js';
import { Candidacy, type NextTerm, type RecipeState } from './candidacy.js';

export type { RecipeState } from './candidacy.js';

export interface LeaderLatchOptions {
  /** Parent of all elections; `/leaders` by default. */
  readonly root?: string | undefined;
  /** Says who this participant is; a random UUID by default. */
  readonly id?: string | undefined;
}

/** One that stands for the leadership. */
export interface LatchParticipant {
  readonly id: string;
  readonly isLeader: boolean;
  readonly path: string;
}

const LATCH_OPTIONS: OptionNames<LeaderLatchOptions> = { root: true, id: true };

/**
 * Election of one leader among those that started a latch of the same name.
 *
 * Layout: `/leaders/<name>/_c_<uuid>-latch-<sequence>`, ephemeral-sequential, its data the participant's id:
 * that of Curator's LeaderLatch, with which it can compete. The lowest sequence number leads.
 *
 * - latent: made, not yet started; takes no part;
 * - started: stands in the line, or leads (`leadership` is not null). Suspended changes nothing, neither for a
 *   candidate nor for a leader: the session may live. Lost aborts the leadership's signal at once, before
 *   another can lead, and the latch stands again in the next session, at the end of the line. A leader that
 *   releases its hold goes to the end of the line too. A refusal by the servers (permissions, quota) is
 *   logged and tried again;
 * - closed: gave everything up; final.
 *
 * Guarantees: among participants that respect their signal at most one leads at any time; `fence` grows from
 * leadership to leadership; a candidate watches only the one before it.
 */
export class LeaderLatch implements AsyncDisposable {
  readonly path: string;
  readonly id: string;
  readonly #client: Client;
  readonly #candidacy: Candidacy;
  /** A slow reader needs only the latest leadership. */
  readonly #leaderships = new EventHub<Hold>(
    () => 'leadership',
    (_earlier, later) => later,
  );

  /** Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: LeaderLatchOptions = {}) {
    checkOptions('LeaderLatch', options, LATCH_OPTIONS);
    this.path = pathBelow(options.root ?? '/leaders', name, 'leadership');
    this.id = options.id ?? client.random.uuid();
    this.#client = client;
    this.#candidacy = new Candidacy(client, {
      recipe: 'LeaderLatch',
      line: { directory: this.path, marker: CURATOR_LATCH, data: this.id },
      lead: (term) => this.#lead(term),
      ended: () => this.#leaderships.end(),
    });
  }

  get state(): RecipeState {
    return this.#candidacy.state;
  }

  /** Whether it is known to have its place in the line, be it the first: it leads, or will when its turn comes. */
  get isStanding(): boolean {
    return this.#candidacy.isStanding;
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
   * Every leadership of this participant from now on, the present one first. Ends when `signal` aborts or the
   * latch or its client closes. A leadership may be over by the time it is taken from the iterator: its signal says so.
   */
  leaderships(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterableIterator<Hold> {
    checkOptions('LeaderLatch.leaderships', options, SIGNAL_OPTION);
    return this.#leaderships.events(options, this.leadership === null ? [] : [this.leadership]);
  }

  /** In order: the leader first. Works in every state. */
  async participants(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<readonly LatchParticipant[]> {
    checkOptions('LeaderLatch.participants', options, SIGNAL_OPTION);
    const found = await Promise.all((await this.#line(options)).map((name) => this.#read(name, options)));
    return found
      .filter((participant) => participant !== null)
      .map((participant, position) => ({ ...participant, isLeader: position === 0 }));
  }

  async leader(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<LatchParticipant | null> {
    checkOptions('LeaderLatch.leader', options, SIGNAL_OPTION);
    for (const name of await this.#line(options)) {
      const first = await this.#read(name, options);
      if (first !== null) return { ...first, isLeader: true };
    }
    return null;
  }

  /** Gives up leadership and candidacy. Idempotent. */
  close(): Promise<void> {
    this.#leaderships.end();
    return this.#candidacy.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #lead(term: Hold): Promise<NextTerm> {
    this.#leaderships.emit(term);
    await aborted(term.signal);
    return 'at once';
  }

  async #line(options: { readonly signal?: AbortSignal | undefined }): Promise<readonly string[]> {
    try {
      const { children } = await repeatRead(this.#client, options, () =>
        this.#client.getChildren(this.path, options),
      );
      return orderContenders(children, [CURATOR_LATCH]);
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  /** Null if it is gone meanwhile. */
  async #read(
    name: string,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<{ readonly id: string; readonly path: string } | null> {
    const path = `${this.path}/${name}`;
    try {
      const { data } = await repeatRead(this.#client, options, () => this.#client.getData(path, options));
      return { id: new TextDecoder().decode(data ?? new Uint8Array()), path };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }
}
