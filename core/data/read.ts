import {
  type Acl,
  ErrorCode,
  type Id,
  type MultiReadRequest,
  type MultiResult,
  OpCode,
  Permission,
  type Reply,
  type Request,
} from '../protocol/index.js';
import { isAllowed, redactAcl } from './acl.js';
import type { DataTree } from './data-tree.js';
import type { MachineState } from './machine-state.js';
import { childNames, nextInSubtree, type Znode } from './znode.js';

/** Who reads. */
export interface ReadContext {
  readonly sessionId: bigint;
  readonly identities: readonly Id[];
}

export interface ReadResult {
  readonly error: ErrorCode;
  /** Null when `error` is not ok. */
  readonly reply: Reply | null;
}

const NO_NODE: ReadResult = { error: ErrorCode.noNode, reply: null };
const NO_AUTH: ReadResult = { error: ErrorCode.noAuth, reply: null };
const BAD_ARGUMENTS: ReadResult = { error: ErrorCode.badArguments, reply: null };
const UNIMPLEMENTED: ReadResult = { error: ErrorCode.unimplemented, reply: null };

/** Answers from the state as it is; a path that cannot exist simply has no znode. */
export function read(state: MachineState, request: Request, context: ReadContext): ReadResult {
  switch (request.op) {
    case OpCode.getEphemerals:
      return ok({
        op: request.op,
        body: { ephemerals: ephemeralsBelow(state.tree, context.sessionId, request.body.prefixPath) },
      });
    case OpCode.multiRead:
      return ok({ op: request.op, body: { results: multiRead(state, request.body, context) } });
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getAcl:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getAllChildrenNumber:
      return readNode(state, request, context.identities);
    default:
      return UNIMPLEMENTED;
  }
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

function readNode(state: MachineState, request: NodeRead, identities: readonly Id[]): ReadResult {
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
    case OpCode.getData:
      return ok({ op, body: { data: configuration.dataOf(node), stat: configuration.statOf(node) } });
    case OpCode.getAcl:
      return ok({ op, body: { acl: visibleAcl(node, identities), stat: configuration.statOf(node) } });
    case OpCode.getChildren:
      return ok({ op, body: { children: childNames(node) } });
    case OpCode.getChildren2:
      return ok({ op, body: { children: childNames(node), stat: configuration.statOf(node) } });
    default:
      return ok({ op, body: { totalNumber: descendants(tree, node) } });
  }
}

/** Every operation succeeds or fails by itself. */
function multiRead(
  state: MachineState,
  { ops }: MultiReadRequest,
  { identities }: ReadContext,
): MultiResult[] {
  return ops.map((request): MultiResult => {
    const { error, reply } = readNode(state, request, identities);
    return reply === null ? { error } : ({ reply } as MultiResult);
  });
}

/** Password hashes are only for those who may change them. */
function visibleAcl({ acl }: Znode, identities: readonly Id[]): readonly Acl[] {
  return isAllowed(acl, Permission.admin, identities) ? acl : redactAcl(acl);
}

function descendants(tree: DataTree, top: Znode): number {
  if (top.path === '/') return tree.size - 1;
  let count = -1;
  for (let node: Znode | null = top; node !== null; node = nextInSubtree(node, top)) count++;
  return count;
}

/** The prefix is one of the text, not of whole names. */
function ephemeralsBelow(tree: DataTree, sessionId: bigint, prefix: string): string[] {
  const paths: string[] = [];
  for (const { path } of tree.ephemeralsOf(sessionId)) if (path.startsWith(prefix)) paths.push(path);
  return paths.sort();
}

function ok(reply: Reply): ReadResult {
  return { error: ErrorCode.ok, reply };
}
