import {
  OpCode,
  readRequest,
  readRequestHeader,
  type JuteReader,
  type OpName,
  type Request,
} from '../protocol/index.js';

/** Which requests are meant; what is left out does not matter. */
export interface RequestPattern {
  /**
   * One of these operations; a multi also counts if one of its own operations does. `create`, `getChildren`
   * and `setWatches` stand for every operation of that kind.
   */
  readonly op?: OpName | readonly OpName[] | undefined;
  /** The path on the wire, chroot included: whole, or as a pattern. */
  readonly path?: string | RegExp | undefined;
}

/** A request on its way. */
export interface SeenRequest {
  readonly xid: number;
  readonly op: OpName;
  /** '' for an operation without one. */
  readonly path: string;
  /** Of a multi. */
  readonly parts: readonly { readonly op: OpName; readonly path: string }[];
}

const OP_NAMES = new Map(Object.entries(OpCode).map(([name, code]) => [code as number, name as OpName]));

/** Operations that ask for the same as an older one, in a newer form. */
const KIND: Partial<Record<OpName, OpName>> = {
  create2: 'create',
  createContainer: 'create',
  createTtl: 'create',
  getChildren2: 'getChildren',
  setWatches2: 'setWatches',
};

/** Null for bytes that are no request that a client may send. */
export function readSeenRequest(packet: JuteReader): SeenRequest | null {
  try {
    const header = readRequestHeader(packet);
    const request = readRequest(packet, header);
    return { xid: header.xid, ...describe(request), parts: partsOf(request).map(describe) };
  } catch {
    return null;
  }
}

export function matches(pattern: RequestPattern, request: SeenRequest): boolean {
  return [request, ...request.parts].some(
    ({ op, path }) => matchesOp(pattern.op, op) && matchesPath(pattern.path, path),
  );
}

function describe(request: Request): { readonly op: OpName; readonly path: string } {
  const { path } = request.body as { readonly path?: string };
  return { op: OP_NAMES.get(request.op)!, path: path ?? '' };
}

function partsOf(request: Request): readonly Request[] {
  return request.op === OpCode.multi || request.op === OpCode.multiRead ? request.body.ops : [];
}

function matchesOp(pattern: RequestPattern['op'], op: OpName): boolean {
  if (pattern === undefined) return true;
  return [pattern].flat().some((wanted) => wanted === op || wanted === KIND[op]);
}

function matchesPath(pattern: RequestPattern['path'], path: string): boolean {
  if (pattern === undefined) return true;
  return typeof pattern === 'string' ? pattern === path : pattern.test(path);
}
