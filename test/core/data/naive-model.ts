/**
 * The rules of the state machine a second time, as plainly as they can be written: one map, one request
 * after the other, everything looked up by going through all of it, a failed multi undone from a copy.
 */
import {
  type Acl,
  CreateMode,
  type CreateRequest,
  ErrorCode,
  type Id,
  type MultiRequest,
  OpCode,
  type Stat,
} from '../../../core/protocol/index.js';
import type { WriteRequest } from '../../../core/data/index.js';
import { bytes, text } from './ensemble-of-one.js';

export interface ModelNode {
  data: Uint8Array | null;
  acl: readonly Acl[];
  czxid: bigint;
  mzxid: bigint;
  pzxid: bigint;
  ctime: number;
  mtime: number;
  version: number;
  aversion: number;
  /** Creates and deletes of children. */
  cversion: number;
  /** Creates of children. */
  creates: number;
  owner: bigint;
  kind: 'plain' | 'container' | { readonly ttlMs: number };
}

export interface ModelAnswer {
  readonly error: ErrorCode;
  /** What the reply's body has to be; null if there is none. */
  readonly body: unknown;
}

class Refusal extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode) {
    super(`refused: ${code}`);
    this.code = code;
  }
}

const fail = (code: ErrorCode): never => {
  throw new Refusal(code);
};
const demand = (holds: boolean, code: ErrorCode): void => {
  if (!holds) fail(code);
};

const PRESET = ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'];
const WORLD: Id = { scheme: 'world', id: 'anyone' };

export class NaiveModel {
  nodes = new Map<string, ModelNode>();
  sessions = new Map<bigint, number>();
  time = 0;
  readonly enforceQuota: boolean;
  private zxid = 0n;
  private identities: readonly Id[] = [];
  private sessionId = 0n;

  constructor(enforceQuota: boolean) {
    this.enforceQuota = enforceQuota;
    for (const path of PRESET)
      this.put(path, new Uint8Array(0), [{ perms: path.endsWith('config') ? 1 : 31, id: WORLD }]);
    this.nodes.get('/')!.cversion = -1;
    this.nodes.get('/zookeeper')!.cversion = -2;
    this.nodes.get('/zookeeper/config')!.aversion = -1;
  }

  write(
    request: WriteRequest,
    caller: { readonly sessionId: bigint; readonly identities: readonly Id[]; readonly wallMs: number },
    zxid: bigint,
  ): ModelAnswer {
    this.zxid = zxid;
    this.identities = caller.identities;
    this.sessionId = caller.sessionId;
    this.time = Math.max(this.time, caller.wallMs);
    try {
      const body = this.carryOut(request);
      this.refreshQuotaStats();
      return { error: ErrorCode.ok, body };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { error: error.code, body: null };
    }
  }

  stat(path: string): Stat {
    const node = this.nodes.get(path)!;
    return {
      czxid: node.czxid,
      mzxid: node.mzxid,
      ctime: node.ctime,
      mtime: node.mtime,
      version: node.version,
      cversion: node.cversion,
      aversion: node.aversion,
      ephemeralOwner: node.owner,
      dataLength: node.data?.length ?? 0,
      numChildren: this.childrenOf(path).length,
      pzxid: node.pzxid,
    };
  }

  childrenOf(path: string): string[] {
    const prefix = path === '/' ? '/' : path + '/';
    return [...this.nodes.keys()]
      .filter(
        (other) => other !== '/' && other.startsWith(prefix) && !other.slice(prefix.length).includes('/'),
      )
      .map((other) => other.slice(prefix.length))
      .sort();
  }

  private carryOut(request: WriteRequest): unknown {
    const { op, body } = request;
    switch (op) {
      case OpCode.createSession:
        this.sessions.set(this.sessionId, body.timeoutMs);
        return null;
      case OpCode.closeSession:
        // In the order of the paths: the last usage of a quota whose limits are among them depends on it.
        for (const path of [...this.nodes.keys()].sort()) {
          if (this.nodes.get(path)?.owner !== this.sessionId) continue;
          this.remove(path);
          this.refreshQuotaStats();
        }
        this.sessions.delete(this.sessionId);
        return null;
      case OpCode.deleteContainer:
        this.reap(body.path);
        return null;
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTtl:
        return this.create(op, body);
      case OpCode.delete:
      case OpCode.setData:
        return this.member(request);
      case OpCode.setAcl: {
        this.demandSession();
        this.demandValid(body.path);
        const acl = this.expand(body.acl);
        const node = this.existing(body.path);
        this.demandPermission(node, 16);
        demand(body.version === -1 || body.version === node.aversion, ErrorCode.badVersion);
        node.acl = acl;
        node.aversion++;
        return { stat: this.stat(body.path) };
      }
      case OpCode.multi:
        this.demandSession();
        return { results: this.multi(body.ops) };
      default:
        return fail(ErrorCode.unimplemented);
    }
  }

  private multi(ops: MultiRequest['ops']): unknown[] {
    const before = new Map([...this.nodes].map(([path, node]) => [path, { ...node }]));
    const results: unknown[] = [];
    for (const member of ops) {
      try {
        results.push({ reply: { op: member.op, body: this.member(member) ?? {} } });
        this.refreshQuotaStats();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        this.nodes = before;
        const failedAt = results.length;
        return ops.map((_, index) => {
          if (index === failedAt) return { error: error.code };
          return { error: index < failedAt ? ErrorCode.ok : ErrorCode.runtimeInconsistency };
        });
      }
    }
    return results;
  }

  private member({ op, body }: MultiRequest['ops'][number]): unknown {
    this.demandSession(op);
    switch (op) {
      case OpCode.delete: {
        demand(body.path.includes('/') && !body.path.includes('\0'), ErrorCode.badArguments);
        demand(!PRESET.includes(body.path), ErrorCode.badArguments);
        this.demandPermission(this.existing(above(body.path)), 8);
        const node = this.existing(body.path);
        demand(body.version === -1 || body.version === node.version, ErrorCode.badVersion);
        demand(this.childrenOf(body.path).length === 0, ErrorCode.notEmpty);
        this.remove(body.path);
        return null;
      }
      case OpCode.setData: {
        this.demandValid(body.path);
        const node = this.existing(body.path);
        this.demandPermission(node, 2);
        this.demandQuota(body.path, 0, (body.data?.length ?? 0) - (node.data?.length ?? 0));
        demand(body.version === -1 || body.version === node.version, ErrorCode.badVersion);
        node.data = body.data;
        node.version++;
        node.mzxid = this.zxid;
        node.mtime = this.time;
        this.recount(body.path);
        return { stat: this.stat(body.path) };
      }
      case OpCode.check: {
        this.demandValid(body.path);
        const node = this.existing(body.path);
        this.demandPermission(node, 1);
        demand(body.version === -1 || body.version === node.version, ErrorCode.badVersion);
        return null;
      }
      default:
        return this.create(op, body);
    }
  }

  private create(op: number, { path: asked, data, acl: givenAcl, flags, ttlMs }: CreateRequest): unknown {
    const isTtl = flags === 5 || flags === 6;
    if (op === OpCode.createTtl) demand(isTtl && ttlMs > 0, ErrorCode.badArguments);
    else demand(!isTtl, ErrorCode.badArguments);
    demand(flags >= 0 && flags <= 6, ErrorCode.badArguments);
    this.demandSession();
    demand(asked.includes('/') && !asked.includes('\0'), ErrorCode.badArguments);
    const acl = this.expand(givenAcl);
    const parentPath = above(asked);
    const parent = this.existing(parentPath);
    this.demandPermission(parent, 4);
    const isSequential = flags === 2 || flags === 3 || flags === 6;
    const path = isSequential ? asked + String(parent.creates).padStart(10, '0') : asked;
    this.demandValid(path);
    demand(!this.nodes.has(path), ErrorCode.nodeExists);
    demand(parent.owner === 0n, ErrorCode.noChildrenForEphemerals);
    this.demandQuota(path, 1, data?.length ?? 0);
    const node = this.put(path, data, acl);
    if (flags === CreateMode.ephemeral || flags === CreateMode.ephemeralSequential)
      node.owner = this.sessionId;
    if (op === OpCode.createContainer) node.kind = 'container';
    if (isTtl) node.kind = { ttlMs };
    parent.creates++;
    parent.cversion++;
    parent.pzxid = this.zxid;
    this.recount(path);
    return op === OpCode.create ? { path } : { path, stat: this.stat(path) };
  }

  private put(path: string, data: Uint8Array | null, acl: readonly Acl[]): ModelNode {
    const { zxid, time } = this;
    const node: ModelNode = {
      data,
      acl,
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: time,
      mtime: time,
      version: 0,
      aversion: 0,
      cversion: 0,
      creates: 0,
      owner: 0n,
      kind: 'plain',
    };
    this.nodes.set(path, node);
    return node;
  }

  private remove(path: string): void {
    this.nodes.delete(path);
    const parent = this.existing(above(path));
    parent.cversion++;
    parent.pzxid = this.zxid;
  }

  private reap(path: string): void {
    const node = this.existing(path);
    demand(this.childrenOf(path).length === 0, ErrorCode.notEmpty);
    if (node.kind === 'plain') fail(ErrorCode.badVersion);
    else if (node.kind === 'container') demand(node.creates > 0, ErrorCode.badVersion);
    else demand(this.time - node.mtime > node.kind.ttlMs, ErrorCode.badVersion);
    this.remove(path);
  }

  private existing(path: string): ModelNode {
    return this.nodes.get(path) ?? fail(ErrorCode.noNode);
  }

  private demandSession(op?: number): void {
    // Inside a multi, creates look at their flags first and then at the session, which the multi as a whole has passed.
    if (op === OpCode.create) return;
    demand(this.sessions.has(this.sessionId), ErrorCode.sessionExpired);
  }

  private demandValid(path: string): void {
    const isValid = path === '/' || /^(\/(?!\.{1,2}(\/|$))[a-z0-9_.-]+)+$/.test(path);
    demand(isValid, ErrorCode.badArguments);
  }

  private demandPermission(node: ModelNode, wanted: number): void {
    const isGranted = node.acl.some(
      ({ perms, id }) =>
        (perms & wanted) !== 0 &&
        (id.scheme === 'world' ||
          this.identities.some((mine) => mine.scheme === id.scheme && mine.id === id.id)),
    );
    demand(isGranted || this.identities.some(({ scheme }) => scheme === 'super'), ErrorCode.noAuth);
  }

  private expand(acl: readonly Acl[]): readonly Acl[] {
    const expanded: Acl[] = [];
    for (const { perms, id } of acl) {
      const digests = this.identities.filter(({ scheme }) => scheme === 'digest');
      const ids = id.scheme === 'auth' ? digests : [id];
      demand(ids.length > 0 && id.scheme !== 'nonsense', ErrorCode.invalidAcl);
      for (const one of ids) {
        const isThere = expanded.some(
          (other) => other.perms === perms && other.id.scheme === one.scheme && other.id.id === one.id,
        );
        if (!isThere) expanded.push({ perms, id: one });
      }
    }
    demand(expanded.length > 0, ErrorCode.invalidAcl);
    return expanded;
  }

  // Quotas.

  usageOf(top: string): { readonly count: number; readonly bytes: number } {
    const inside = [...this.nodes].filter(([path]) => path === top || path.startsWith(top + '/'));
    return {
      count: inside.length,
      bytes: inside.reduce((sum, [, node]) => sum + (node.data?.length ?? 0), 0),
    };
  }

  private limits(): { readonly top: string; readonly data: string }[] {
    return [...this.nodes]
      .map(([path, node]) => ({ match: /^\/zookeeper\/quota(\/.+)\/zookeeper_limits$/.exec(path), node }))
      .filter(({ match }) => match !== null && !/^\/zookeeper(\/|$)/.test(match[1]!))
      .map(({ match, node }) => ({ top: match![1]!, data: text(node.data) ?? '' }));
  }

  private demandQuota(path: string, count: number, byteCount: number): void {
    if (!this.enforceQuota) return;
    for (const { top, data } of this.limits()) {
      if (path !== top && !path.startsWith(top + '/')) continue;
      const usage = this.usageOf(top);
      const countLimit = Number(/countHardLimit=(\d+)/.exec(data)?.[1] ?? Infinity);
      const byteLimit = Number(/byteHardLimit=(\d+)/.exec(data)?.[1] ?? Infinity);
      demand(count <= 0 || usage.count + count <= countLimit, ErrorCode.quotaExceeded);
      demand(byteCount <= 0 || usage.bytes + byteCount <= byteLimit, ErrorCode.quotaExceeded);
    }
  }

  /** A statistics znode that somebody wrote to shows the usage, limits or not. */
  private recount(path: string): void {
    const top = /^\/zookeeper\/quota(\/.+)\/zookeeper_stats$/.exec(path)?.[1];
    if (top !== undefined && !/^\/zookeeper(\/|$)/.test(top)) this.showUsage(path, top);
  }

  private refreshQuotaStats(): void {
    for (const { top } of this.limits()) this.showUsage(`/zookeeper/quota${top}/zookeeper_stats`, top);
  }

  private showUsage(path: string, top: string): void {
    const stats = this.nodes.get(path);
    const { count, bytes: byteCount } = this.usageOf(top);
    if (stats !== undefined) stats.data = bytes(`count=${count},bytes=${byteCount}`);
  }
}

function above(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0)) || '/';
}
