import type { Client, Session } from '../../client/index.js';
import { AcquireTimeoutError, HoldLostError, InvalidPartiesError, RecipeStateError } from '../errors.js';
import { removeOwnNode, type OwnNode } from '../nodes/own-node.js';
import { nameOf, pathBelow } from '../nodes/znode-name.js';
import { readAndWatch } from '../nodes/watched-read.js';
import { Deadline, orAborted } from '../waiting/abort.js';
import { hasCode, persist, nextSession } from '../waiting/failure.js';
import type { BarrierOptions, BarrierWait } from './barrier.js';

/** By which all who wait learn that enough are there. */
const READY = 'ready';

export interface DoubleBarrierOptions extends BarrierOptions {
  /** How many have to be there before any goes on. All who use the name must give the same number. */
  readonly parties: number;
}

/**
 * A room that all enter together and leave together: `enter` resolves when as many are there as there are parties, `leave`
 * when all who entered want to leave, or are gone.
 *
 * Layout: `/barriers/<name>/<uuid>` ephemeral, one for each party, and `ready` once there are enough: that of Curator's
 * DistributedDoubleBarrier.
 *
 * - outside → entering, by `enter` → inside → leaving, by `leave` → outside. `enter` and `leave` may be called again for the
 *   next round. One whose wait ends without success is outside again.
 * - A lost session takes the own znode with it: `enter` and `leave` reject with `HoldLostError` then; the others do not wait
 *   for one that is gone when they leave.
 */
export class DoubleBarrier {
  readonly path: string;
  readonly #client: Client;
  readonly #parties: number;
  #node: OwnNode | null = null;

  /** Throws `InvalidNameError`, `InvalidPartiesError`. */
  constructor(client: Client, name: string, options: DoubleBarrierOptions) {
    this.path = pathBelow(options.root ?? '/barriers', name, 'barrier');
    if (!Number.isSafeInteger(options.parties) || options.parties < 1)
      throw new InvalidPartiesError(this.path, options.parties);
    this.#client = client;
    this.#parties = options.parties;
  }

  /** Throws `RecipeStateError` when inside already. */
  async enter(options: BarrierWait = {}): Promise<void> {
    if (this.#node !== null) throw new RecipeStateError('DoubleBarrier', this.path, 'entered', 'enter');
    using deadline = this.#deadline(options);
    const session = await nextSession(this.#client, null, deadline.signal);
    const node = await this.#create(session, deadline.signal);
    this.#node = node;
    try {
      await this.#untilReady(node, [deadline.signal, session.signal]);
    } catch (error) {
      this.#node = null;
      await removeOwnNode(this.#client, node);
      throw lostOr(error, node, deadline.signal);
    }
  }

  /** Throws `RecipeStateError` when not inside. */
  async leave(options: BarrierWait = {}): Promise<void> {
    const node = this.#node;
    if (node === null) throw new RecipeStateError('DoubleBarrier', this.path, 'not entered', 'leave');
    using deadline = this.#deadline(options);
    try {
      await this.#untilEmpty(node, [deadline.signal, node.session.signal]);
      await this.#removeReady(node);
    } catch (error) {
      throw lostOr(error, node, deadline.signal);
    } finally {
      this.#node = null;
      await removeOwnNode(this.#client, node);
    }
  }

  #deadline(options: BarrierWait): Deadline {
    return new Deadline(
      this.#client.clock,
      options,
      (timeoutMs) => new AcquireTimeoutError(this.path, timeoutMs),
    );
  }

  async #create(session: Session, signal: AbortSignal): Promise<OwnNode> {
    const path = `${this.path}/${this.#client.random.uuid()}`;
    const { stat } = await this.#client.create(path, null, {
      mode: 'ephemeral',
      uniqueName: true,
      createParents: true,
      session: session.epoch,
      signal,
    });
    return { path, czxid: stat.czxid, session };
  }

  async #untilReady({ session }: OwnNode, signals: readonly AbortSignal[]): Promise<void> {
    for (;;) {
      const children = await this.#watchChildren(session, signals);
      try {
        if (children.names.includes(READY)) return;
        if (children.names.length >= this.#parties) {
          await this.#createReady(session, signals);
          return;
        }
        await orAborted(children.changed, ...signals);
      } finally {
        children.cancel();
      }
    }
  }

  /** The lowest waits for the highest, the others for the lowest: nobody is watched by all but the one that leaves last. */
  async #untilEmpty(node: OwnNode, signals: readonly AbortSignal[]): Promise<void> {
    const own = nameOf(node.path);
    for (;;) {
      const { children } = await persist(
        this.#client,
        () => this.#client.getChildren(this.path, { session: node.session.epoch }),
        ...signals,
      );
      const parties = children.filter((name) => name !== READY).sort();
      const others = parties.filter((name) => name !== own);
      if (others.length === 0) return;
      const isLowest = parties[0] === own;
      if (!isLowest) await removeOwnNode(this.#client, node);
      const watched = isLowest ? others.at(-1)! : parties[0]!;
      const read = await readAndWatch(this.#client, `${this.path}/${watched}`, {
        session: node.session,
        signals,
      });
      if (read !== null) await orAborted(read.changed, ...signals).finally(() => read.cancel());
    }
  }

  async #watchChildren(
    session: Session,
    signals: readonly AbortSignal[],
  ): Promise<{ readonly names: readonly string[]; readonly changed: Promise<void>; cancel(): void }> {
    let notify!: () => void;
    const changed = new Promise<void>((resolve) => (notify = resolve));
    const cancel = (): void => void this.#client.unwatch(this.path, notify).catch(() => undefined);
    const read = () => this.#client.getChildren(this.path, { session: session.epoch, watch: notify });
    const { children } = await orAborted(persist(this.#client, read, ...signals), ...signals);
    return { names: children, changed, cancel };
  }

  async #createReady(session: Session, signals: readonly AbortSignal[]): Promise<void> {
    try {
      const create = () => this.#client.create(`${this.path}/${READY}`, null, { session: session.epoch });
      await persist(this.#client, create, ...signals);
    } catch (error) {
      if (!hasCode(error, 'NODE_EXISTS')) throw error;
    }
  }

  async #removeReady({ session }: OwnNode): Promise<void> {
    try {
      const remove = () => this.#client.delete(`${this.path}/${READY}`, { session: session.epoch });
      await persist(this.#client, remove, session.signal);
    } catch (error) {
      if (!hasCode(error, 'NO_NODE')) throw error;
    }
  }
}

function lostOr(error: unknown, node: OwnNode, signal: AbortSignal): unknown {
  const { session, path } = node;
  if (signal.aborted || (!session.signal.aborted && !hasCode(error, 'SESSION_EXPIRED'))) return error;
  return new HoldLostError(path, 'the session is over', error);
}
