import {
  ErrorCode,
  OpCode,
  Permission,
  type MultiResult,
  type Reply,
  type Request,
  type Stat,
} from '../../../core/protocol/index.js';
import { isSameAcl, mayUse, visibleAcl } from './permissions.js';
import { isSameData, isSameStat, type Expected } from './request-rules.js';
import { statOf, type ModelNode, type TreeModel } from './tree-model.js';

/** A reply as it was received: its code, and its body if that is ok. */
export interface ReceivedReply {
  readonly error: ErrorCode;
  readonly reply: Reply | null;
}

/** What is wrong with the answer to a read that says it reflects `zxid`; null if nothing is. */
export function wrongRead(
  request: Request,
  { error, reply }: ReceivedReply,
  at: {
    readonly model: TreeModel;
    readonly zxid: bigint;
    readonly sessionId: bigint;
    /** The digest ids that were proved before the request was sent. */
    readonly users: readonly string[];
  },
): string | null {
  const { model, zxid } = at;
  if (request.op === OpCode.multiRead) {
    if (reply?.op !== OpCode.multiRead || reply.body.results.length !== request.body.ops.length)
      return 'answers with other parts';
    return (
      reply.body.results
        .map((result, index) => wrongRead(request.body.ops[index]!, receivedPart(result), at))
        .find((wrong) => wrong !== null) ?? null
    );
  }
  if (request.op === OpCode.getEphemerals) {
    const own = model
      .ephemeralsOf(at.sessionId, zxid)
      .filter((path) => path.startsWith(request.body.prefixPath));
    return reply?.op === request.op && isSameList(reply.body.ephemerals, own)
      ? null
      : `tells other ephemerals than ${own.join()}`;
  }
  if (!('path' in request.body)) return null;
  const { path } = request.body;
  const node = model.at(path, zxid);
  if (node === null) return error === ErrorCode.noNode ? null : `answers ${error}, but there is no ${path}`;
  const wanted = request.op === OpCode.getAcl ? Permission.read | Permission.admin : Permission.read;
  if (!mayUse(node, wanted, at.users))
    return error === ErrorCode.noAuth ? null : `answers ${error}, but the reader may not read ${path}`;
  if (error !== ErrorCode.ok || reply === null) return `answers ${error}, but ${path} is there`;
  if (reply.op === OpCode.getAcl && !isSameAcl(reply.body.acl, visibleAcl(node, at.users)))
    return `tells another ACL of ${path}`;
  return wrongBody(reply, node, model, zxid);
}

function receivedPart(result: MultiResult): ReceivedReply {
  if (result.error !== undefined) return { error: result.error, reply: null };
  return { error: ErrorCode.ok, reply: result.reply };
}

function wrongBody(reply: Reply, node: ModelNode, model: TreeModel, zxid: bigint): string | null {
  const { path } = node;
  switch (reply.op) {
    case OpCode.getData:
      return isSameData(reply.body.data, node.data)
        ? wrongStat(reply.body.stat, node)
        : `tells other data of ${path}`;
    case OpCode.exists:
    case OpCode.getAcl:
      return wrongStat(reply.body.stat, node);
    case OpCode.getChildren:
    case OpCode.getChildren2: {
      const isSame = isSameList(reply.body.children, node.children);
      if (!isSame)
        return `tells ${reply.body.children.join()} as children of ${path}, not ${node.children.join()}`;
      return reply.op === OpCode.getChildren2 ? wrongStat(reply.body.stat, node) : null;
    }
    case OpCode.getAllChildrenNumber: {
      const prefix = path === '/' ? '/' : `${path}/`;
      const below = [...model.paths()].filter((other) => other !== path && other.startsWith(prefix));
      const count = below.filter((other) => model.at(other, zxid) !== null).length;
      return reply.body.totalNumber === count
        ? null
        : `counts ${reply.body.totalNumber} below ${path}, not ${count}`;
    }
    default:
      return null;
  }
}

/** What is wrong with the answer to a write that came to `expected`; null if nothing is. */
export function wrongWrite({ error, reply }: ReceivedReply, expected: Expected): string | null {
  if (expected.type === 'error') {
    return error === expected.error ? null : `answers ${error}, where ${expected.error} was due`;
  }
  if (error !== ErrorCode.ok) return `answers ${error} to what took effect`;
  if (expected.type === 'closeSession' || reply === null) return null;
  if (expected.type !== 'multi') return wrongPart(reply, expected);
  if (reply.op !== OpCode.multi || reply.body.results.length !== expected.parts.length)
    return 'answers with other parts';
  return (
    reply.body.results.map((result, index) => wrongResult(result, expected.parts[index]!)).find(Boolean) ??
    null
  );
}

function wrongResult(result: MultiResult, expected: Expected): string | null {
  if (result.error !== undefined) {
    const isExpected = expected.type === 'error' && expected.error === result.error;
    return isExpected ? null : `has a part that answers ${result.error}`;
  }
  return expected.type === 'error'
    ? 'has a part that is told to have worked'
    : wrongPart(result.reply, expected);
}

function wrongPart(reply: Reply, expected: Expected): string | null {
  if (!('node' in expected)) return null;
  const { node } = expected;
  if ('path' in reply.body && reply.body.path !== node.path)
    return `tells ${reply.body.path}, not ${node.path}`;
  return 'stat' in reply.body ? wrongStat(reply.body.stat, node) : null;
}

function wrongStat(stat: Stat, node: ModelNode): string | null {
  const expected = statOf(node);
  return isSameStat(stat, expected) ? null : `tells of ${node.path} ${show(stat)}, not ${show(expected)}`;
}

function show(stat: Stat): string {
  return JSON.stringify(stat, (_, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join('\n') === [...b].sort().join('\n');
}
