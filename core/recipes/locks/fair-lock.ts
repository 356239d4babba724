import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import { Contender } from '../contention/contender.js';
import { GrantedLock, type OnHeld } from '../contention/granted-lock.js';
import type { Hold } from '../contention/hold.js';
import { CURATOR_LOCK, KAZOO_LOCK } from '../contention/sequence.js';
import { pathBelow } from '../nodes/znode-name.js';
import { explainLine, type LockExplanation } from './explanation.js';

export interface LockOptions {
  /** Parent of all locks; `/locks` by default. */
  readonly root?: string | undefined;
  /** Written to the own znode, for people who look, and for `explain`. */
  readonly data?: Uint8Array | string | undefined;
  /** Hears of every hold as it begins, once for all that share it. */
  readonly onHeld?: OnHeld | undefined;
}

export const LOCK_OPTIONS: OptionNames<LockOptions> = { root: true, data: true, onHeld: true };

/**
 * A lock that is granted in the order of asking. Every `acquire` stands in the line on its own, also twice from one
 * process, unless it says by `within` which hold of the lock it has already.
 *
 * Layout: `/locks/<name>/_c_<uuid>-lock-<sequence>`, ephemeral-sequential below container parents: that of
 * Curator's InterProcessMutex. Znodes of kazoo's Lock (`…__lock__<sequence>`) in the same directory stand in
 * the same line.
 *
 * Guarantees: among clients whose `signal` is respected at most one holds at any time; the holder's `fence`
 * grows from holder to holder; a release wakes one waiter only.
 *
 * A wait is in one of these states:
 * - entering: the own place is being made; a reply that was lost is looked up, so there is never a second one;
 * - waiting: behind another. While suspended it keeps its place, for the session may live. When the session is
 *   lost the place is too: it enters anew, at the end. It ends early only by its signal, its time limit, the
 *   client's close or the servers' refusal; a place given up is removed, in the background if need be;
 * - held: see `Hold`. Suspended changes nothing; lost aborts `signal`, and nothing is acquired anew by itself.
 */
export class FairLock extends GrantedLock {
  readonly #client: Client;
  readonly #contender: Contender;

  /** `name` may have several segments, such as `customers/42`. Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: LockOptions = {}) {
    super(client, pathBelow(options.root ?? '/locks', name, 'lock'), options);
    checkOptions('FairLock', options, LOCK_OPTIONS);
    this.#client = client;
    this.#contender = new Contender(client, {
      directory: this.path,
      marker: CURATOR_LOCK,
      otherMarkers: [KAZOO_LOCK],
      data: options.data,
      marksTurn: true,
    });
  }

  /** Who holds it since when, and who waits, in order. */
  async explain(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<LockExplanation> {
    checkOptions('FairLock.explain', options, SIGNAL_OPTION);
    const kinds = { [CURATOR_LOCK]: 'exclusive', [KAZOO_LOCK]: 'exclusive' } as const;
    return explainLine(this.#client, { directory: this.path, kinds }, options);
  }

  protected override contend(signal: AbortSignal, patience: 'endless' | 'none'): Promise<Hold | null> {
    return this.#contender.contend(signal, patience);
  }
}
