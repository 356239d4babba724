import type { Client, Session } from '../../client/index.js';
import { createOwnNode } from '../nodes/own-creation.js';
import { abandon, type OwnNode } from '../nodes/own-node.js';
import { readAndWatch } from '../nodes/watched-read.js';
import { nameOf } from '../nodes/znode-name.js';
import { orAborted } from '../waiting/abort.js';
import { isClosed, isSessionOver, nextSession, repeatIdempotent } from '../waiting/failure.js';
import { HeldNode } from './held-node.js';
import { orderContenders, protectedName } from './sequence.js';

export interface Line {
  /** Parent of the contenders' znodes; made as a container if missing. */
  readonly directory: string;
  /** What stands before the sequence number in the own name; the others' markers count as contenders too. */
  readonly marker: string;
  readonly otherMarkers?: readonly string[] | undefined;
  readonly data?: Uint8Array | string | undefined;
  /**
   * Index of the one to wait for, of the line in order, -1 if nobody is in the way of `own`. Left out: the one
   * before. It must be so chosen that whoever is in the way is never missed, and that few wait for the same one.
   */
  readonly blockerOf?: BlockerOf | undefined;
  /**
   * Whether one that had to wait writes its name to the directory when its turn comes, so that its `mtime` says since
   * when it holds. Nobody watches that data, so nobody is woken by it.
   */
  readonly marksTurn?: boolean | undefined;
}

export type BlockerOf = (line: readonly string[], own: number) => number;

/**
 * Stands in a line of ephemeral-sequential znodes: the lowest number holds, everybody else watches only the
 * one before it, so that a release wakes one waiter and not all of them.
 *
 * Each turn happens within one session: every request carries its epoch, so a znode left by an older session
 * can never be taken for the own place. A turn whose session ends begins anew, at the end of the line.
 * What happens to a place that is given up: it is deleted in the background for as long as its session lives.
 */
export class Contender {
  readonly #client: Client;
  readonly #line: Line;
  readonly #markers: readonly string[];

  constructor(client: Client, line: Line) {
    this.#client = client;
    this.#line = line;
    this.#markers = [line.marker, ...(line.otherMarkers ?? [])];
  }

  /**
   * Resolves when first in the line; with `patience` 'none' it resolves to null if another is before it. `entered` hears of
   * each place in the line, which is lost with its session at the latest.
   * Rejects with the signal's reason, the client's `ClosedError`, or the servers' refusal, and leaves no place behind.
   */
  async contend(
    signal: AbortSignal,
    patience: 'endless' | 'none',
    entered?: (session: Session) => void,
  ): Promise<HeldNode | null> {
    let previous: Session | null = null;
    for (;;) {
      const session = await nextSession(this.#client, previous, signal);
      try {
        return await this.#contendIn(session, signal, { patience, entered });
      } catch (error) {
        signal.throwIfAborted();
        if (isClosed(this.#client, error) || !isSessionOver(error, session)) throw error;
        previous = session;
      }
    }
  }

  async #contendIn(
    session: Session,
    signal: AbortSignal,
    {
      patience,
      entered,
    }: {
      readonly patience: 'endless' | 'none';
      readonly entered: ((session: Session) => void) | undefined;
    },
  ): Promise<HeldNode | null> {
    for (;;) {
      const own = await this.#enter(session, signal);
      entered?.(session);
      try {
        const position = await this.#waitUntilFirst(nameOf(own.path), session, signal, patience);
        if (position === 'waited' && this.#line.marksTurn === true) this.#markTurn(own);
        if (position === 'first' || position === 'waited') return new HeldNode(this.#client, own);
        if (position === 'behind') {
          abandon(this.#client, own);
          return null;
        }
      } catch (error) {
        abandon(this.#client, own);
        throw error;
      }
    }
  }

  #enter(session: Session, signal: AbortSignal): Promise<OwnNode> {
    const { directory, marker, data = null } = this.#line;
    const path = `${directory}/${protectedName(this.#client.random.uuid(), marker)}`;
    return createOwnNode(this.#client, { path, data, isSequential: true, session }, signal);
  }

  /** Nobody waits for it, and a hold does not depend on it. */
  #markTurn({ path, session }: OwnNode): void {
    this.#client
      .setData(this.#line.directory, nameOf(path), { session: session.epoch })
      .catch((error: unknown) => this.#client.logger.debug('a turn was not marked', { path, error }));
  }

  /** 'waited' is first, but not at once; 'gone' means that somebody deleted the own place. */
  async #waitUntilFirst(
    name: string,
    session: Session,
    signal: AbortSignal,
    patience: 'endless' | 'none',
  ): Promise<'first' | 'waited' | 'behind' | 'gone'> {
    const signals = [signal, session.signal];
    for (let hasWaited = false; ; hasWaited = true) {
      const line = await orAborted(this.#look(session, signals), ...signals);
      const position = line.indexOf(name);
      if (position < 0) return 'gone';
      const blocker = this.#line.blockerOf?.(line, position) ?? position - 1;
      if (blocker < 0) return hasWaited ? 'waited' : 'first';
      if (patience === 'none') return 'behind';
      const before = `${this.#line.directory}/${line[blocker]}`;
      const read = await readAndWatch(this.#client, before, { session, signals });
      if (read !== null) await orAborted(read.changed, ...signals).finally(() => read.cancel());
    }
  }

  async #look(session: Session, signals: readonly AbortSignal[]): Promise<readonly string[]> {
    const { directory } = this.#line;
    const { children } = await repeatIdempotent(
      this.#client,
      () => this.#client.getChildren(directory, { session: session.epoch }),
      ...signals,
    );
    return orderContenders(children, this.#markers);
  }
}
