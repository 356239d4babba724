import type { StateMachine } from '../../data/index.js';
import {
  AddWatchMode,
  ErrorCode,
  OpCode,
  WatcherType,
  type ClientInfo,
  type Reply,
  type ReplyToWrite,
  type Request,
  type SetWatches2Request,
} from '../../protocol/index.js';
import type { ServerOptions } from '../configuration/index.js';
import type { Refusals } from '../metrics/index.js';
import type { ReplicatedState } from '../state/index.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { ReplySlot } from './connection/reply-slot.js';
import { SlicedRead } from './connection/sliced-read.js';
import type { WaitingOutput } from './connection/waiting-output.js';
import type { WatchService } from './watch-service.js';

/** Lists that are read over several turns at once; further ones wait for these. */
const MOST_OPEN_LISTS = 16;

/** A read that was begun anew more often is refused: what it reads changes faster than it can be read. */
const MOST_RESTARTS = 8;
/** Each time it is begun anew it may do twice as much in a turn, up to so many times as much. */
const LONGEST_TURN = 16;

const WATCHER_TYPES: ReadonlySet<number> = new Set(Object.values(WatcherType));

export interface LocalRequestsParts {
  readonly state: ReplicatedState;
  readonly watches: WatchService;
  readonly limits: Pick<
    ServerOptions,
    'listNamesPerTurn' | 'maxReplyBytes' | 'maxTotalOutputBytes' | 'outputHighWaterBytes'
  >;
  /** What waits on all connections together. */
  readonly waitingOutput: WaitingOutput;
  readonly refusals: Refusals;
}

/**
 * Answers what needs no agreement: reads, and whatever concerns the watches of the connection. A read and its watch
 * are one step, between two transactions.
 */
export class LocalRequests {
  readonly #state: ReplicatedState;
  readonly #watches: WatchService;
  readonly #limits: LocalRequestsParts['limits'];
  readonly #waitingOutput: WaitingOutput;
  readonly #refusals: Refusals;

  constructor({ state, watches, limits, waitingOutput, refusals }: LocalRequestsParts) {
    this.#state = state;
    this.#watches = watches;
    this.#limits = limits;
    this.#waitingOutput = waitingOutput;
    this.#refusals = refusals;
  }

  /** Completes the slot; false if the request takes another turn. */
  answer(slot: ReplySlot): boolean {
    const request = slot.request!;
    const { machine } = this.#state;
    if (request.op === OpCode.setWatches || request.op === OpCode.setWatches2) {
      const lists = withAllLists(request);
      if (!this.#watches.hasRoomToRearm(slot, lists)) return this.#endWithoutRoom(slot);
      if (!this.#watches.rearm(slot, lists, machine)) return false;
      slot.complete(ErrorCode.ok, null, machine.lastZxid);
      return true;
    }
    if (slot.isOutdated) slot.beginAnew();
    if (slot.restarts > MOST_RESTARTS) return this.#endUnread(slot, machine);
    if (slot.reading !== null) return this.#proceed(slot, slot.reading, machine);
    if (slot.isLong) {
      if (machine.openListCount >= MOST_OPEN_LISTS) return false;
      const read = this.#openLongRead(slot, request, machine);
      if (read !== null) return this.#proceed(slot, read, machine);
    }
    const { error, reply } = this.#run(slot, request, machine);
    slot.complete(error, reply, machine.lastZxid);
    return true;
  }

  /** Its watch is set now. Null if one turn is enough. */
  #openLongRead(slot: ReplySlot, request: Request, machine: StateMachine): SlicedRead | null {
    const sets = watchesPath(request) ? request.body.path : null;
    if (sets !== null && !this.#watches.hasRoom(slot.connection, sets)) return null;
    const { listNamesPerTurn } = this.#limits;
    const perTurn = listNamesPerTurn * Math.min(2 ** slot.restarts, LONGEST_TURN);
    const bounds = { maxBytes: this.#mostBytes, perTurn };
    const read = machine.openLongRead(request, slot, bounds);
    if (read === null) return null;
    const takeBack = sets === null ? () => undefined : this.#setWatch(slot, sets);
    slot.zxid = machine.lastZxid;
    slot.holdsEvents = read.isOfItsBeginning;
    slot.reading = new SlicedRead(read, this.#waitingOutput, takeBack);
    return slot.reading;
  }

  /** Returns how to take it back, which leaves one that was there before. */
  #setWatch(slot: ReplySlot, path: string): () => void {
    const { connection } = slot;
    const { table } = this.#watches;
    if (table.check(connection, path, WatcherType.children)) return () => undefined;
    table.addChild(connection, path);
    return () => table.remove(connection, path, WatcherType.children);
  }

  /** It may be made again. */
  #endUnread(slot: ReplySlot, machine: StateMachine): true {
    this.#refusals.reads += 1;
    slot.complete(ErrorCode.throttledOp, null, machine.lastZxid);
    return true;
  }

  /** Does the work of one turn. */
  #proceed(slot: ReplySlot, read: SlicedRead, machine: StateMachine): boolean {
    const result = read.proceed();
    // A part that was read in this turn shows what was applied before it.
    if (!slot.holdsEvents) slot.zxid = machine.lastZxid;
    if (result === null) {
      if (this.#waitingOutput.bytes <= this.#limits.maxTotalOutputBytes) return false;
      read.close();
      this.#refusals.reads += 1;
      slot.complete(ErrorCode.throttledOp, null, slot.zxid);
      return true;
    }
    const { error, packet, refusedBytes } = result;
    slot.packet = packet;
    const code = refusedBytes === undefined ? error : this.#refuseTooLarge(slot, refusedBytes).error;
    slot.complete(code, null, slot.zxid);
    return true;
  }

  #run(
    slot: ReplySlot,
    request: Request,
    machine: StateMachine,
  ): { readonly error: ErrorCode; readonly reply: ReplyToWrite | null } {
    switch (request.op) {
      case OpCode.addWatch:
        return this.#addWatch(slot.connection, request.body.path, request.body.mode);
      case OpCode.checkWatches:
      case OpCode.removeWatches:
        return this.#lookForWatch(slot.connection, request.op, request.body.path, request.body.type);
      case OpCode.whoAmI:
        return ok({ op: OpCode.whoAmI, body: { clientInfo: slot.identities.map(clientInfo) } });
      case OpCode.reconfig:
        return refused(ErrorCode.reconfigDisabled);
      default:
        return this.#read(slot, request, machine);
    }
  }

  #read(
    slot: ReplySlot,
    request: Request,
    machine: StateMachine,
  ): { readonly error: ErrorCode; readonly reply: ReplyToWrite | null } {
    const watching = watchesPath(request) ? request : null;
    if (watching !== null && !this.#watches.hasRoom(slot.connection, watching.body.path))
      return this.#refuseWatch();
    const result = machine.readToWrite(request, slot, this.#mostBytes);
    if (result.refusedBytes !== undefined) return this.#refuseTooLarge(slot, result.refusedBytes);
    if (watching !== null) this.#watch(slot.connection, watching, result.error);
    return result;
  }

  /** A watch for the existence is set without a znode, too. */
  #watch(connection: ClientConnection, { op, body }: WatchingRead, error: ErrorCode): void {
    const { table } = this.#watches;
    const isSet = error === ErrorCode.ok || (op === OpCode.exists && error === ErrorCode.noNode);
    if (!isSet) return;
    if (op === OpCode.exists || op === OpCode.getData) table.addData(connection, body.path);
    else table.addChild(connection, body.path);
  }

  /** What a reply may take now. */
  get #mostBytes(): number {
    const { maxReplyBytes, maxTotalOutputBytes, outputHighWaterBytes } = this.#limits;
    const left = maxTotalOutputBytes - this.#waitingOutput.bytes;
    return left >= maxReplyBytes
      ? maxReplyBytes
      : Math.min(maxReplyBytes, Math.max(left, outputHighWaterBytes));
  }

  /** The read alone fails. It may be made again if only the output of all connections is in its way. */
  #refuseTooLarge(slot: ReplySlot, bytes: number): { readonly error: ErrorCode; readonly reply: null } {
    const limit = this.#limits.maxReplyBytes;
    this.#refusals.reads += 1;
    if (bytes <= limit) return refused(ErrorCode.throttledOp);
    slot.tooLarge = { bytes, limit };
    return refused(ErrorCode.marshallingError);
  }

  #refuseWatch(): { readonly error: ErrorCode; readonly reply: null } {
    this.#refusals.watches += 1;
    return refused(ErrorCode.quotaExceeded);
  }

  /** Watches that a client had before it reconnected: without them it would miss events. Another member may have room. */
  #endWithoutRoom(slot: ReplySlot): true {
    this.#refusals.watches += 1;
    slot.connection.log('Connection closed: limit of watches reached', { bytes: slot.connection.watchBytes });
    slot.complete(ErrorCode.quotaExceeded, null, this.#state.machine.lastZxid);
    slot.isLast = true;
    return true;
  }

  #addWatch(
    connection: ClientConnection,
    path: string,
    mode: number,
  ): { readonly error: ErrorCode; readonly reply: ReplyToWrite | null } {
    if (mode !== AddWatchMode.persistent && mode !== AddWatchMode.persistentRecursive) {
      return refused(ErrorCode.marshallingError);
    }
    if (path === '') return refused(ErrorCode.badArguments);
    if (!this.#watches.hasRoom(connection, path)) return this.#refuseWatch();
    this.#watches.table.addPersistent(connection, path, mode === AddWatchMode.persistentRecursive);
    return ok({ op: OpCode.addWatch, body: {} });
  }

  #lookForWatch(
    connection: ClientConnection,
    op: typeof OpCode.checkWatches | typeof OpCode.removeWatches,
    path: string,
    type: number,
  ): { readonly error: ErrorCode; readonly reply: ReplyToWrite | null } {
    if (!WATCHER_TYPES.has(type)) return refused(ErrorCode.marshallingError);
    // ZooKeeper looks for a watch at the parents too, and takes what has none for a request that cannot be read.
    if (op === OpCode.checkWatches && path !== '' && !path.startsWith('/'))
      return refused(ErrorCode.marshallingError);
    const { table } = this.#watches;
    const isThere =
      op === OpCode.checkWatches ? table.check(connection, path, type) : table.remove(connection, path, type);
    return isThere ? ok({ op, body: {} }) : refused(ErrorCode.noWatcher);
  }
}

type WatchingRead = Extract<
  Request,
  {
    readonly op:
      | typeof OpCode.exists
      | typeof OpCode.getData
      | typeof OpCode.getChildren
      | typeof OpCode.getChildren2
      | typeof OpCode.getChildrenPage;
  }
>;

function watchesPath(request: Request): request is WatchingRead {
  switch (request.op) {
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getChildrenPage:
      return request.body.watch;
    default:
      return false;
  }
}

function ok(reply: Reply): { readonly error: ErrorCode; readonly reply: Reply } {
  return { error: ErrorCode.ok, reply };
}

function refused(error: ErrorCode): { readonly error: ErrorCode; readonly reply: null } {
  return { error, reply: null };
}

/** The part of an identity that may be shown: not the hash behind a digest's user. */
function clientInfo(identity: { readonly scheme: string; readonly id: string }): ClientInfo {
  const user = identity.scheme === 'digest' ? identity.id.slice(0, identity.id.indexOf(':')) : identity.id;
  return { scheme: identity.scheme, user };
}

function withAllLists(
  request: Extract<Request, { readonly op: typeof OpCode.setWatches | typeof OpCode.setWatches2 }>,
): SetWatches2Request {
  if (request.op === OpCode.setWatches2) return request.body;
  return { ...request.body, persistentWatches: [], persistentRecursiveWatches: [] };
}
