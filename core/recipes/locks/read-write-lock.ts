import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client } from '../../client/index.js';
import { Contender, type BlockerOf } from '../contention/contender.js';
import { GrantedLock, type OnHeld } from '../contention/granted-lock.js';
import type { AcquireOptions, Hold, Lock } from '../contention/hold.js';
import { SharedHold } from '../contention/shared-hold.js';
import { CURATOR_READ, CURATOR_WRITE, KAZOO_LOCK, KAZOO_READ, sequenceOf } from '../contention/sequence.js';
import { AcquireTimeoutError, HoldMismatchError } from '../errors.js';
import { nameOf, pathBelow } from '../nodes/znode-name.js';
import { Deadline } from '../waiting/abort.js';
import { explainLine, type LockExplanation } from './explanation.js';
import { LOCK_OPTIONS, type LockOptions } from './fair-lock.js';

const WRITE_MARKERS = [CURATOR_WRITE, KAZOO_LOCK];
const KINDS = {
  [CURATOR_WRITE]: 'write',
  [KAZOO_LOCK]: 'write',
  [CURATOR_READ]: 'read',
  [KAZOO_READ]: 'read',
} as const;

const DOWNGRADE_OPTIONS: OptionNames<Pick<AcquireOptions, 'signal' | 'timeoutMs'>> = {
  signal: true,
  timeoutMs: true,
};

/**
 * A lock that many may hold for reading or one for writing, granted in the order of asking: a reader waits for the
 * writers that asked before it, a writer for everybody who did, so that neither kind starves the other.
 *
 * Layout: `/locks/<name>/_c_<uuid>-__READ__<sequence>` and `…-__WRIT__<sequence>`, that of Curator's
 * InterProcessReadWriteLock; kazoo's ReadLock and WriteLock of the same directory stand in the same line.
 *
 * Guarantees: as `FairLock`, of each writer against everybody. The fence of a hold is greater than that of every earlier
 * hold that it excludes; readers that hold at the same time have different ones. A release wakes one waiter, or the
 * readers that wait behind the same writer.
 *
 * A writer that holds may go on as a reader without letting another writer in between: `downgrade`. A reader can not
 * become a writer in place: two that tried would wait for each other for ever.
 */
export class ReadWriteLock {
  readonly path: string;
  /** Shared by all who read. */
  readonly read: Lock;
  /** Held by one. */
  readonly write: Lock;
  readonly #client: Client;
  readonly #options: LockOptions;

  /** `name` may have several segments. Throws `InvalidNameError`. */
  constructor(client: Client, name: string, options: LockOptions = {}) {
    checkOptions('ReadWriteLock', options, LOCK_OPTIONS);
    this.path = pathBelow(options.root ?? '/locks', name, 'lock');
    this.#client = client;
    this.#options = options;
    const side = (contender: Contender, which: 'read' | 'write'): Side =>
      new Side(client, this.path, contender, {
        identity: identityOf(this.path, which),
        onHeld: options.onHeld,
      });
    this.read = side(this.#contender(CURATOR_READ, lastWriterBefore()), 'read');
    this.write = side(this.#contender(CURATOR_WRITE), 'write');
  }

  /**
   * Holds for reading too what is held for writing, at once; release the writing hold afterwards. Other readers are let in then,
   * unless a writer asked before this call: no writer may come between, so the writing znode stays until the reading hold
   * is released, and other readers wait until that writer has had its turn.
   * @throws HoldMismatchError if `held` is no writing hold of this lock, or over.
   */
  async downgrade(held: Hold, options: Pick<AcquireOptions, 'signal' | 'timeoutMs'> = {}): Promise<Hold> {
    checkOptions('ReadWriteLock.downgrade', options, DOWNGRADE_OPTIONS);
    if (!isWriterOf(this.path, held)) throw new HoldMismatchError(this.path, held.path);
    if (held.signal.aborted) throw new HoldMismatchError(this.path, held.path, held.signal.reason);
    using deadline = new Deadline(
      this.#client.clock,
      options,
      (timeoutMs) => new AcquireTimeoutError(this.path, timeoutMs),
    );
    const contender = this.#contender(CURATOR_READ, lastWriterBefore(nameOf(held.path)));
    const own = await contender.contend(deadline.signal, 'none');
    const hold = own ?? SharedHold.within(held, identityOf(this.path, 'write'));
    this.#options.onHeld?.(hold);
    return SharedHold.first(hold, identityOf(this.path, 'read'));
  }

  /** Who holds it since when, and who waits, in order. */
  async explain(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<LockExplanation> {
    checkOptions('ReadWriteLock.explain', options, SIGNAL_OPTION);
    const reader = lastWriterBefore();
    const blockerOf: BlockerOf = (line, own) => (isWriter(line[own]!) ? own - 1 : reader(line, own));
    return explainLine(this.#client, { directory: this.path, kinds: KINDS, blockerOf }, options);
  }

  #contender(marker: string, blockerOf?: BlockerOf): Contender {
    return new Contender(this.#client, {
      directory: this.path,
      marker,
      otherMarkers: Object.keys(KINDS),
      data: this.#options.data,
      blockerOf,
      marksTurn: true,
    });
  }
}

class Side extends GrantedLock {
  readonly #contender: Contender;

  constructor(
    client: Client,
    path: string,
    contender: Contender,
    options: { readonly identity: string; readonly onHeld: OnHeld | undefined },
  ) {
    super(client, path, options);
    this.#contender = contender;
  }

  protected override contend(signal: AbortSignal, patience: 'endless' | 'none'): Promise<Hold | null> {
    return this.#contender.contend(signal, patience);
  }
}

/** The nearest writer before a reader, apart from one that is the reader's own. */
function lastWriterBefore(ownWriter?: string): BlockerOf {
  return (line, own) => line.findLastIndex((name, at) => at < own && name !== ownWriter && isWriter(name));
}

function isWriter(name: string): boolean {
  return sequenceOf(name, WRITE_MARKERS) !== null;
}

function isWriterOf(path: string, hold: Hold): boolean {
  return hold.path === `${path}/${nameOf(hold.path)}` && isWriter(nameOf(hold.path));
}

function identityOf(path: string, side: 'read' | 'write'): string {
  return `${path} (${side})`;
}
