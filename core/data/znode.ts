import type { Acl, Stat } from '../protocol/index.js';
import type { InternedAcl } from './acl-cache.js';
import { lanes } from './digest.js';
import { loadData, type StoredData } from './stored-data.js';

/** What preparing a request has to know of a znode, be it applied or pending. */
export interface NodeState {
  readonly version: number;
  readonly aversion: number;
  /** Children ever created, signed 32 bit: the next sequential suffix. */
  readonly creates: number;
  readonly numChildren: number;
  /** 0n unless the znode is an ordinary ephemeral. */
  readonly ephemeralOwner: bigint;
  /** Milliseconds to live, `CONTAINER_TTL`, or 0. */
  readonly ttlMs: number;
  readonly mtime: number;
  readonly dataLength: number;
  readonly acl: readonly Acl[];
}

const TWO_POW_32 = 0x1_0000_0000;

/** What a znode that has, or had, children knows of them: a list linked through themselves, in order of creation. */
class ChildList {
  first: Znode | null = null;
  last: Znode | null = null;
  count = 0;
  creates = 0;
  /** UTF-16 code units of all their paths. */
  pathUnits = 0;
}

/**
 * One znode. A million of them have to fit, so it is one flat object: a leaf owns no collection, and times are kept in two halves,
 * for V8 keeps a number beyond 32 bits as an object of its own.
 * Only `DataTree` changes one.
 */
export class Znode implements NodeState {
  readonly path: string;
  stored: StoredData;
  interned: InternedAcl;
  readonly czxid: bigint;
  mzxid: bigint;
  pzxid: bigint;
  private readonly ctimeHigh: number;
  private readonly ctimeLow: number;
  private mtimeHigh: number;
  private mtimeLow: number;
  version = 0;
  aversion = 0;
  readonly ephemeralOwner: bigint;
  readonly ttlMs: number;
  parent: Znode | null = null;
  private children: ChildList | null = null;
  previousSibling: Znode | null = null;
  nextSibling: Znode | null = null;
  /** Place in the order in which the tree's znodes came into being in this process. */
  serial = 0;
  /** Number of the newest snapshot that was open when the znode last changed. */
  changedAt = 0;
  /** Hash of path and data and of what changes only with the data, before the rest of the stat is mixed in. */
  bodyLow = 0;
  bodyHigh = 0;

  constructor(
    path: string,
    stored: StoredData,
    interned: InternedAcl,
    zxid: bigint,
    time: number,
    ephemeralOwner: bigint,
    ttlMs: number,
  ) {
    this.path = path;
    this.stored = stored;
    this.interned = interned;
    this.czxid = zxid;
    this.mzxid = zxid;
    this.pzxid = zxid;
    this.ctimeHigh = highOf(time);
    this.ctimeLow = time | 0;
    this.mtimeHigh = this.ctimeHigh;
    this.mtimeLow = this.ctimeLow;
    this.ephemeralOwner = ephemeralOwner;
    this.ttlMs = ttlMs;
  }

  get ctime(): number {
    return this.ctimeHigh * TWO_POW_32 + (this.ctimeLow >>> 0);
  }

  get mtime(): number {
    return this.mtimeHigh * TWO_POW_32 + (this.mtimeLow >>> 0);
  }

  set mtime(time: number) {
    this.mtimeHigh = highOf(time);
    this.mtimeLow = time | 0;
  }

  get firstChild(): Znode | null {
    return this.children === null ? null : this.children.first;
  }

  get lastChild(): Znode | null {
    return this.children === null ? null : this.children.last;
  }

  get numChildren(): number {
    return this.children === null ? 0 : this.children.count;
  }

  /** UTF-16 code units of the children's names. */
  get childNameUnits(): number {
    return this.children === null ? 0 : this.children.pathUnits - this.children.count * nameStart(this);
  }

  get creates(): number {
    return this.children === null ? 0 : this.children.creates;
  }

  set creates(creates: number) {
    if (creates === 0 && this.children === null) return;
    this.children ??= new ChildList();
    this.children.creates = creates;
  }

  /** Puts a znode without a parent behind the children of this one. */
  link(child: Znode): void {
    this.children ??= new ChildList();
    const { children } = this;
    child.parent = this;
    child.previousSibling = children.last;
    if (children.last === null) children.first = child;
    else children.last.nextSibling = child;
    children.last = child;
    children.count++;
    children.pathUnits += child.path.length;
  }

  /** Takes one of the children out. */
  unlink(child: Znode): void {
    const children = this.children!;
    if (child.previousSibling === null) children.first = child.nextSibling;
    else child.previousSibling.nextSibling = child.nextSibling;
    if (child.nextSibling === null) children.last = child.previousSibling;
    else child.nextSibling.previousSibling = child.previousSibling;
    child.parent = null;
    child.previousSibling = null;
    child.nextSibling = null;
    children.count--;
    children.pathUnits -= child.path.length;
  }

  /** Puts the children into the order in which they were created; those of one transaction stay as they are. */
  sortChildren(): void {
    const sorted: Znode[] = [];
    for (let child = this.firstChild; child !== null; child = child.nextSibling) sorted.push(child);
    sorted.sort((one, other) => (one.czxid < other.czxid ? -1 : Number(one.czxid > other.czxid)));
    for (const child of sorted) this.unlink(child);
    for (const child of sorted) this.link(child);
  }

  get dataLength(): number {
    return this.stored === null ? 0 : this.stored.length;
  }

  /** Null and empty are different things. */
  get data(): Uint8Array | null {
    return loadData(this.stored);
  }

  get acl(): readonly Acl[] {
    return this.interned.list;
  }

  stat(): Stat {
    return {
      czxid: this.czxid,
      mzxid: this.mzxid,
      ctime: this.ctime,
      mtime: this.mtime,
      version: this.version,
      // Creates plus deletes of children: only creates are counted, the deletes follow from who is left.
      cversion: (2 * this.creates - this.numChildren) | 0,
      aversion: this.aversion,
      ephemeralOwner: this.ephemeralOwner,
      dataLength: this.dataLength,
      numChildren: this.numChildren,
      pzxid: this.pzxid,
    };
  }

  /** To be called whenever the data or what is set with it changed. */
  rehashBody(): void {
    this.hashBody();
    this.bodyLow = lanes.low;
    this.bodyHigh = lanes.high;
  }

  /** Leaves the hash of path and data in `lanes`, computed from what the znode holds now: equal to the one that is kept, unless memory is damaged. */
  hashBody(): void {
    lanes.start();
    lanes.string(this.path);
    lanes.bytes(this.stored);
    lanes.long(this.czxid);
    lanes.long(this.mzxid);
    lanes.int(this.ctimeLow);
    lanes.int(this.ctimeHigh);
    lanes.int(this.mtimeLow);
    lanes.int(this.mtimeHigh);
    lanes.int(this.version);
    lanes.long(this.ephemeralOwner);
    lanes.whole(this.ttlMs);
  }

  /** Leaves the hash of the whole znode in `lanes`. */
  hash(): void {
    lanes.resume(this.bodyLow, this.bodyHigh);
    this.hashRest();
  }

  /** Takes up the hash that `hashBody` left in `lanes`, and leaves that of the whole znode there. */
  hashRest(): void {
    lanes.int(this.creates);
    lanes.int(this.aversion);
    lanes.long(this.pzxid);
    lanes.int(this.interned.hashLow);
    lanes.int(this.interned.hashHigh);
    lanes.finish();
  }

  /** The znode as it is now, outside of any tree: what an open snapshot keeps of a znode that goes on changing. */
  frozen(): Znode {
    const copy = new Znode(
      this.path,
      this.stored,
      this.interned,
      this.czxid,
      this.ctime,
      this.ephemeralOwner,
      this.ttlMs,
    );
    copy.mzxid = this.mzxid;
    copy.pzxid = this.pzxid;
    copy.mtime = this.mtime;
    copy.version = this.version;
    copy.creates = this.creates;
    copy.aversion = this.aversion;
    copy.bodyLow = this.bodyLow;
    copy.bodyHigh = this.bodyHigh;
    return copy;
  }
}

/** Of a whole number up to 2^53 the part above 32 bits. */
function highOf(time: number): number {
  return Math.floor(time / TWO_POW_32) | 0;
}

/** Where the name begins in the path of a child. */
export function nameStart({ path }: Znode): number {
  return path === '/' ? 1 : path.length + 1;
}

/** Children's names in ascending order of their UTF-16 code units. */
export function childNames(node: Znode): string[] {
  const skip = nameStart(node);
  const names: string[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    names.push(child.path.slice(skip));
  }
  return names.sort();
}

/** The next znode of the subtree of `top` in depth-first order, or null behind the last; walks by links, so depth costs nothing. */
export function nextInSubtree(node: Znode, top: Znode): Znode | null {
  if (node.firstChild !== null) return node.firstChild;
  let climbing: Znode = node;
  while (climbing !== top) {
    if (climbing.nextSibling !== null) return climbing.nextSibling;
    if (climbing.parent === null) return null;
    climbing = climbing.parent;
  }
  return null;
}
