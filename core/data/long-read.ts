import {
  endMultiRead,
  ErrorCode,
  OpCode,
  Permission,
  type Request,
  STAT_BYTES,
  type Stat,
  writeListHeader,
  writeReadResult,
  writeStat,
} from '../protocol/index.js';
import { isAllowed } from './acl.js';
import { leastChildrenBytes } from './list-size.js';
import type { MachineState } from './machine-state.js';
import {
  FrozenChildren,
  FrozenEphemerals,
  FrozenPage,
  type NameSource,
  type OpenList,
} from './open-lists.js';
import { type ReadContext, readOne, type ReadResultToWrite } from './read.js';
import { ReplyParts } from './reply-parts.js';
import type { Znode } from './znode.js';

/** Names between two looks at whether the turn is over, unless a turn has fewer. */
const NAMES_PER_LOOK = 50;
/** UTF-16 code units of a name, or bytes of a znode's data, that are as much work as a short name. */
const UNITS_PER_NAME = 256;
/** A multiRead of more operations, or with a list among them, is a long read. */
const MOST_RESULTS_AT_ONCE = 8;
/** Names of one page, unless the client wants fewer, and bytes of them. */
const MOST_PAGE_NAMES = 10_000;
const MOST_PAGE_BYTES = 1024 * 1024;

/** `packet`: the reply, whose length and header are to be filled in by `sealReply`; null if there is an error. */
export interface LongReadResult {
  readonly error: ErrorCode;
  readonly packet: Uint8Array | null;
  /** As in `ReadResult`. */
  readonly refusedBytes?: number;
}

type Work = Generator<number, LongReadResult>;

/** What a long read needs. */
interface Bounds {
  /** Largest reply, without its length. */
  readonly maxBytes: number;
  /** Names, or results, that are looked at in one turn. A longer list is a long read. */
  readonly perTurn: number;
}

/**
 * A read that is evaluated over several turns. A list of children or of ephemeral znodes, and a page, is the one of the moment in which
 * the read was begun, whatever changes in the meantime; each part of a multiRead is evaluated in its turn.
 */
export class LongRead {
  /** It shows the state of its beginning, and nothing later. */
  readonly isOfItsBeginning: boolean;
  readonly #parts: ReplyParts;
  readonly #work: Work;
  readonly #perTurn: number;
  readonly #release: () => void;
  #result: LongReadResult | null = null;

  constructor(
    isOfItsBeginning: boolean,
    parts: ReplyParts,
    work: Work,
    perTurn: number,
    release: () => void,
  ) {
    this.isOfItsBeginning = isOfItsBeginning;
    this.#parts = parts;
    this.#work = work;
    this.#perTurn = perTurn;
    this.#release = release;
  }

  /** Bytes that it holds. */
  get heldBytes(): number {
    return this.#parts.bytes;
  }

  /** Does the work of one turn. The result, or null if there is more to do. */
  proceed(): LongReadResult | null {
    for (let left = this.#perTurn; left > 0 && this.#result === null;) {
      const step = this.#work.next();
      if (step.done === true) this.#result = step.value;
      else left -= step.value;
    }
    if (this.#result !== null) this.#release();
    return this.#result;
  }

  /** Lets go of what it holds. Idempotent. */
  close(): void {
    this.#release();
    this.#work.return({ error: ErrorCode.systemError, packet: null });
  }
}

/** Whether a list is so long that it has to be read over several turns. Other long reads are known by their operation. */
export function isLongList(
  { tree }: MachineState,
  request: Request,
  sessionId: bigint,
  perTurn: number,
): boolean {
  switch (request.op) {
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return (tree.find(request.body.path)?.numChildren ?? 0) > perTurn;
    case OpCode.getEphemerals:
      return tree.ephemeralsOf(sessionId).size > perTurn;
    default:
      return false;
  }
}

/** Begins a read that may take several turns; null if it takes one, or is refused: `read` answers then. */
export function openLongRead(
  state: MachineState,
  request: Request,
  context: ReadContext,
  bounds: Bounds,
): LongRead | null {
  switch (request.op) {
    case OpCode.getChildren:
    case OpCode.getChildren2: {
      const node = readable(state, request.body.path, context, bounds.perTurn);
      const stat = request.op === OpCode.getChildren2;
      // What is too large in any case is refused at once.
      if (node === null || leastChildrenBytes(node) > bounds.maxBytes) return null;
      return open(state, bounds, (parts, lists) => children(state, node, stat, parts, bounds, lists));
    }
    case OpCode.getChildrenPage: {
      const node = readable(state, request.body.path, context, -1);
      if (node === null) return null;
      return open(state, bounds, (parts, lists) => page(state, node, request.body, parts, bounds, lists));
    }
    case OpCode.getEphemerals: {
      const { sessionId } = context;
      if (state.tree.ephemeralsOf(sessionId).size <= bounds.perTurn) return null;
      const { prefixPath } = request.body;
      return open(state, bounds, (parts, lists) =>
        ephemerals(state, sessionId, prefixPath, parts, bounds, lists),
      );
    }
    case OpCode.multiRead: {
      const { ops } = request.body;
      if (ops.length <= MOST_RESULTS_AT_ONCE && !ops.some(({ op }) => op === OpCode.getChildren)) return null;
      return open(state, { ...bounds, isOfItsBeginning: false }, (parts, lists) =>
        multiRead(state, ops, context, parts, bounds, lists),
      );
    }
    default:
      return null;
  }
}

/** The lists that a long read has open, one at a time. */
class OpenedLists {
  readonly #state: MachineState;
  #list: OpenList | null = null;

  constructor(state: MachineState) {
    this.#state = state;
  }

  open<L extends OpenList>(list: L): L {
    this.close();
    this.#list = list;
    this.#state.views.addList(list);
    return list;
  }

  close(): void {
    if (this.#list !== null) this.#state.views.removeList(this.#list);
    this.#list = null;
  }
}

function open(
  state: MachineState,
  { perTurn, isOfItsBeginning = true }: Bounds & { readonly isOfItsBeginning?: boolean },
  begin: (parts: ReplyParts, lists: OpenedLists) => Work,
): LongRead {
  const parts = new ReplyParts();
  const lists = new OpenedLists(state);
  return new LongRead(isOfItsBeginning, parts, begin(parts, lists), perTurn, () => lists.close());
}

/** The znode, if it may be read and has more children than `least`. */
function readable(
  { tree }: MachineState,
  path: string,
  { identities }: ReadContext,
  least: number,
): Znode | null {
  const node = tree.find(path);
  if (node === undefined || node.numChildren <= least) return null;
  return isAllowed(node.acl, Permission.read, identities) ? node : null;
}

function children(
  state: MachineState,
  node: Znode,
  withStat: boolean,
  parts: ReplyParts,
  bounds: Bounds,
  lists: OpenedLists,
): Work {
  const stat = withStat ? state.configuration.statOf(node) : null;
  const list = lists.open(new FrozenChildren(node, state.lastZxid));
  return wholeList(list, stat, parts, bounds, leastChildrenBytes(node));
}

function ephemerals(
  { tree }: MachineState,
  sessionId: bigint,
  prefix: string,
  parts: ReplyParts,
  bounds: Bounds,
  lists: OpenedLists,
): Work {
  return wholeList(lists.open(new FrozenEphemerals(tree, sessionId, prefix)), null, parts, bounds, 0);
}

function* wholeList(
  list: NameSource,
  stat: Stat | null,
  parts: ReplyParts,
  bounds: Bounds,
  least: number,
): Work {
  const { maxBytes, perTurn } = bounds;
  const statBytes = stat === null ? 0 : STAT_BYTES;
  const isTooLarge = (): boolean => parts.bytes + statBytes > maxBytes;
  yield* writeNames(list, parts, perTurn, isTooLarge);
  if (isTooLarge()) return tooLarge(Math.max(parts.bytes + statBytes, least));
  if (stat !== null) writeStat(parts.writer, stat);
  return { error: ErrorCode.ok, packet: yield* parts.assemble() };
}

/** Until there are no more, or it `isFull`, which is asked behind each name. */
function* writeNames(
  list: NameSource,
  parts: ReplyParts,
  perTurn: number,
  isFull: (count: number) => boolean,
): Generator<number, void> {
  const { writer } = parts;
  const look = Math.min(NAMES_PER_LOOK, perTurn);
  const written = parts.beginList();
  let work = 0;
  for (let name = list.next(); name !== null; name = list.next()) {
    work += 1;
    if (name !== undefined) {
      writer.writeString(name);
      written.count += 1;
      work += Math.floor(name.length / UNITS_PER_NAME);
      if (isFull(written.count)) return;
    }
    if (work < look) continue;
    parts.cut();
    yield work;
    work = 0;
  }
}

/** Ends between two transactions, so that the zxid of the last one says where the next page begins. */
function* page(
  state: MachineState,
  node: Znode,
  request: Extract<Request, { readonly op: typeof OpCode.getChildrenPage }>['body'],
  parts: ReplyParts,
  { perTurn }: Bounds,
  lists: OpenedLists,
): Work {
  const stat = state.configuration.statOf(node);
  const { after, lastName } = request;
  const list = lists.open(new FrozenPage(state.tree, node, after, lastName, state.lastZxid));
  const most = Math.max(1, Math.min(request.most, MOST_PAGE_NAMES));
  const isFull = (count: number): boolean =>
    (count >= most || parts.bytes >= MOST_PAGE_BYTES) && list.isBetweenTransactions;
  yield* writeNames(list, parts, perTurn, isFull);
  const { writer } = parts;
  writeStat(writer, stat);
  writer.writeLong(list.zxid);
  writer.writeBool(!list.isAtEnd);
  return { error: ErrorCode.ok, packet: yield* parts.assemble() };
}

/** Every operation succeeds or fails by itself; only their size counts together. */
function* multiRead(
  state: MachineState,
  ops: Extract<Request, { readonly op: typeof OpCode.multiRead }>['body']['ops'],
  context: ReadContext,
  parts: ReplyParts,
  bounds: Bounds,
  lists: OpenedLists,
): Work {
  const { maxBytes, perTurn } = bounds;
  const isTooLarge = (): boolean => parts.bytes > maxBytes;
  const { writer } = parts;
  for (const request of ops) {
    const node =
      request.op === OpCode.getChildren ? readable(state, request.body.path, context, perTurn) : null;
    let work = 1;
    if (node !== null) {
      writeListHeader(writer);
      const list = lists.open(new FrozenChildren(node, state.lastZxid));
      yield* writeNames(list, parts, perTurn, isTooLarge);
      lists.close();
    } else {
      const before = writer.length;
      const result = readOne(state, request, context.identities);
      writeReadResult(writer, resultOf(result));
      work += Math.floor((writer.length - before) / UNITS_PER_NAME);
    }
    if (isTooLarge()) return tooLarge(parts.bytes);
    parts.cut();
    yield work;
  }
  endMultiRead(writer);
  if (isTooLarge()) return tooLarge(parts.bytes);
  return { error: ErrorCode.ok, packet: yield* parts.assemble() };
}

function resultOf({ error, reply }: ReadResultToWrite): Parameters<typeof writeReadResult>[1] {
  return reply === null ? { error } : ({ reply } as Parameters<typeof writeReadResult>[1]);
}

function tooLarge(bytes: number): LongReadResult {
  return { error: ErrorCode.marshallingError, packet: null, refusedBytes: bytes };
}
