import { checkOptions, type OptionNames, SIGNAL_OPTION } from '../../runtime/index.js';
import type { Client, Created, Session } from '../../client/index.js';
import { RecipeStateError } from '../errors.js';
import { Deadline, orAborted } from '../waiting/abort.js';
import {
  hasCode,
  isClosed,
  isSessionOver,
  isTransient,
  nextSession,
  pause,
  repeatIdempotent,
} from '../waiting/failure.js';
import { findOwnNode, ownNode } from './own-creation.js';
import { removeOwnNode, type OwnNode } from './own-node.js';
import { readAndWatch } from './watched-read.js';

export interface KeptNodeOptions {
  /** Of a sequential one: the path without its number, which must be unique among the kept nodes of this client. */
  readonly path: string;
  readonly data: Uint8Array | string | null;
  readonly isSequential: boolean;
}

type Data = Uint8Array | string | null;

/** Session timeouts after which a znode in the way is not that of an own session which the servers still count as alive. */
const TAKEN_TIMEOUTS = 2;

/** Someone who waits until the servers have the data of this revision. */
interface Waiter {
  readonly revision: number;
  resolve(): void;
  reject(error: unknown): void;
}

const KEPT_OPTIONS: OptionNames<KeptNodeOptions> = { path: true, data: true, isSequential: true };

/**
 * An own ephemeral znode that is made true again whenever it is not: after the loss of the session, and after
 * somebody deleted it. (Curator's PersistentNode.)
 *
 * - latent → started by `start`, closed by `close` (or with the client); closed is final and removes the znode;
 * - while started it is *there* (`isThere`) or *missing*. Suspended changes nothing. Lost makes it missing; the next
 *   session creates it. Of a path that is taken by another session — usually the own older one, of which the servers
 *   have not heard yet that it is over — it waits until that is gone, with a warning after two session timeouts. A refusal is logged and
 *   tried again.
 *
 * Whether a create whose reply was lost took effect is told by the owner of what is found: a node of an older session
 * never counts as the own one.
 */
export class KeptNode implements AsyncDisposable {
  readonly #client: Client;
  readonly #options: KeptNodeOptions;
  readonly #closing = new AbortController();
  #state: 'latent' | 'started' | 'closed' = 'latent';
  #data: Data;
  /** Grows with every `setData`; the servers have `#appliedRevision`. */
  #revision = 0;
  #appliedRevision = -1;
  #waiters: Waiter[] = [];
  #wake: (() => void) | null = null;
  #node: OwnNode | null = null;
  #keeping: Promise<void> = Promise.resolve();

  constructor(client: Client, options: KeptNodeOptions) {
    checkOptions('KeptNode', options, KEPT_OPTIONS);
    this.#client = client;
    this.#options = options;
    this.#data = options.data;
  }

  get state(): 'latent' | 'started' | 'closed' {
    return this.#state;
  }

  /** Whether the znode is known to be there now. */
  get isThere(): boolean {
    return this.#node !== null;
  }

  /** Path with its number, while it is there. */
  get path(): string | null {
    return this.#node?.path ?? null;
  }

  start(): this {
    if (this.#state !== 'latent') throw this.#misuse('start');
    this.#state = 'started';
    this.#keeping = this.#keep();
    return this;
  }

  /** Resolves when the servers have the znode with its latest data; rejects if they refuse it, while the tries go on. */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkOptions('KeptNode.ready', options, SIGNAL_OPTION);
    if (this.#state === 'closed') throw this.#misuse('ready');
    if (this.#node !== null && this.#appliedRevision >= this.#revision) return;
    using deadline = new Deadline(this.#client.clock, options, () => undefined);
    const applied = new Promise<void>((resolve, reject) =>
      this.#waiters.push({ revision: this.#revision, resolve, reject }),
    );
    await orAborted(applied, deadline.signal);
  }

  /** Replaces the data, now and for every time the znode is made again. Resolves as `ready` does. */
  async setData(data: Data): Promise<void> {
    if (this.#state === 'closed') throw this.#misuse('setData');
    this.#data = data;
    this.#revision++;
    this.#wake?.();
    if (this.#state === 'started') await this.ready();
  }

  async close(): Promise<void> {
    if (this.#state !== 'closed') {
      this.#state = 'closed';
      this.#closing.abort(this.#misuse('use'));
    }
    await this.#keeping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    let previous: Session | null = null;
    for (let failures = 0; !signal.aborted;) {
      let session: Session | null = null;
      try {
        session = await nextSession(this.#client, previous, signal);
        await this.#keepIn(session);
        failures = 0;
      } catch (error) {
        if (signal.aborted || isClosed(this.#client, error)) break;
        if (session !== null && isSessionOver(error, session)) previous = session;
        else {
          this.#client.logger.error('an ephemeral znode cannot be kept', { path: this.#options.path, error });
          this.#refuse(error);
          await pause(this.#client, ++failures, signal).catch(() => undefined);
        }
      }
    }
    this.#state = 'closed';
    this.#refuse(this.#misuse('waiting for the znode'));
  }

  /** Those who wait are told; the next `ready` waits for the next try. */
  #refuse(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  /** Makes the znode, and keeps its data true, until it is gone. */
  async #keepIn(session: Session): Promise<void> {
    const signals = [this.#closing.signal, session.signal];
    const node = await this.#establish(session, signals);
    if (node === null) return;
    this.#node = node;
    try {
      await this.#keepTrue(node, signals);
    } finally {
      this.#node = null;
      if (this.#closing.signal.aborted) await removeOwnNode(this.#client, node);
    }
  }

  async #keepTrue(node: OwnNode, signals: readonly AbortSignal[]): Promise<void> {
    for (;;) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const revision = this.#revision;
      if (this.#appliedRevision !== revision) await this.#write(node, this.#data, signals);
      const read = await readAndWatch(this.#client, node.path, { session: node.session, signals });
      if (read?.stat.czxid !== node.czxid) {
        read?.cancel();
        return;
      }
      this.#applied(revision);
      await orAborted(Promise.race([read.changed, woken]), ...signals).finally(() => read.cancel());
    }
  }

  async #write(node: OwnNode, data: Data, signals: readonly AbortSignal[]): Promise<void> {
    const { path, session } = node;
    const writing = repeatIdempotent(
      this.#client,
      () => this.#client.setData(path, data, { session: session.epoch }),
      ...signals,
    ).catch((error: unknown) => {
      // Deleted by somebody: the read that follows finds out.
      if (!hasCode(error, 'NO_NODE')) throw error;
    });
    await orAborted(writing, ...signals);
  }

  #applied(revision: number): void {
    this.#appliedRevision = revision;
    const done = this.#waiters.filter((waiter) => waiter.revision <= revision);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > revision);
    for (const waiter of done) waiter.resolve();
  }

  /** Null: somebody else's is in the way no longer, or the outcome was unknown; to be tried again. */
  async #establish(session: Session, signals: readonly AbortSignal[]): Promise<OwnNode | null> {
    const revision = this.#revision;
    const creating = this.#create(session);
    try {
      const created = await orAborted(creating, ...signals);
      if (created !== null) {
        this.#appliedRevision = revision;
        return ownNode(created, session);
      }
      return await this.#waitForOlder(session, signals);
    } catch (error) {
      const created = await creating.catch(() => null);
      if (created !== null) await removeOwnNode(this.#client, ownNode(created, session));
      else if (this.#closing.signal.aborted && !this.#options.isSequential)
        await this.#removeUnconfirmed(session);
      throw error;
    }
  }

  /** A create whose reply was lost may have left the znode, which would stay for as long as the session. */
  async #removeUnconfirmed(session: Session): Promise<void> {
    const { path } = this.#options;
    const look = () => this.#client.exists(path, { session: session.epoch });
    const stat = await repeatIdempotent(this.#client, look, session.signal).catch(() => null);
    if (stat?.ephemeralOwner === session.id)
      await removeOwnNode(this.#client, { path, czxid: stat.czxid, session });
  }

  /** Null if the path is taken, perhaps by this very node after a lost reply. */
  async #create(session: Session): Promise<Created | null> {
    const { path, isSequential } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        if (isSequential && attempt > 0) {
          const found = await findOwnNode(this.#client, { path, isSequential, session });
          if (found !== null) return found;
        }
        return await this.#client.create(path, this.#data, {
          mode: isSequential ? 'ephemeral-sequential' : 'ephemeral',
          createParents: true,
          session: session.epoch,
        });
      } catch (error) {
        if (hasCode(error, 'NODE_EXISTS')) return null;
        if (!isTransient(error) || isClosed(this.#client, error)) throw error;
        await pause(this.#client, attempt, session.signal);
      }
    }
  }

  /** The path is taken: adopts it if it is this session's, else waits until it changes. */
  async #waitForOlder(session: Session, signals: readonly AbortSignal[]): Promise<OwnNode | null> {
    const { path } = this.#options;
    const read = await readAndWatch(this.#client, path, { session, signals });
    if (read === null) return null;
    try {
      // What data it has is not known, so it is written again.
      this.#appliedRevision = -1;
      if (read.stat.ephemeralOwner === session.id) return { path, czxid: read.stat.czxid, session };
      this.#client.logger.info('an ephemeral znode waits until that of another session is gone', { path });
      using _ = this.#warnLater(session, read.stat.ephemeralOwner);
      await orAborted(read.changed, ...signals);
      return null;
    } finally {
      read.cancel();
    }
  }

  /** An older session of this process is over by then: two processes that run share a name. */
  #warnLater({ timeoutMs }: Session, owner: bigint): Disposable {
    const { clock, logger } = this.#client;
    const timer = clock.setTimer(TAKEN_TIMEOUTS * timeoutMs, () =>
      logger.warn('An ephemeral znode is taken by another session that lives', {
        path: this.#options.path,
        owner: `0x${owner.toString(16)}`,
        remedy: 'give each process an id of its own',
      }),
    );
    return { [Symbol.dispose]: () => timer.cancel() };
  }

  #misuse(attempted: string): RecipeStateError {
    return new RecipeStateError('KeptNode', this.#options.path, this.#state, attempted);
  }
}
