import type { Logger } from '../runtime/index.js';
import type { ConnectionState, Session } from './client.js';
import { EventStream } from './event-stream.js';

type StateListener = (state: ConnectionState, session: Session) => void;

/** Changes of state that wait for a slow consumer of `states`; beyond them the oldest go. */
const STATES_LIMIT = 64;

/**
 * The state of a client and whoever wants to know of its changes. Listeners are called synchronously, each with every
 * change in order, also when one of them causes the next change; what one throws is logged and disturbs nobody.
 */
export class StateFeed {
  readonly #logger: Logger;
  readonly #listeners = new Set<{ readonly call: StateListener }>();
  #state: ConnectionState = 'connecting';
  #news: { readonly state: ConnectionState; readonly session: Session }[] = [];
  #isTelling = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Enters a state and tells everybody. */
  announce(state: ConnectionState, session: Session): void {
    this.enter(state, session);
    this.tell();
  }

  /** Enters a state; nobody is told before `tell`. */
  enter(state: ConnectionState, session: Session): void {
    this.#state = state;
    this.#news.push({ state, session });
  }

  tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let next = this.#news.shift(); next !== undefined; next = this.#news.shift()) {
      for (const listener of Array.from(this.#listeners)) this.#call(listener.call, next);
    }
    this.#isTelling = false;
  }

  listen(listener: StateListener): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Every state from the present one on; ends after `closed`. */
  stream(signal: AbortSignal | undefined): AsyncIterable<ConnectionState> {
    const states = new EventStream<ConnectionState>({
      limit: STATES_LIMIT,
      overflow: (buffer, state) => [...buffer.slice(1), state],
      signal,
      ended: () => stop(),
    });
    const take = (state: ConnectionState): void => {
      states.push(state);
      if (state === 'closed') states.end();
    };
    let stop = (): void => undefined;
    if (states.isOver) return states;
    if (this.#state !== 'closed') stop = this.listen(take);
    take(this.#state);
    return states;
  }

  #call(
    listener: StateListener,
    { state, session }: { readonly state: ConnectionState; readonly session: Session },
  ): void {
    try {
      listener(state, session);
    } catch (error) {
      this.#logger.error('a listener of the connection state threw', { state, error });
    }
  }
}
