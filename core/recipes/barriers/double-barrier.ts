import { checkOptions, type OptionNames } from '../../runtime/index.js';
import type { Client, MultiError, Operation, Session } from '../../client/index.js';
import { AcquireTimeoutError, HoldLostError, InvalidPartiesError, RecipeStateError } from '../errors.js';
import { createOwnNode } from '../nodes/own-creation.js';
import { abandon, removeOwnNode, type OwnNode } from '../nodes/own-node.js';
import { nameOf, pathBelow } from '../nodes/znode-name.js';
import { listAndWatch, readAndWatch } from '../nodes/watched-read.js';
import { Deadline, orAborted } from '../waiting/abort.js';
import { hasCode, repeatIdempotent, nextSession } from '../waiting/failure.js';
import { BARRIER_WAIT, type BarrierOptions, type BarrierWait } from './barrier.js';
import { decodeRound, encodeRound, type Round } from './round.js';

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
 * DistributedDoubleBarrier. The data of `ready` names the parties of its round, and only these pass: whoever comes while some of them
 * are still there waits for the next round. It is written in one transaction that checks that all of them are there. One
 * without such data (of Curator, of version 0.1.0) lets in everybody; these in turn pass at any `ready`.
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
  #inside: { readonly node: OwnNode; readonly round: Round | null } | null = null;

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
      this.#inside = await this.#enter(deadline.signal);
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
    const { node, round } = this.#inside!;
    using deadline = this.#deadline(options);
    try {
      await this.#leave(node, round, [deadline.signal, node.session.signal]);
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

  async #enter(signal: AbortSignal): Promise<{ readonly node: OwnNode; readonly round: Round | null }> {
    const session = await nextSession(this.#client, null, signal);
    const signals = [signal, session.signal];
    const path = `${this.path}/${this.#client.random.uuid()}`;
    let node: OwnNode | null = null;
    try {
      const leftOver = await this.#leftOver(session, signals);
      node = await createOwnNode(this.#client, { path, data: null, isSequential: false, session }, signal);
      return { node, round: await this.#untilReady(node, leftOver, signals) };
    } catch (error) {
      if (node !== null) abandon(this.#client, node);
      throw lostOr(error, { path, session }, signal);
    }
  }

  /** Resolves to the round that the own znode belongs to; null if nobody says who does. */
  async #untilReady(
    node: OwnNode,
    leftOver: bigint | null,
    signals: readonly AbortSignal[],
  ): Promise<Round | null> {
    const { session } = node;
    const own = nameOf(node.path);
    for (;;) {
      // Read before the list: a party of its round that is not in the list is gone for good.
      const ready = await readAndWatch(this.#client, this.#readyPath, { session, signals });
      const list = await listAndWatch(this.#client, this.path, { session, signals }).catch(
        (error: unknown) => {
          ready?.cancel();
          throw error;
        },
      );
      try {
        const parties = list.children.filter((name) => name !== READY);
        const round = ready === null ? null : decodeRound(ready.data);
        const saysNothing = ready !== null && round === null && ready.stat.czxid !== leftOver;
        if (saysNothing || round?.has(own) === true) return round;
        if (!parties.includes(own))
          throw new HoldLostError(node.path, 'its znode was deleted by somebody else');
        if (ready === null && list.children.includes(READY)) continue;
        const isOver = !parties.some((name) => round?.has(name));
        if (isOver && parties.length >= this.#parties) {
          await this.#beginRound(parties, ready?.stat.version ?? null, { session, signals });
          continue;
        }
        const changes = ready === null ? [list.changed] : [list.changed, ready.changed];
        await orAborted(Promise.race(changes), ...signals);
      } finally {
        list.cancel();
        ready?.cancel();
      }
    }
  }

  /** Does nothing if a party is gone, or another has begun a round meanwhile. `version`: of the `ready` of a round that is over. */
  async #beginRound(
    parties: readonly string[],
    version: number | null,
    { session, signals }: { readonly session: Session; readonly signals: readonly AbortSignal[] },
  ): Promise<void> {
    const path = this.#readyPath;
    const data = encodeRound(parties);
    const operations: Operation[] = [
      ...parties.map((name): Operation => ({ type: 'check', path: `${this.path}/${name}` })),
      version === null ? { type: 'create', path, data } : { type: 'setData', path, data, version },
    ];
    try {
      // A second try is refused if the first one took effect.
      const begin = () => this.#client.multi(operations, { session: session.epoch });
      await orAborted(repeatIdempotent(this.#client, begin, ...signals), ...signals);
    } catch (error) {
      if (!hasCode(error, 'MULTI_FAILED')) throw error;
      const { cause } = error as MultiError;
      if (!['NO_NODE', 'NODE_EXISTS', 'BAD_VERSION'].some((code) => hasCode(cause, code))) throw error;
    }
  }

  /** The lowest waits for the highest, the others for the lowest: nobody is watched by all but the one that leaves last. */
  async #leave(node: OwnNode, round: Round | null, signals: readonly AbortSignal[]): Promise<void> {
    const { session } = node;
    const own = nameOf(node.path);
    // As long as the own znode stands nobody has left; where nobody says who is of this round, all are that are there now.
    const ours = round ?? new Set(await this.#list(session, signals));
    for (let isOwnThere = true; ;) {
      const children = await this.#list(session, signals);
      const parties = children.filter((name) => name !== READY && ours.has(name)).sort();
      const others = parties.filter((name) => name !== own);
      if (others.length === 0) return isOwnThere ? await this.#leaveLast(node) : undefined;
      const isLowest = parties[0] === own;
      if (!isLowest && isOwnThere) {
        await removeOwnNode(this.#client, node);
        isOwnThere = false;
      }
      const watched = isLowest ? others.at(-1)! : parties[0]!;
      const read = await readAndWatch(this.#client, `${this.path}/${watched}`, { session, signals });
      if (read !== null) await orAborted(read.changed, ...signals).finally(() => read.cancel());
    }
  }

  /**
   * Removes the own znode and `ready` together, so that no second try removes the `ready` of the next round: as long as the own
   * znode stands there is none.
   */
  async #leaveLast(node: OwnNode): Promise<void> {
    const { path, session } = node;
    const operations: Operation[] = [
      { type: 'delete', path },
      { type: 'delete', path: this.#readyPath },
    ];
    const remove = () => this.#client.multi(operations, { session: session.epoch });
    try {
      await orAborted(repeatIdempotent(this.#client, remove, session.signal), session.signal);
    } catch (error) {
      if (!hasCode(error, 'MULTI_FAILED') || !hasCode((error as MultiError).cause, 'NO_NODE')) throw error;
      await removeOwnNode(this.#client, node);
    }
  }

  get #readyPath(): string {
    return `${this.path}/${READY}`;
  }

  async #list(session: Session, signals: readonly AbortSignal[]): Promise<readonly string[]> {
    try {
      const list = () => this.#client.getChildren(this.path, { session: session.epoch });
      return (await orAborted(repeatIdempotent(this.#client, list, ...signals), ...signals)).children;
    } catch (error) {
      if (hasCode(error, 'NO_NODE')) return [];
      throw error;
    }
  }

  /** Creation zxid of a `ready` whose parties are all gone, as it was seen before the own znode was there. */
  async #leftOver(session: Session, signals: readonly AbortSignal[]): Promise<bigint | null> {
    const names = await this.#list(session, signals);
    if (names.length !== 1 || names[0] !== READY) return null;
    const look = () => this.#client.exists(this.#readyPath, { session: session.epoch });
    return (await orAborted(repeatIdempotent(this.#client, look, ...signals), ...signals))?.czxid ?? null;
  }
}

function lostOr(error: unknown, node: Pick<OwnNode, 'path' | 'session'>, signal: AbortSignal): unknown {
  const { session, path } = node;
  if (signal.aborted || (!session.signal.aborted && !hasCode(error, 'SESSION_EXPIRED'))) return error;
  return new HoldLostError(path, 'the session is over', error);
}
