import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client, Session } from '../../client/index.js';
import { GrantedLock } from '../contention/granted-lock.js';
import { HeldNode } from '../contention/held-node.js';
import type { Hold } from '../contention/hold.js';
import {
  CURATOR_LEASE,
  CURATOR_LOCK,
  KAZOO_LOCK,
  orderContenders,
  protectedName,
} from '../contention/sequence.js';
import { InvalidPermitsError } from '../errors.js';
import { createOwnNode } from '../nodes/own-creation.js';
import { abandon, type OwnNode } from '../nodes/own-node.js';
import { listAndWatch } from '../nodes/watched-read.js';
import { nameOf, pathBelow } from '../nodes/znode-name.js';
import { orAborted } from '../waiting/abort.js';
import { isClosed, isSessionOver, nextSession } from '../waiting/failure.js';
import { explainLine, type LockExplanation } from './explanation.js';
import { FairLock, type LockOptions } from './fair-lock.js';

export interface SemaphoreOptions extends LockOptions {
  /** How many may hold it at the same time. All who use the name must give the same number. */
  readonly permits: number;
}

/** Whether the lease is one of those that may be held now; 'gone' if somebody deleted it. */
type Standing = 'held' | 'behind' | 'gone';

const SEMAPHORE_OPTIONS: OptionNames<SemaphoreOptions> = {
  permits: true,
  root: true,
  data: true,
  onHeld: true,
};

/**
 * A lock that as many as there are permits may hold at the same time, granted in the order of asking.
 *
 * Layout: that of Curator's InterProcessSemaphoreV2: a lease is `/locks/<name>/leases/_c_<uuid>-lease-<sequence>`,
 * ephemeral-sequential; who wants one holds the fair lock `/locks/<name>/locks` until it has it, so that only the first
 * in the line watches the leases.
 *
 * Guarantees: among clients whose `signal` is respected at most `permits` hold at any time. Each hold is of one permit, with
 * a fence of its own: greater than that of every hold that was over when it began.
 */
export class Semaphore extends GrantedLock {
  readonly permits: number;
  readonly #client: Client;
  readonly #line: FairLock;
  readonly #leases: string;
  readonly #data: Uint8Array | string | null;

  /** `name` may have several segments. Throws `InvalidNameError`, `InvalidPermitsError`. */
  constructor(client: Client, name: string, options: SemaphoreOptions) {
    super(client, pathBelow(options.root ?? '/locks', name, 'semaphore'), { onHeld: options.onHeld });
    checkOptions('Semaphore', options, SEMAPHORE_OPTIONS);
    if (!Number.isSafeInteger(options.permits) || options.permits < 1)
      throw new InvalidPermitsError(this.path, options.permits);
    this.permits = options.permits;
    this.#client = client;
    this.#line = new FairLock(client, 'locks', { root: this.path, data: options.data });
    this.#leases = `${this.path}/leases`;
    this.#data = options.data ?? null;
  }

  /** Who holds a permit since when, and who waits, in order. */
  async explain(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<LockExplanation> {
    checkOptions('Semaphore.explain', options, SIGNAL_OPTION);
    const lease = { directory: this.#leases, kinds: { [CURATOR_LEASE]: 'lease' as const } };
    const blockerOf = (_line: readonly string[], own: number): number => own - this.permits;
    const [leases, line] = await Promise.all([
      explainLine(this.#client, { ...lease, blockerOf }, options),
      explainLine(
        this.#client,
        { directory: this.#line.path, kinds: { [CURATOR_LOCK]: 'lease', [KAZOO_LOCK]: 'lease' } },
        options,
      ),
    ]);
    // Who holds the line waits for a lease, and may have made it already.
    const waiting = new Set(leases.waiters.map(({ sessionId }) => sessionId));
    const inLine = [...line.holders.filter(({ sessionId }) => !waiting.has(sessionId)), ...line.waiters];
    const waiters = [...leases.waiters, ...inLine.map(({ ...who }) => who)];
    return { path: this.path, holders: leases.holders, waiters };
  }

  protected override contend(signal: AbortSignal, patience: 'endless' | 'none'): Promise<Hold | null> {
    return patience === 'endless' ? this.#waitInLine(signal) : this.#tryOnce(signal);
  }

  async #waitInLine(signal: AbortSignal): Promise<Hold> {
    for (;;) {
      const turn = await this.#line.acquire({ signal });
      const { session } = this.#client;
      try {
        const hold = await this.#takeLease(session, signal, 'endless');
        if (hold !== null) return hold;
      } catch (error) {
        signal.throwIfAborted();
        if (isClosed(this.#client, error) || !isSessionOver(error, session)) throw error;
      } finally {
        // Nobody needs to wait until the next one's turn has come.
        turn.release().catch((error: unknown) => {
          const { path } = turn;
          this.#client.logger.warn('a turn was not given back; it goes with its session', { path, error });
        });
      }
    }
  }

  /** Past the line: whoever waits in it has its lease already, or finds that there are none. */
  async #tryOnce(signal: AbortSignal): Promise<Hold | null> {
    let previous: Session | null = null;
    for (;;) {
      const session = await nextSession(this.#client, previous, signal);
      try {
        return await this.#takeLease(session, signal, 'none');
      } catch (error) {
        signal.throwIfAborted();
        if (isClosed(this.#client, error) || !isSessionOver(error, session)) throw error;
        previous = session;
      }
    }
  }

  /** Null: no permit is free, or, to one that waits, somebody deleted its lease. */
  async #takeLease(
    session: Session,
    signal: AbortSignal,
    patience: 'endless' | 'none',
  ): Promise<Hold | null> {
    const own = await this.#enter(session, signal);
    try {
      const standing = await this.#waitForPermit(own, signal, patience);
      if (standing === 'held') return new HeldNode(this.#client, own);
      if (standing === 'behind') abandon(this.#client, own);
      return null;
    } catch (error) {
      abandon(this.#client, own);
      throw error;
    }
  }

  #enter(session: Session, signal: AbortSignal): Promise<OwnNode> {
    const path = `${this.#leases}/${protectedName(this.#client.random.uuid(), CURATOR_LEASE)}`;
    const creation = { path, data: this.#data, isSequential: true, session };
    return createOwnNode(this.#client, creation, signal);
  }

  async #waitForPermit(own: OwnNode, signal: AbortSignal, patience: 'endless' | 'none'): Promise<Standing> {
    const signals = [signal, own.session.signal];
    for (;;) {
      const read = await listAndWatch(this.#client, this.#leases, { session: own.session, signals });
      try {
        const standing = this.#standing(read.children, own);
        if (standing !== 'behind' || patience === 'none') return standing;
        await orAborted(read.changed, ...signals);
      } finally {
        read.cancel();
      }
    }
  }

  #standing(children: readonly string[], own: OwnNode): Standing {
    const position = orderContenders(children, [CURATOR_LEASE]).indexOf(nameOf(own.path));
    if (position < 0) return 'gone';
    return position < this.permits ? 'held' : 'behind';
  }
}
