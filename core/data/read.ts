import {
  type Acl,
  aclListBytes,
  ErrorCode,
  type Id,
  LENGTH_BYTES,
  MULTI_HEADER_BYTES,
  type MultiReadRequest,
  type MultiResult,
  OpCode,
  Permission,
  type Reply,
  type ReplyToWrite,
  REPLY_HEADER_BYTES,
  type Request,
  STAT_BYTES,
} from '../protocol/index.js';
import { isAllowed, redactAcl } from './acl.js';
import type { DataTree } from './data-tree.js';
import { childrenBytes, ephemeralsBytes, fitsAnyway } from './list-size.js';
import type { MachineState } from './machine-state.js';
import { loadData } from './stored-data.js';
import { childNames, type Znode } from './znode.js';

/** Who reads. */
export interface ReadContext {
  readonly sessionId: bigint;
  readonly identities: readonly Id[];
}

export interface ReadResult {
  readonly error: ErrorCode;
  /** Null when `error` is not ok. */
  readonly reply: Reply | null;
  /** The reply would be larger than was allowed, and was not built: its size, or a lower bound of it. Else absent. */
  readonly refusedBytes?: number;
}

/** The same, with a reply that is only written: short data in it are text with one byte per character, which needs no array. */
export interface ReadResultToWrite extends Omit<ReadResult, 'reply'> {
  readonly reply: ReplyToWrite | null;
}

const NO_NODE: ReadResult = { error: ErrorCode.noNode, reply: null };
const NO_AUTH: ReadResult = { error: ErrorCode.noAuth, reply: null };
const BAD_ARGUMENTS: ReadResult = { error: ErrorCode.badArguments, reply: null };
const UNIMPLEMENTED: ReadResult = { error: ErrorCode.unimplemented, reply: null };

/**
 * Answers from the state as it is; a path that cannot exist simply has no znode. A reply of more than `maxBytes`, without
 * its length field, is not built: the error is then `marshallingError`, and `refusedBytes` is set.
 */
export function read(
  state: MachineState,
  request: Request,
  context: ReadContext,
  maxBytes = Infinity,
): ReadResult {
  const result = readToWrite(state, request, context, maxBytes);
  const { reply } = result;
  if (reply?.op === OpCode.getData) return ok(withLoadedData(reply));
  if (reply?.op !== OpCode.multiRead) return result as ReadResult;
  const results = reply.body.results.map((each) =>
    'reply' in each && each.reply.op === OpCode.getData ? { reply: withLoadedData(each.reply) } : each,
  );
  return ok({ op: OpCode.multiRead, body: { results } });
}

/** As `read`, for a reply that is only written. */
export function readToWrite(
  state: MachineState,
  request: Request,
  context: ReadContext,
  maxBytes = Infinity,
): ReadResultToWrite {
  const room: Room = {
    bytes: maxBytes - REPLY_HEADER_BYTES,
    maxBytes,
    isShared: request.op === OpCode.multiRead,
  };
  switch (request.op) {
    case OpCode.getEphemerals:
      return ephemerals(state.tree, context.sessionId, request.body.prefixPath, room);
    case OpCode.multiRead:
      return multiRead(state, request.body, context, room);
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getAcl:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getAllChildrenNumber:
      return readNode(state, request, context.identities, room);
    case OpCode.getChildrenPage:
      return refusalOf(state, request.body.path, context.identities);
    default:
      return UNIMPLEMENTED;
  }
}

/** Why a znode cannot be read; for what only a long read answers otherwise. */
function refusalOf({ tree }: MachineState, path: string, identities: readonly Id[]): ReadResult {
  const node = tree.find(path);
  if (node === undefined) return NO_NODE;
  return isAllowed(node.acl, Permission.read, identities) ? UNIMPLEMENTED : NO_AUTH;
}

/** Bytes that the reply can still take, of those that it may have. */
interface Room {
  bytes: number;
  readonly maxBytes: number;
  /** Several results take room from it. */
  readonly isShared: boolean;
}

type NodeRead = Extract<
  Request,
  {
    readonly op:
      | typeof OpCode.exists
      | typeof OpCode.getData
      | typeof OpCode.getAcl
      | typeof OpCode.getChildren
      | typeof OpCode.getChildren2
      | typeof OpCode.getAllChildrenNumber;
  }
>;

function readNode(
  state: MachineState,
  request: NodeRead,
  identities: readonly Id[],
  room: Room,
): ReadResultToWrite {
  const { tree, configuration } = state;
  const { op, body } = request;
  if (op === OpCode.exists && body.path.includes('\0')) return BAD_ARGUMENTS;
  const node = tree.find(body.path);
  if (node === undefined) return NO_NODE;
  const wanted = op === OpCode.getAcl ? Permission.read | Permission.admin : Permission.read;
  if (!isAllowed(node.acl, wanted, identities)) return NO_AUTH;
  switch (op) {
    case OpCode.exists:
      return ok({ op, body: { stat: configuration.statOf(node) } });
    case OpCode.getData: {
      const data = configuration.dataOf(node);
      const refusal = refuseTooLarge(room, LENGTH_BYTES + (data?.length ?? 0) + STAT_BYTES);
      const reply = { op, body: { data, stat: configuration.statOf(node) } } as const;
      return refusal ?? { error: ErrorCode.ok, reply };
    }
    case OpCode.getAcl: {
      const acl = visibleAcl(node, identities);
      const refusal = refuseTooLarge(room, aclListBytes(acl) + STAT_BYTES);
      return refusal ?? ok({ op, body: { acl, stat: configuration.statOf(node) } });
    }
    case OpCode.getChildren:
      return refuseLongList(room, node, 0) ?? ok({ op, body: { children: childNames(node) } });
    case OpCode.getChildren2: {
      const refusal = refuseLongList(room, node, STAT_BYTES);
      return refusal ?? ok({ op, body: { children: childNames(node), stat: configuration.statOf(node) } });
    }
    default:
      return ok({ op, body: { totalNumber: tree.descendantsOf(node) } });
  }
}

/** One operation of a multiRead whose size is checked by the caller. */
export function readOne(
  state: MachineState,
  request: MultiReadRequest['ops'][number],
  identities: readonly Id[],
): ReadResultToWrite {
  return readNode(state, request, identities, { bytes: Infinity, maxBytes: Infinity, isShared: false });
}

/** Takes room for a part of the reply, before that is built. */
function refuseTooLarge(room: Room, bytes: number): ReadResult | null {
  room.bytes -= bytes;
  if (room.bytes >= 0) return null;
  return { error: ErrorCode.marshallingError, reply: null, refusedBytes: room.maxBytes - room.bytes };
}

/** Looks at each child only if the list may be too long, or if others stand beside it in the reply. */
function refuseLongList(room: Room, node: Znode, others: number): ReadResult | null {
  if (!room.isShared && fitsAnyway(node, room.bytes - others)) return null;
  return refuseTooLarge(room, childrenBytes(node, room.bytes - others) + others);
}

/** Every operation succeeds or fails by itself; only their size counts together. */
function multiRead(
  state: MachineState,
  { ops }: MultiReadRequest,
  { identities }: ReadContext,
  room: Room,
): ReadResultToWrite {
  room.bytes -= MULTI_HEADER_BYTES;
  const results: MultiResult[] = [];
  for (const request of ops) {
    const tooLarge = refuseTooLarge(room, MULTI_HEADER_BYTES);
    if (tooLarge !== null) return tooLarge;
    const result = readNode(state, request, identities, room);
    if (result.refusedBytes !== undefined) return result;
    const { error, reply } = result;
    if (reply === null) room.bytes -= LENGTH_BYTES;
    results.push(reply === null ? { error } : ({ reply } as MultiResult));
  }
  return refuseTooLarge(room, 0) ?? ok({ op: OpCode.multiRead, body: { results } });
}

/** Password hashes are only for those who may change them. */
function visibleAcl({ acl }: Znode, identities: readonly Id[]): readonly Acl[] {
  return isAllowed(acl, Permission.admin, identities) ? acl : redactAcl(acl);
}

/** The prefix is one of the text, not of whole names. */
function ephemerals(tree: DataTree, sessionId: bigint, prefix: string, room: Room): ReadResult {
  const owned = tree.ephemeralsOf(sessionId);
  const refusal = refuseTooLarge(room, ephemeralsBytes(owned, prefix));
  if (refusal !== null) return refusal;
  const paths: string[] = [];
  for (const { path } of owned) if (path.startsWith(prefix)) paths.push(path);
  return ok({ op: OpCode.getEphemerals, body: { ephemerals: paths.sort() } });
}

function withLoadedData({
  op,
  body,
}: Extract<ReplyToWrite, { readonly op: typeof OpCode.getData }>): Extract<
  Reply,
  { readonly op: typeof OpCode.getData }
> {
  const { data, stat } = body;
  return { op, body: { data: loadData(data), stat } };
}

function ok(reply: Reply): ReadResult {
  return { error: ErrorCode.ok, reply };
}
