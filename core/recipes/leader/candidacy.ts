import type { Client, Session } from '../../client/index.js';
import { Contender, type Line } from '../contention/contender.js';
import type { Hold } from '../contention/hold.js';
import { HoldReleasedError, RecipeStateError } from '../errors.js';
import { isClosed, pause } from '../waiting/failure.js';

export type RecipeState = 'latent' | 'started' | 'closed';

/** Stand again at once, or after a pause that grows from one time to the next, or never again. */
export type NextTerm = 'at once' | 'later' | 'never';

export interface CandidacyOptions {
  /** Whose it is, for errors. */
  readonly recipe: string;
  /** Its data says who the candidate is. */
  readonly line: Line;
  /** Leads until it settles; rejects never. To be over soon after `term.signal` has aborted. */
  readonly lead: (term: Hold) => Promise<NextTerm>;
  /** It stands no more: closed, its client closed, or as `lead` decided. Called once. */
  readonly ended: () => void;
}

/**
 * Standing for election, again and again: what all elections have in common.
 *
 * - latent → started, by `start` → closed, by `close`, with the client, or as `lead` decides; final.
 * - While started it has its place in the line, or leads, or waits for a connection. What the servers refuse (permissions,
 *   quota) is logged and tried again after a pause.
 *
 * Guarantees: the signal of a term aborts before its znode goes, and its znode goes only when `lead` has settled, or its
 * session is lost; nobody stands again before that. So a candidate is never followed by itself, and one that is closed is
 * followed by another only when what it did as a leader has ended.
 */
export class Candidacy {
  readonly #client: Client;
  readonly #options: CandidacyOptions;
  readonly #contender: Contender;
  readonly #closing = new AbortController();
  #state: RecipeState = 'latent';
  #leadership: Hold | null = null;
  /** In which it has its place in the line. */
  #placedIn: Session | null = null;
  #standing: Promise<void> = Promise.resolve();

  constructor(client: Client, options: CandidacyOptions) {
    this.#client = client;
    this.#options = options;
    this.#contender = new Contender(client, options.line);
  }

  get state(): RecipeState {
    return this.#state;
  }

  /** Whether it is known to have its place in the line, be it the first. */
  get isStanding(): boolean {
    return this.#state === 'started' && this.#placedIn?.signal.aborted === false;
  }

  /** The present term. */
  get leadership(): Hold | null {
    return this.#leadership;
  }

  /** Throws `RecipeStateError` if called twice or after `close`. */
  start(): void {
    if (this.#state !== 'latent') throw this.#misuse('start');
    this.#state = 'started';
    this.#standing = this.#stand();
  }

  /** Resolves when `lead` has settled and the place in the line is given up. Idempotent. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#closing.abort(this.#misuse('leading'));
    await this.#standing;
  }

  async #stand(): Promise<void> {
    const { signal } = this.#closing;
    let next: NextTerm = 'at once';
    for (let failures = 0; next !== 'never' && !signal.aborted;) {
      try {
        next = await this.#standOnce(signal);
      } catch (error) {
        if (signal.aborted || isClosed(this.#client, error)) break;
        const path = this.#options.line.directory;
        this.#client.logger.error('standing for election was refused', { path, error });
        next = 'later';
      }
      failures = next === 'later' ? failures + 1 : 0;
      if (next === 'later') await pause(this.#client, failures, signal).catch(() => undefined);
    }
    this.#state = 'closed';
    this.#options.ended();
  }

  async #standOnce(closing: AbortSignal): Promise<NextTerm> {
    try {
      const hold = await this.#contender.contend(closing, 'endless', (session) => (this.#placedIn = session));
      return await this.#lead(hold!, closing);
    } finally {
      this.#placedIn = null;
    }
  }

  async #lead(hold: Hold, closing: AbortSignal): Promise<NextTerm> {
    const term = new Term(hold);
    const end = (): void => term.end();
    closing.addEventListener('abort', end, { once: true });
    try {
      if (closing.aborted) return 'never';
      this.#leadership = term;
      return await this.#options.lead(term);
    } finally {
      closing.removeEventListener('abort', end);
      this.#leadership = null;
      await term.release();
    }
  }

  #misuse(attempted: string): RecipeStateError {
    const { recipe, line } = this.#options;
    return new RecipeStateError(recipe, line.directory, this.#state, attempted);
  }
}

/** A leadership: a hold of which the leader can be told to come to an end before it is given back. */
class Term implements Hold {
  readonly #held: Hold;
  readonly #over = new AbortController();

  constructor(held: Hold) {
    this.#held = held;
    const end = (): void => this.#over.abort(held.signal.reason);
    if (held.signal.aborted) end();
    else held.signal.addEventListener('abort', end, { once: true });
  }

  get path(): string {
    return this.#held.path;
  }

  get fence(): bigint {
    return this.#held.fence;
  }

  get ensembleId(): string | null {
    return this.#held.ensembleId;
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Its leader is to stop; until then nobody else leads. */
  end(): void {
    this.#over.abort(new HoldReleasedError(this.path));
  }

  release(): Promise<void> {
    return this.#held.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
