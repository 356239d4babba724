import type { Client } from '../../client/index.js';
import { Contender } from '../contention/contender.js';
import type { AcquireOptions, Hold, Lock } from '../contention/hold.js';
import { CURATOR_LOCK, KAZOO_LOCK } from '../contention/sequence.js';
import { AcquireTimeoutError } from '../errors.js';
import { pathBelow } from '../nodes/znode-name.js';
import { Deadline } from '../waiting/abort.js';

export interface LockOptions {
  /** Parent of all locks; `/locks` by default. */
  readonly root?: string | undefined;
  /** Written to the own znode, for people who look. */
  readonly data?: Uint8Array | string | undefined;
}

/**
 * A lock that is granted in the order of asking. Not reentrant: every `acquire` stands in the line on its own,
 * also twice from one process.
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
export class FairLock implements Lock {
  readonly path: string;
  readonly #client: Client;
  readonly #contender: Contender;

  /** `name` may have several segments, such as `customers/42`. Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: LockOptions = {}) {
    this.path = pathBelow(options.root ?? '/locks', name, 'lock');
    this.#client = client;
    this.#contender = new Contender(client, {
      directory: this.path,
      marker: CURATOR_LOCK,
      otherMarkers: [KAZOO_LOCK],
      data: options.data,
    });
  }

  async acquire(options: AcquireOptions = {}): Promise<Hold> {
    using deadline = new Deadline(
      this.#client.clock,
      options,
      (timeoutMs) => new AcquireTimeoutError(this.path, timeoutMs),
    );
    const hold = await this.#contender.contend(deadline.signal, 'endless');
    return hold!;
  }

  async tryAcquire(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Hold | null> {
    using deadline = new Deadline(this.#client.clock, options, () => undefined);
    return await this.#contender.contend(deadline.signal, 'none');
  }

  async run<T>(task: (hold: Hold) => T | Promise<T>, options: AcquireOptions = {}): Promise<T> {
    await using hold = await this.acquire(options);
    return await task(hold);
  }
}
