import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client, Session } from '../../client/index.js';
import { GrantedLock, type OnHeld } from '../contention/granted-lock.js';
import { HeldNode } from '../contention/held-node.js';
import type { Hold } from '../contention/hold.js';
import { LayoutConflictError } from '../errors.js';
import { createContended } from '../nodes/contended-node.js';
import { readAndWatch } from '../nodes/watched-read.js';
import { pathBelow } from '../nodes/znode-name.js';
import { orAborted } from '../waiting/abort.js';
import { repeatRead, hasCode, isClosed, isSessionOver, nextSession } from '../waiting/failure.js';
import { CountedGuard, createCounted } from './acquisition-counter.js';

export interface TryLockOptions {
  /** Parent of all locks; `/locks` by default. */
  readonly root?: string | undefined;
  /** Says who holds it; readable by everybody with `owner()`. */
  readonly owner?: string | undefined;
  /** Hears of every hold as it begins, once for all that share it. */
  readonly onHeld?: OnHeld | undefined;
}

/** Who holds a try-lock. */
export interface LockOwner {
  /** As given by the holder; null if it gave nothing, or another program made the znode. */
  readonly owner: string | null;
  readonly sessionId: bigint;
  readonly fence: bigint;
  /** Milliseconds since 1970, by the servers' clock. */
  readonly since: number;
}

const TRY_LOCK_OPTIONS: OptionNames<TryLockOptions> = { root: true, owner: true, onHeld: true };

/**
 * A lock for "do it unless somebody else is at it": cheaper than `FairLock` when nobody is meant to wait.
 *
 * Layout: `/locks/<name>` as one ephemeral znode, the plain recipe; its data says who holds it. A name must not
 * be used for a `FairLock` as well. The version of `/locks/_counters_/<number>` grows with every acquisition, in the same
 * transaction, for fenced writes: whoever acquires without it (version 0.1.0, other programs) keeps out nobody's late write.
 *
 * Guarantees: as `FairLock`, but without order: all who wait are woken by a release and one of them wins.
 *
 * States and what changes them are those of `FairLock`: suspended changes nothing, a lost session aborts the
 * hold and lets a waiter go on waiting in the next one. Whether a create whose reply was lost took effect is
 * told by a token in the data, unique to the attempt, so a znode of an older session, or of another user of the
 * same client, never counts as held.
 */
export class TryLock extends GrantedLock {
  readonly #client: Client;
  readonly #owner: string | null;

  /** `name` may have several segments. Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: TryLockOptions = {}) {
    super(client, pathBelow(options.root ?? '/locks', name, 'lock'), options);
    checkOptions('TryLock', options, TRY_LOCK_OPTIONS);
    this.#client = client;
    this.#owner = options.owner ?? null;
  }

  /** Null if nobody holds it now. */
  async owner(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<LockOwner | null> {
    checkOptions('TryLock.owner', options, SIGNAL_OPTION);
    try {
      const { data, stat } = await repeatRead(this.#client, options, () =>
        this.#client.getData(this.path, options),
      );
      if (stat.ephemeralOwner === 0n) return null;
      return {
        owner: decodeMark(data)?.owner ?? null,
        sessionId: stat.ephemeralOwner,
        fence: stat.czxid,
        since: stat.ctime,
      };
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return null;
      throw error;
    }
  }

  protected override async contend(signal: AbortSignal, patience: 'endless' | 'none'): Promise<Hold | null> {
    if (patience === 'none') return this.#attempt(signal, () => Promise.resolve());
    for (;;) {
      const hold = await this.#attempt(signal, (session) => this.#waitUntilFree(session, signal));
      if (hold !== null) return hold;
    }
  }

  /** One try; if it is taken `whenTaken` decides how long to wait before null says "try again". */
  async #attempt(
    signal: AbortSignal,
    whenTaken: (session: Session) => Promise<void>,
  ): Promise<HeldNode | null> {
    let previous: Session | null = null;
    for (;;) {
      const session = await nextSession(this.#client, previous, signal);
      try {
        const hold = await this.#create(session, signal);
        if (hold !== null) return hold;
        await whenTaken(session);
        return null;
      } catch (error) {
        signal.throwIfAborted();
        if (isClosed(this.#client, error) || !isSessionOver(error, session)) throw error;
        previous = session;
      }
    }
  }

  /** Null if another's is there. */
  async #create(session: Session, signal: AbortSignal): Promise<HeldNode | null> {
    const { path } = this;
    const token = this.#client.random.uuid();
    const data = JSON.stringify({ owner: this.#owner, token });
    let version: number | null = null;
    const create = async (): Promise<bigint | null> => {
      const created = await createCounted(this.#client, path, { data, session: session.epoch });
      ({ version } = created);
      return created.czxid;
    };
    const tokenOf = (found: Uint8Array | null): string | null => decodeMark(found)?.token ?? null;
    const creation = { path, token, session, tokenOf, create };
    const node = await createContended(this.#client, creation, signal);
    if (node === null) return null;
    return new HeldNode(this.#client, node, new CountedGuard(this.#client, node, version));
  }

  async #waitUntilFree(session: Session, signal: AbortSignal): Promise<void> {
    const signals = [signal, session.signal];
    const read = await readAndWatch(this.#client, this.path, { session, signals });
    if (read === null) return;
    try {
      if (read.stat.ephemeralOwner === 0n)
        throw new LayoutConflictError(
          this.path,
          'is not ephemeral, so it is not a lock that would ever be free',
        );
      await orAborted(read.changed, ...signals);
    } finally {
      read.cancel();
    }
  }
}

interface Mark {
  readonly owner: string | null;
  readonly token: string | null;
}

function decodeMark(data: Uint8Array | null): Mark | null {
  if (data === null) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    if (typeof value !== 'object' || value === null) return null;
    const { owner, token } = value as Readonly<Record<string, unknown>>;
    return {
      owner: typeof owner === 'string' ? owner : null,
      token: typeof token === 'string' ? token : null,
    };
  } catch {
    return null;
  }
}
