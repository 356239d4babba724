import { isAllowed, watchBytes, WatchTable, type Change, type StateMachine } from '../../data/index.js';
import {
  JuteWriter,
  Permission,
  writeWatchEvent,
  type Acl,
  type SetWatches2Request,
  type WatchEvent,
} from '../../protocol/index.js';
import type { ServerOptions } from '../configuration/index.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { ReplySlot } from './connection/reply-slot.js';

/** Watches of connections that are gone that are removed in one turn. */
const WATCHES_REMOVED_PER_TURN = 4_000;

/** Header of an event that no single transaction has caused, as in ZooKeeper 3.9. */
const NO_ZXID = -1n;

/** `watchPathsPerTurn`: paths of a setWatches that are looked at in one turn. Bytes of one connection, and of all. */
export type WatchLimits = Pick<ServerOptions, 'watchPathsPerTurn' | 'maxWatchBytes' | 'maxTotalWatchBytes'>;

/**
 * The watches of this member's connections: who hears of a change, and who may. A thousand may hear of one: its event is
 * encoded once, and the same bytes go to all of them.
 */
export class WatchService {
  readonly table = new WatchTable<ClientConnection>((connection, bytes) => {
    connection.watchBytes += bytes;
    this.#bytes += bytes;
  });
  #bytes = 0;
  readonly #writer = new JuteWriter();
  /** The event that is being told, and its packet. */
  #event: WatchEvent | null = null;
  #packet: Uint8Array = new Uint8Array(0);
  #zxid = 0n;
  readonly #limits: WatchLimits;

  constructor(limits: WatchLimits) {
    this.#limits = limits;
  }

  /** What all watches take, each with its path and 256 bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the connection may set one more watch. */
  hasRoom(connection: ClientConnection, path: string): boolean {
    return this.#hasRoomFor(connection, watchBytes(path));
  }

  /** Whether it may set those of the next part of a `setWatches`. */
  hasRoomToRearm(slot: ReplySlot, request: SetWatches2Request): boolean {
    const { progress } = slot;
    const part = partOf(request, progress, progress + this.#limits.watchPathsPerTurn);
    let bytes = 0;
    for (const list of LISTS) for (const path of part[list]) bytes += watchBytes(path);
    // These stand in both tables.
    for (const path of part.persistentWatches) bytes += watchBytes(path);
    return this.#hasRoomFor(slot.connection, bytes);
  }

  /** Removes watches of connections that are gone, a part per turn. Returns whether there are more. */
  removeSome(): boolean {
    if (!this.table.isRemoving) return false;
    this.table.removeSome(WATCHES_REMOVED_PER_TURN);
    return this.table.isRemoving;
  }

  /** Writes out the events of what a transaction changed, to those who may read what it is about. */
  fire(zxid: bigint, changes: readonly Change[]): void {
    this.#zxid = zxid;
    for (const change of changes) this.table.trigger(change, mayRead, this.#notify);
    this.#event = null;
  }

  /**
   * Sets the next part of the watches of a reconnected client, and notifies it of what changed in the meantime. The events carry
   * no zxid: several transactions may be behind one. Advances `slot.progress`, the number of paths that are done; returns
   * whether that is all of them.
   */
  rearm(slot: ReplySlot, request: SetWatches2Request, machine: StateMachine): boolean {
    const { connection } = slot;
    const from = slot.progress;
    const next = from + this.#limits.watchPathsPerTurn;
    const mayReadIt = (acl: readonly Acl[]): boolean => isAllowed(acl, Permission.read, slot.identities);
    const events = this.table.rearm(connection, partOf(request, from, next), machine, mayReadIt);
    for (const event of events) connection.notify(NO_ZXID, this.#encode(NO_ZXID, event));
    slot.progress = next;
    return next >= countOf(request);
  }

  #hasRoomFor(connection: ClientConnection, bytes: number): boolean {
    const { maxWatchBytes, maxTotalWatchBytes } = this.#limits;
    return connection.watchBytes + bytes <= maxWatchBytes && this.#bytes + bytes <= maxTotalWatchBytes;
  }

  readonly #notify = (connection: ClientConnection, event: WatchEvent): void => {
    if (event !== this.#event) {
      this.#packet = this.#encode(this.#zxid, event);
      this.#event = event;
    }
    connection.notify(this.#zxid, this.#packet);
  };

  #encode(zxid: bigint, event: WatchEvent): Uint8Array {
    writeWatchEvent(this.#writer, zxid, event);
    return this.#writer.take();
  }
}

function mayRead(connection: ClientConnection, acl: readonly Acl[]): boolean {
  return isAllowed(acl, Permission.read, connection.session.identities);
}

const LISTS = [
  'dataWatches',
  'existWatches',
  'childWatches',
  'persistentWatches',
  'persistentRecursiveWatches',
] as const;

function countOf(request: SetWatches2Request): number {
  return LISTS.reduce((sum, list) => sum + request[list].length, 0);
}

/** The paths numbered `from` up to `to`, counted through all the lists. */
function partOf(request: SetWatches2Request, from: number, to: number): SetWatches2Request {
  if (from === 0 && countOf(request) <= to) return request;
  let start = 0;
  const parts = LISTS.map((list) => {
    const paths = request[list];
    const part = paths.slice(Math.max(0, from - start), Math.max(0, to - start));
    start += paths.length;
    return [list, part] as const;
  });
  return {
    relativeZxid: request.relativeZxid,
    ...Object.fromEntries(parts),
  } as unknown as SetWatches2Request;
}
