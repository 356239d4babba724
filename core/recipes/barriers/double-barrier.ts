import { checkOptions, type OptionNames } from '../../runtime/index.js';
import type { Client, Session } from '../../client/index.js';
import { AcquireTimeoutError, HoldLostError, InvalidPartiesError, RecipeStateError } from '../errors.js';
import { createOwnNode } from '../nodes/own-creation.js';
import { abandon, removeOwnNode, type OwnNode } from '../nodes/own-node.js';
import { nameOf, pathBelow } from '../nodes/znode-name.js';
import { listAndWatch, readAndWatch } from '../nodes/watched-read.js';
import { Deadline, orAborted } from '../waiting/abort.js';
import { hasCode, persist, nextSession } from '../waiting/failure.js';
import { BARRIER_WAIT, type BarrierOptions, type BarrierWait } from './barrier.js';

/** By which all who wait learn that enough are there. */
const READY = 'ready';

type State = 'outside' | 'entering' | 'inside' | 'leaving';

export interface DoubleBarrierOptions extends BarrierOptions {
  /** How many have to be there before any goes on. All who use the name must give the same number. */
  readonly parties: number;
}

const DOUBLE_BARRIER_OPTIONS: OptionNames<DoubleBarrierOptions> = { parties: true, root: true };

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
  #state: State = 'outside';
  #node: OwnNode | null = null;

  /** Throws `InvalidNameError`, `InvalidPartiesError`. */
  constructor(client: Client, name: string, options: DoubleBarrierOptions) {
    checkOptions('DoubleBarrier', options, DOUBLE_BARRIER_OPTIONS);
    this.path = pathBelow(options.root ?? '/barriers', name, 'barrier');
    if (!Number.isSafeInteger(options.parties) || options.parties < 1)
      throw new InvalidPartiesError(this.path, options.parties);
    this.#client = client;
    this.#parties = options.parties;
  }

  /** Throws `RecipeStateError` unless outside. */
  async enter(options: BarrierWait = {}): Promise<void> {
    checkOptions('DoubleBarrier.enter', options, BARRIER_WAIT);
    this.#move('outside', 'entering', 'enter');
    using deadline = this.#deadline(options);
    try {
      this.#node = await this.#enter(deadline.signal);
      this.#state = 'inside';
    } catch (error) {
      this.#state = 'outside';
      throw error;
    }
  }

  /** Throws `RecipeStateError` unless inside. */
  async leave(options: BarrierWait = {}): Promise<void> {
    checkOptions('DoubleBarrier.leave', options, BARRIER_WAIT);
    this.#move('inside', 'leaving', 'leave');
    const node = this.#node!;
    using deadline = this.#deadline(options);
    try {
      await this.#untilEmpty(node, [deadline.signal, node.session.signal]);
      await this.#removeReady(node.session);
      await removeOwnNode(this.#client, node);
    } catch (error) {
      abandon(this.#client, node);
      throw lostOr(error, node, deadline.signal);
    } finally {
      this.#state = 'outside';
    }
  }

  #move(from: State, to: State, attempted: string): void {
    if (this.#state !== from) throw new RecipeStateError('DoubleBarrier', this.path, this.#state, attempted);
    this.#state = to;
  }

  #deadline(options: BarrierWait): Deadline {
    return new Deadline(
      this.#client.clock,
      options,
      (timeoutMs) => new AcquireTimeoutError(this.path, timeoutMs),
    );
  }

  async #enter(signal: AbortSignal): Promise<OwnNode> {
    const session = await nextSession(this.#client, null, signal);
    const path = `${this.path}/${this.#client.random.uuid()}`;
    let node: OwnNode | null = null;
    try {
      await this.#clearUp(session, [signal, session.signal]);
      node = await createOwnNode(this.#client, { path, data: null, isSequential: false, session }, signal);
      await this.#untilReady(node, [signal, session.signal]);
      return node;
    } catch (error) {
      if (node !== null) abandon(this.#client, node);
      throw lostOr(error, { path, session }, signal);
    }
  }

  async #untilReady({ session }: OwnNode, signals: readonly AbortSignal[]): Promise<void> {
    for (;;) {
      const read = await listAndWatch(this.#client, this.path, { session, signals });
      try {
        if (read.children.includes(READY)) return;
        if (read.children.length >= this.#parties) {
          await this.#createReady(session, signals);
          return;
        }
        await orAborted(read.changed, ...signals);
      } finally {
        read.cancel();
      }
    }
  }

  /** The lowest waits for the highest, the others for the lowest: nobody is watched by all but the one that leaves last. */
  async #untilEmpty(node: OwnNode, signals: readonly AbortSignal[]): Promise<void> {
    const own = nameOf(node.path);
    // As long as the own znode stands nobody has left; who comes afterwards is of the next round already.
    const round = new Set(await this.#list(node.session, signals));
    for (;;) {
      const children = await this.#list(node.session, signals);
      const parties = children.filter((name) => name !== READY && round.has(name)).sort();
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

  async #list(session: Session, signals: readonly AbortSignal[]): Promise<readonly string[]> {
    try {
      const list = () => this.#client.getChildren(this.path, { session: session.epoch });
      return (await orAborted(persist(this.#client, list, ...signals), ...signals)).children;
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  /** What is left of a round whose parties all died inside would let the next one in before it is complete. */
  async #clearUp(session: Session, signals: readonly AbortSignal[]): Promise<void> {
    const names = await this.#list(session, signals);
    if (names.length === 1 && names[0] === READY) await this.#removeReady(session);
  }

  async #createReady(session: Session, signals: readonly AbortSignal[]): Promise<void> {
    try {
      const create = () => this.#client.create(`${this.path}/${READY}`, null, { session: session.epoch });
      await persist(this.#client, create, ...signals);
    } catch (error) {
      if (!hasCode(error, 'NODE_EXISTS')) throw error;
    }
  }

  async #removeReady(session: Session): Promise<void> {
    try {
      const remove = () => this.#client.delete(`${this.path}/${READY}`, { session: session.epoch });
      await persist(this.#client, remove, session.signal);
    } catch (error) {
      if (!hasCode(error, 'NO_NODE')) throw error;
    }
  }
}

function lostOr(error: unknown, node: Pick<OwnNode, 'path' | 'session'>, signal: AbortSignal): unknown {
  const { session, path } = node;
  if (signal.aborted || (!session.signal.aborted && !hasCode(error, 'SESSION_EXPIRED'))) return error;
  return new HoldLostError(path, 'the session is over', error);
}
