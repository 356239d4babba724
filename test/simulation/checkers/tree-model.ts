import { StateMachine, type Outcome, type Txn } from '../../../core/data/index.js';
import { OpCode, type Acl, type Stat } from '../../../core/protocol/index.js';
import { check, hex } from './referee.js';

/** A znode as it was for a while. Never changed: a change makes another one. */
export interface ModelNode {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly owner: bigint;
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly pzxid: bigint;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly aversion: number;
  /** Children ever created, and ever deleted. */
  readonly creates: number;
  readonly deletes: number;
  /** Sorted. */
  readonly children: readonly string[];
}

export type ChangeType = 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';

/** Something that a watch at the path hears of. */
export interface ModelChange {
  readonly zxid: bigint;
  readonly type: ChangeType;
  readonly path: string;
}

interface Version {
  readonly zxid: bigint;
  readonly node: ModelNode | null;
}

/** A session as the transactions tell of it. */
export interface ModelSession {
  readonly timeoutMs: number;
  readonly openedAt: bigint;
  closedAt: bigint | null;
}

/** High bytes of an owner that is no session: a container, and a time to live. */
const CONTAINER = -0x8000_0000_0000_0000n;
const NOTHING: readonly Version[] = [];

/**
 * What the tree must be after each committed transaction: a second, naive implementation, which forgets nothing and so
 * can be asked about any zxid. It takes each transaction's outcome and checks that it fits the state before it.
 */
export class TreeModel {
  readonly #versions = new Map<string, Version[]>();
  readonly #changes = new Map<string, ModelChange[]>();
  readonly #allChanges: ModelChange[] = [];
  readonly #sessions = new Map<bigint, ModelSession>();
  readonly #ephemerals = new Map<bigint, Set<string>>();
  #zxid = 0n;
  #time = 0;

  constructor() {
    this.#plant();
  }

  get sessions(): ReadonlyMap<bigint, ModelSession> {
    return this.#sessions;
  }

  /** Every path that ever was. */
  paths(): Iterable<string> {
    return this.#versions.keys();
  }

  /** The znode as it is after everything up to `zxid`; null if there is none. */
  at(path: string, zxid: bigint): ModelNode | null {
    const versions = this.#versions.get(path) ?? NOTHING;
    const index = firstBehind(versions, zxid) - 1;
    return versions[index]?.node ?? null;
  }

  /** The znode as the transaction `zxid` found it. */
  before(path: string, zxid: bigint): ModelNode | null {
    return this.at(path, zxid - 1n);
  }

  isOpen(sessionId: bigint, zxid: bigint): boolean {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.openedAt > zxid) return false;
    return session.closedAt === null || session.closedAt > zxid;
  }

  /** What happened at a path, oldest first. */
  changesOf(path: string): readonly ModelChange[] {
    return this.#changes.get(path) ?? [];
  }

  /** What happened anywhere, oldest first. */
  get changes(): readonly ModelChange[] {
    return this.#allChanges;
  }

  /** Sorted. */
  ephemeralsOf(sessionId: bigint, zxid: bigint): readonly string[] {
    const paths = [...this.#versions.keys()].filter((path) => this.at(path, zxid)?.owner === sessionId);
    return paths.sort();
  }

  /** To be called for each committed transaction, in order. */
  apply(zxid: bigint, txn: Txn): void {
    check(zxid > this.#zxid, () => `the transaction ${hex(zxid)} comes behind ${hex(this.#zxid)}`);
    check(txn.time >= this.#time, () => `time runs backwards at ${hex(zxid)}`);
    this.#zxid = zxid;
    this.#time = txn.time;
    const { sessionId, outcome, op } = txn;
    const needsSession =
      outcome.type !== 'error' &&
      !['createSession', 'closeSession'].includes(outcome.type) &&
      sessionId !== 0n;
    check(
      !needsSession || this.isOpen(sessionId, zxid - 1n),
      () => `${hex(zxid)} is of the session ${hex(sessionId)}, which is not open`,
    );
    check(
      sessionId !== 0n || op === OpCode.deleteContainer,
      () => `${hex(zxid)} is of no session, and removes no container`,
    );
    this.#carryOut(txn, outcome);
  }

  #carryOut(txn: Txn, outcome: Outcome): void {
    const { sessionId } = txn;
    switch (outcome.type) {
      case 'createSession':
        check(!this.#sessions.has(sessionId), () => `the session ${hex(sessionId)} is created twice`);
        this.#sessions.set(sessionId, { timeoutMs: outcome.timeoutMs, openedAt: this.#zxid, closedAt: null });
        return;
      case 'closeSession':
        return this.#close(sessionId, outcome.paths);
      case 'multi':
        for (const part of outcome.parts) this.#carryOut(txn, part.outcome);
        return;
      case 'create':
        return this.#create(outcome, txn.time);
      case 'delete':
        return this.#delete(outcome.path);
      case 'setData': {
        const node = this.#existing(outcome.path);
        check(outcome.version === ((node.version + 1) | 0), () => this.#misfit(outcome.path, 'version'));
        const { data, version } = outcome;
        this.#put({ ...node, data: copyOf(data), version, mzxid: this.#zxid, mtime: txn.time });
        return this.#note('dataChanged', outcome.path);
      }
      case 'setAcl': {
        const node = this.#existing(outcome.path);
        check(outcome.aversion === ((node.aversion + 1) | 0), () => this.#misfit(outcome.path, 'aversion'));
        return this.#put({ ...node, acl: outcome.acl, aversion: outcome.aversion });
      }
      case 'check':
        this.#existing(outcome.path);
        return;
      case 'error':
    }
  }

  #create(outcome: Extract<Outcome, { type: 'create' }>, time: number): void {
    const { path, data, acl, storedOwner, parentCreates } = outcome;
    const parentPath = parentOf(path);
    const parent = this.#existing(parentPath);
    check(this.at(path, this.#zxid) === null, () => this.#misfit(path, 'existence: it is there'));
    check(!isSession(parent.owner), () => this.#misfit(path, 'parent: it is ephemeral'));
    check(parentCreates === ((parent.creates + 1) | 0), () => this.#misfit(path, "parent's counter"));
    const zxids = { czxid: this.#zxid, mzxid: this.#zxid, pzxid: this.#zxid };
    const counts = { version: 0, aversion: 0, creates: 0, deletes: 0 };
    this.#put({
      path,
      data: copyOf(data),
      acl,
      owner: storedOwner,
      ...zxids,
      ...counts,
      ctime: time,
      mtime: time,
      children: [],
    });
    const children = [...parent.children, nameOf(path)].sort();
    this.#put({ ...parent, children, creates: parentCreates, pzxid: this.#zxid });
    if (isSession(storedOwner)) {
      check(this.isOpen(storedOwner, this.#zxid), () => this.#misfit(path, 'owner: its session is not open'));
      this.#ephemeralsNow(storedOwner).add(path);
    }
    this.#note('created', path);
    this.#note('childrenChanged', parentPath);
  }

  #delete(path: string): void {
    const node = this.#existing(path);
    check(node.children.length === 0, () => this.#misfit(path, 'children: there are some'));
    const parentPath = parentOf(path);
    const parent = this.#existing(parentPath);
    this.#versionsOf(path).push({ zxid: this.#zxid, node: null });
    const children = parent.children.filter((name) => name !== nameOf(path));
    this.#put({ ...parent, children, deletes: (parent.deletes + 1) | 0, pzxid: this.#zxid });
    if (isSession(node.owner)) this.#ephemeralsNow(node.owner).delete(path);
    this.#note('deleted', path);
    this.#note('childrenChanged', parentPath);
  }

  /** Exactly the session's ephemerals go with it. A session may be closed again: nothing happens then. */
  #close(sessionId: bigint, paths: readonly string[]): void {
    const own = [...this.#ephemeralsNow(sessionId)].sort();
    check(
      own.join() === [...paths].sort().join(),
      () =>
        `the end of session ${hex(sessionId)} at ${hex(this.#zxid)} removes ${paths.join()}, it owns ${own.join()}`,
    );
    for (const path of paths) this.#delete(path);
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) session.closedAt ??= this.#zxid;
  }

  /** What every ensemble begins with, which is a matter of taste, not of rules. */
  #plant(): void {
    const machine = new StateMachine();
    const plant = (path: string): void => {
      const context = { sessionId: 0n, identities: [] };
      const { reply } = machine.read({ op: OpCode.getChildren2, body: { path, watch: false } }, context);
      if (reply?.op !== OpCode.getChildren2) throw new Error(`a new tree does not show ${path}`);
      const got = machine.read({ op: OpCode.getData, body: { path, watch: false } }, context).reply;
      const acl = machine.read({ op: OpCode.getAcl, body: { path } }, context).reply;
      const { children, stat } = reply.body;
      const creates = (stat.cversion + stat.numChildren) / 2;
      this.#versionsOf(path).push({
        zxid: 0n,
        node: {
          ...stat,
          path,
          data: got?.op === OpCode.getData ? copyOf(got.body.data) : null,
          acl: acl?.op === OpCode.getAcl ? acl.body.acl : [],
          owner: 0n,
          creates,
          deletes: creates - stat.numChildren,
          children: [...children].sort(),
        },
      });
      for (const name of children) plant(path === '/' ? `/${name}` : `${path}/${name}`);
    };
    plant('/');
  }

  #existing(path: string): ModelNode {
    const node = this.at(path, this.#zxid);
    check(node !== null, () => this.#misfit(path, 'existence: it is not there'));
    return node;
  }

  #put(node: ModelNode): void {
    this.#versionsOf(node.path).push({ zxid: this.#zxid, node });
  }

  #note(type: ChangeType, path: string): void {
    const change = { zxid: this.#zxid, type, path };
    this.#allChanges.push(change);
    const changes = this.#changes.get(path);
    if (changes === undefined) this.#changes.set(path, [change]);
    else changes.push(change);
  }

  #versionsOf(path: string): Version[] {
    let versions = this.#versions.get(path);
    if (versions === undefined) this.#versions.set(path, (versions = []));
    return versions;
  }

  #ephemeralsNow(sessionId: bigint): Set<string> {
    let paths = this.#ephemerals.get(sessionId);
    if (paths === undefined) this.#ephemerals.set(sessionId, (paths = new Set()));
    return paths;
  }

  #misfit(path: string, what: string): string {
    return `the transaction ${hex(this.#zxid)} on ${path} does not fit its ${what}`;
  }
}

/** As a server tells it. */
export function statOf(node: ModelNode): Stat {
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    cversion: (node.creates + node.deletes) | 0,
    aversion: node.aversion,
    ephemeralOwner: isSession(node.owner) ? node.owner : 0n,
    dataLength: node.data?.length ?? 0,
    numChildren: node.children.length,
    pzxid: node.pzxid,
  };
}

export function isSession(owner: bigint): boolean {
  return owner !== 0n && owner !== CONTAINER && owner >> 56n !== -1n;
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function copyOf(data: Uint8Array | null): Uint8Array | null {
  return data === null ? null : Uint8Array.from(data);
}

/** Where the first version, or change, behind `zxid` stands. */
export function firstBehind(versions: readonly { readonly zxid: bigint }[], zxid: bigint): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (versions[middle]!.zxid <= zxid) low = middle + 1;
    else high = middle;
  }
  return low;
}
