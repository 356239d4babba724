import { checkOptions, type OptionNames } from '../../runtime/index.js';
import type { Client, Session } from '../../client/index.js';
import { AcquireTimeoutError } from '../errors.js';
import { lowerFlag, raiseFlag } from '../nodes/flag-node.js';
import { pathBelow } from '../nodes/znode-name.js';
import { readAndWatch } from '../nodes/watched-read.js';
import { Deadline, orAborted } from '../waiting/abort.js';
import { isClosed, isSessionOver, nextSession, repeatIdempotent } from '../waiting/failure.js';

export interface BarrierOptions {
  /** Parent of all barriers; `/barriers` by default. */
  readonly root?: string | undefined;
}

export interface BarrierWait {
  /** Stops waiting and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Stops waiting and rejects with `AcquireTimeoutError`; no limit if left out. */
  readonly timeoutMs?: number | undefined;
}

const BARRIER_OPTIONS: OptionNames<BarrierOptions> = { root: true };
export const BARRIER_WAIT: OptionNames<BarrierWait> = { signal: true, timeoutMs: true };

/**
 * A gate: while it is closed everybody who comes waits, and all go on when it is opened.
 *
 * Layout: `/barriers/<name>` is there while it is closed, persistent: that of Curator's DistributedBarrier. It stays closed
 * when who closed it is gone.
 */
export class Barrier {
  readonly path: string;
  readonly #client: Client;

  /** `name` may have several segments. Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: BarrierOptions = {}) {
    checkOptions('Barrier', options, BARRIER_OPTIONS);
    this.path = pathBelow(options.root ?? '/barriers', name, 'barrier');
    this.#client = client;
  }

  /**
   * Resolves when it is closed, by this call or before. One call closes it once at most, whatever breaks.
   * @throws OutcomeUnknownError if it may have been closed, and opened by another meanwhile, or may yet be.
   */
  async close(): Promise<void> {
    await raiseFlag(this.#client, this.path, { createParents: true });
  }

  /**
   * Resolves when it is open, by this call or before. One call opens it once at most, whatever breaks.
   * @throws OutcomeUnknownError if it may yet be opened by this call.
   */
  async open(): Promise<void> {
    await lowerFlag(this.#client, this.path);
  }

  /** Resolves when it is open, at once if it is. The wait goes on over the loss of sessions. */
  async passed(options: BarrierWait = {}): Promise<void> {
    checkOptions('Barrier.passed', options, BARRIER_WAIT);
    using deadline = new Deadline(
      this.#client.clock,
      options,
      (timeoutMs) => new AcquireTimeoutError(this.path, timeoutMs),
    );
    const { signal } = deadline;
    let previous: Session | null = null;
    let isCertain = false;
    for (;;) {
      const session = await nextSession(this.#client, previous, signal);
      try {
        const read = await readAndWatch(this.#client, this.path, {
          session,
          signals: [signal, session.signal],
        });
        if (read === null) {
          if (isCertain) return;
          // The server that is asked may not have heard yet that it was closed.
          const sync = () => this.#client.sync(this.path, { session: session.epoch });
          await orAborted(
            repeatIdempotent(this.#client, sync, signal, session.signal),
            signal,
            session.signal,
          );
          isCertain = true;
          continue;
        }
        isCertain = true;
        await orAborted(read.changed, signal, session.signal).finally(() => read.cancel());
      } catch (error) {
        signal.throwIfAborted();
        if (isClosed(this.#client, error) || !isSessionOver(error, session)) throw error;
        previous = session;
      }
    }
  }
}
