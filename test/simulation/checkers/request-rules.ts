import type { Outcome, Txn } from '../../../core/data/index.js';
import {
  CreateMode,
  ErrorCode,
  OpCode,
  Permission,
  type CreateRequest,
  type Request,
  type SetDataRequest,
  type Stat,
} from '../../../core/protocol/index.js';
import { isSameBytes } from './log-chain.js';
import { isSameAcl, keptAcl, mayUse } from './permissions.js';
import { allows } from './quota-rules.js';
import { isSession, parentOf, statOf, type ModelNode, type TreeModel } from './tree-model.js';

const CONTAINER_OWNER = -0x8000_0000_0000_0000n;
const TTL_TAG = -1n << 56n;

/** What a write has to come to. */
export type Expected =
  | { readonly type: 'error'; readonly error: ErrorCode }
  | { readonly type: 'create' | 'setData' | 'setAcl'; readonly node: ModelNode }
  | { readonly type: 'delete' | 'check'; readonly path: string }
  | { readonly type: 'closeSession' }
  | { readonly type: 'multi'; readonly parts: readonly Expected[] };

/** Requests that become transactions. */
export function isWrite({ op }: { readonly op: number }): boolean {
  return WRITES.has(op);
}

const WRITES = new Set<number>([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTtl,
  OpCode.delete,
  OpCode.setData,
  OpCode.setAcl,
  OpCode.multi,
  OpCode.closeSession,
]);

/**
 * The rules of ZooKeeper's writes, once more and naively; identities are digest ids. Hard quotas are enforced: no znode of limits is
 * made where members do not enforce them.
 */
export function expectedOutcome(
  request: Request,
  at: {
    readonly model: TreeModel;
    readonly zxid: bigint;
    readonly txn: Txn;
    /** The digest ids that were proved before the request was sent. */
    readonly users: readonly string[];
  },
): Expected {
  return new Trial(at).outcome(request);
}

/** One request, tried on the state that its transaction found. */
class Trial {
  readonly #model: TreeModel;
  readonly #zxid: bigint;
  readonly #txn: Txn;
  readonly #users: readonly string[];
  /** What earlier parts of a multi have done. */
  #changed = new Map<string, ModelNode | null>();

  constructor({ model, zxid, txn, users }: Parameters<typeof expectedOutcome>[1]) {
    this.#model = model;
    this.#zxid = zxid;
    this.#txn = txn;
    this.#users = users;
  }

  outcome(request: Request): Expected {
    if (request.op === OpCode.closeSession) return { type: 'closeSession' };
    if (!this.#model.isOpen(this.#txn.sessionId, this.#zxid - 1n)) return refused(ErrorCode.sessionExpired);
    if (request.op !== OpCode.multi) return this.#single(request);
    const parts: Expected[] = [];
    for (const part of request.body.ops) {
      const expected = this.#single(part);
      if (expected.type === 'error') {
        const { length } = parts;
        return {
          type: 'multi',
          parts: request.body.ops.map((_, index) => failedPart(index, length, expected)),
        };
      }
      parts.push(expected);
    }
    return { type: 'multi', parts };
  }

  #single(request: Request): Expected {
    switch (request.op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        return this.#create(request.body);
      case OpCode.delete:
        return this.#delete(request.body.path, request.body.version);
      case OpCode.setData:
        return this.#setData(request.body);
      case OpCode.setAcl:
        return this.#change(request.body.path, request.body.version, 'aversion', (node) => ({
          ...node,
          acl: keptAcl(request.body.acl),
          aversion: (node.aversion + 1) | 0,
        }));
      case OpCode.check: {
        const node = this.#find(request.body.path);
        if (node === null) return refused(ErrorCode.noNode);
        if (!mayUse(node, Permission.read, this.#users)) return refused(ErrorCode.noAuth);
        if (isOther(request.body.version, node.version)) return refused(ErrorCode.badVersion);
        return { type: 'check', path: request.body.path };
      }
      default:
        throw new Error(`operation ${request.op} is no write`);
    }
  }

  #create({ path: given, data, acl, flags, ttlMs }: CreateRequest): Expected {
    const parentPath = parentOf(given);
    const parent = this.#find(parentPath);
    if (parent === null) return refused(ErrorCode.noNode);
    if (!mayUse(parent, Permission.create, this.#users)) return refused(ErrorCode.noAuth);
    const path = SEQUENTIAL.has(flags) ? given + String(parent.creates).padStart(10, '0') : given;
    if (this.#find(path) !== null) return refused(ErrorCode.nodeExists);
    if (isSession(parent.owner)) return refused(ErrorCode.noChildrenForEphemerals);
    if (!allows(this.#find, path, { count: 1, bytes: data?.length ?? 0 }))
      return refused(ErrorCode.quotaExceeded);
    const node: ModelNode = {
      path,
      data,
      acl: keptAcl(acl),
      owner: this.#ownerFor(flags, ttlMs),
      czxid: this.#zxid,
      mzxid: this.#zxid,
      pzxid: this.#zxid,
      ctime: this.#txn.time,
      mtime: this.#txn.time,
      version: 0,
      aversion: 0,
      creates: 0,
      deletes: 0,
      children: [],
    };
    this.#changed.set(path, node);
    const children = [...parent.children, path.slice(path.lastIndexOf('/') + 1)];
    const creates = (parent.creates + 1) | 0;
    this.#changed.set(parentPath, { ...parent, children, creates, pzxid: this.#zxid });
    return { type: 'create', node };
  }

  #delete(path: string, version: number): Expected {
    const parentPath = parentOf(path);
    const parent = this.#find(parentPath);
    const node = this.#find(path);
    if (parent === null) return refused(ErrorCode.noNode);
    if (!mayUse(parent, Permission.delete, this.#users)) return refused(ErrorCode.noAuth);
    if (node === null) return refused(ErrorCode.noNode);
    if (isOther(version, node.version)) return refused(ErrorCode.badVersion);
    if (node.children.length > 0) return refused(ErrorCode.notEmpty);
    this.#changed.set(path, null);
    const children = parent.children.filter((name) => name !== path.slice(path.lastIndexOf('/') + 1));
    const deletes = (parent.deletes + 1) | 0;
    this.#changed.set(parentPath, { ...parent, children, deletes, pzxid: this.#zxid });
    return { type: 'delete', path };
  }

  #setData({ path, data, version }: SetDataRequest): Expected {
    const node = this.#find(path);
    const growth = { count: 0, bytes: (data?.length ?? 0) - (node?.data?.length ?? 0) };
    const isAllowed = node !== null && mayUse(node, Permission.write, this.#users);
    if (isAllowed && !allows(this.#find, path, growth)) return refused(ErrorCode.quotaExceeded);
    return this.#change(path, version, 'version', (node) => ({
      ...node,
      data,
      version: (node.version + 1) | 0,
      mzxid: this.#zxid,
      mtime: this.#txn.time,
    }));
  }

  #change(
    path: string,
    version: number,
    kind: 'version' | 'aversion',
    change: (node: ModelNode) => ModelNode,
  ): Expected {
    const node = this.#find(path);
    if (node === null) return refused(ErrorCode.noNode);
    const wanted = kind === 'version' ? Permission.write : Permission.admin;
    if (!mayUse(node, wanted, this.#users)) return refused(ErrorCode.noAuth);
    if (isOther(version, node[kind])) return refused(ErrorCode.badVersion);
    const changed = change(node);
    this.#changed.set(path, changed);
    return { type: kind === 'version' ? 'setData' : 'setAcl', node: changed };
  }

  readonly #find = (path: string): ModelNode | null => {
    const changed = this.#changed.get(path);
    return changed === undefined ? this.#model.before(path, this.#zxid) : changed;
  };

  #ownerFor(flags: number, ttlMs: number): bigint {
    if (flags === CreateMode.ephemeral || flags === CreateMode.ephemeralSequential)
      return this.#txn.sessionId;
    if (flags === CreateMode.container) return CONTAINER_OWNER;
    const hasTtl = flags === CreateMode.persistentWithTtl || flags === CreateMode.persistentSequentialWithTtl;
    return hasTtl ? TTL_TAG | BigInt(ttlMs) : 0n;
  }
}

const SEQUENTIAL = new Set<number>([
  CreateMode.persistentSequential,
  CreateMode.ephemeralSequential,
  CreateMode.persistentSequentialWithTtl,
]);

/** Whether the transaction's outcome is the one expected; null if so, else what is wrong with it. */
export function misfit(outcome: Outcome, expected: Expected): string | null {
  const isExpected = fits(outcome, expected);
  return isExpected ? null : `came to ${describe(outcome)}, where ${describeExpected(expected)} was due`;
}

function fits(outcome: Outcome, expected: Expected): boolean {
  switch (outcome.type) {
    case 'error':
      return expected.type === 'error' && expected.error === outcome.error;
    case 'create':
      return (
        expected.type === 'create' &&
        expected.node.path === outcome.path &&
        expected.node.owner === outcome.storedOwner &&
        isSameAcl(expected.node.acl, outcome.acl) &&
        isSameData(expected.node.data, outcome.data)
      );
    case 'setData':
      return (
        expected.type === 'setData' &&
        expected.node.path === outcome.path &&
        expected.node.version === outcome.version &&
        isSameData(expected.node.data, outcome.data)
      );
    case 'setAcl':
      return (
        expected.type === 'setAcl' &&
        expected.node.path === outcome.path &&
        expected.node.aversion === outcome.aversion &&
        isSameAcl(expected.node.acl, outcome.acl)
      );
    case 'delete':
    case 'check':
      return expected.type === outcome.type && expected.path === outcome.path;
    case 'multi':
      return (
        expected.type === 'multi' &&
        outcome.parts.length === expected.parts.length &&
        outcome.parts.every((part, index) => fits(part.outcome, expected.parts[index]!))
      );
    case 'closeSession':
      return expected.type === 'closeSession';
    default:
      return false;
  }
}

export function isSameData(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : isSameBytes(a, b);
}

export function isSameStat(a: Stat, b: Stat): boolean {
  return STAT_FIELDS.every((field) => a[field] === b[field]);
}

const STAT_FIELDS = Object.keys(
  statOf({
    path: '',
    data: null,
    acl: [],
    owner: 0n,
    czxid: 0n,
    mzxid: 0n,
    pzxid: 0n,
    ctime: 0,
    mtime: 0,
    version: 0,
    aversion: 0,
    creates: 0,
    deletes: 0,
    children: [],
  }),
) as (keyof Stat)[];

function failedPart(index: number, failedAt: number, failure: Expected): Expected {
  if (index === failedAt) return failure;
  return refused(index < failedAt ? ErrorCode.ok : ErrorCode.runtimeInconsistency);
}

function refused(error: ErrorCode): Expected {
  return { type: 'error', error };
}

function isOther(wanted: number, present: number): boolean {
  return wanted !== -1 && wanted !== present;
}

function describe(outcome: Outcome): string {
  if (outcome.type === 'error') return `error ${outcome.error}`;
  if (outcome.type === 'multi') return `[${outcome.parts.map((part) => describe(part.outcome)).join(', ')}]`;
  return 'path' in outcome ? `${outcome.type} ${outcome.path}` : outcome.type;
}

function describeExpected(expected: Expected): string {
  switch (expected.type) {
    case 'error':
      return `error ${expected.error}`;
    case 'multi':
      return `[${expected.parts.map(describeExpected).join(', ')}]`;
    case 'closeSession':
      return 'closeSession';
    default:
      return `${expected.type} ${'node' in expected ? expected.node.path : expected.path}`;
  }
}
