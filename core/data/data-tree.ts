import { OPEN_ACL, type Acl, Permission } from '../protocol/index.js';
import { AclCache } from './acl-cache.js';
import type { StateDigest } from './digest.js';
import { InvariantError, present } from './invariant.js';
import { parentOf } from './path.js';
import { storeData } from './stored-data.js';
import { ephemeralOwnerOf, ttlMsOf } from './stored-owner.js';
import { QUOTA_ROOT } from './quota.js';
import { nextInSubtree, Znode } from './znode.js';

export const CONFIG_PATH = '/zookeeper/config';

/** Znodes that are always there: everybody may read the configuration, only `super` may write it. */
const PRESET_PATHS: readonly string[] = ['/', '/zookeeper', QUOTA_ROOT, CONFIG_PATH];
const READ_ONLY_ACL: readonly Acl[] = [{ perms: Permission.read, id: { scheme: 'world', id: 'anyone' } }];

export function isPresetPath(path: string): boolean {
  return PRESET_PATHS.includes(path);
}

/** What a create decided about the new znode. */
export interface NewNode {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly storedOwner: bigint;
}

/** Is told of a znode just before it changes or goes, while it still is what the last snapshot saw. */
export interface ChangeListener {
  beforeChange(node: Znode): void;
}

/** What a znode takes in memory besides its path and data, about: measured with a million of them. */
const ZNODE_BYTES = 400;

/** What a znode counts for in `DataTree.bytes`. */
export function znodeBytes(path: string, dataLength: number): number {
  return ZNODE_BYTES + path.length + dataLength;
}

/** Subtrees whose number of znodes is kept. */
const MOST_COUNTS = 1_000;

const NO_NODES: ReadonlySet<Znode> = new Set();
/** The preset znodes hold empty data, which is not the same as none. */
const NO_DATA = new Uint8Array(0);

/**
 * The znodes, by path, with their indexes: ephemerals by session, and containers and znodes with a time
 * to live. Every operation costs the same however many znodes and siblings there are. The operations do
 * not check what preparing has checked already: a missing znode or parent is an `InvariantError`.
 */
export class DataTree {
  readonly #nodes = new Map<string, Znode>();
  readonly #ephemerals = new Map<bigint, Set<Znode>>();
  readonly #expirable = new Set<Znode>();
  readonly #acls = new AclCache();
  readonly #digest: StateDigest;
  readonly #listener: ChangeListener;
  #nextSerial = 1;
  #ephemeralCount = 0;
  #dataBytes = 0;
  #pathUnits = 0;
  /** Counted since a znode came or went last. */
  readonly #descendants = new Map<Znode, number>();

  constructor(digest: StateDigest, listener: ChangeListener) {
    this.#digest = digest;
    this.#listener = listener;
  }

  /** Puts the preset znodes into an empty tree. */
  plant(): void {
    for (const path of PRESET_PATHS) {
      const acl = path === CONFIG_PATH ? READ_ONLY_ACL : OPEN_ACL;
      const parent = path === '/' ? null : this.#nodes.get(parentOf(path))!;
      const node = new Znode(path, storeData(NO_DATA), this.#acls.acquire(acl), 0n, 0, 0n, 0);
      // ZooKeeper sets the ACL of this one when it starts, for "any" version, and shows that.
      if (path === CONFIG_PATH) node.aversion = -1;
      this.insert(node, parent);
    }
  }

  get size(): number {
    return this.#nodes.size;
  }

  get ephemeralCount(): number {
    return this.#ephemeralCount;
  }

  /** Bytes of data in all znodes. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  /** What the znodes take in memory, about: paths, data, and what each takes besides. The same on members with the same znodes. */
  get bytes(): number {
    return this.#dataBytes + this.#pathUnits + ZNODE_BYTES * this.#nodes.size;
  }

  /** How many znodes there are below this one. Counted once until a znode comes or goes anywhere, however often it is asked. */
  descendantsOf(top: Znode): number {
    if (top.parent === null) return this.#nodes.size - 1;
    const known = this.#descendants.get(top);
    if (known !== undefined) return known;
    let count = -1;
    for (let node: Znode | null = top; node !== null; node = nextInSubtree(node, top)) count++;
    if (this.#descendants.size >= MOST_COUNTS) this.#descendants.clear();
    this.#descendants.set(top, count);
    return count;
  }

  /** Serial of the newest znode; older znodes have smaller ones. */
  get lastSerial(): number {
    return this.#nextSerial - 1;
  }

  get acls(): AclCache {
    return this.#acls;
  }

  find(path: string): Znode | undefined {
    return this.#nodes.get(path);
  }

  /** All znodes, oldest first. Stays valid while the tree changes: what goes is left out, what comes is seen last. */
  values(): IterableIterator<Znode> {
    return this.#nodes.values();
  }

  ephemeralsOf(sessionId: bigint): ReadonlySet<Znode> {
    return this.#ephemerals.get(sessionId) ?? NO_NODES;
  }

  /** Sessions that own an ephemeral znode. */
  get ephemeralOwnerCount(): number {
    return this.#ephemerals.size;
  }

  get expirableCount(): number {
    return this.#expirable.size;
  }

  /** Containers and znodes with a time to live, under the same conditions as `values`. */
  expirable(): IterableIterator<Znode> {
    return this.#expirable.values();
  }

  create(created: NewNode, parentCreates: number, zxid: bigint, time: number): Znode {
    const { path } = created;
    const parent = present(this.#nodes.get(parentOf(path)), path, 'created where there is no parent');
    const owner = created.storedOwner;
    const node = new Znode(
      path,
      storeData(created.data),
      this.#acls.acquire(created.acl),
      zxid,
      time,
      // The constant, lest every znode keeps a zero of its own from the transaction that was read.
      owner === 0n ? 0n : ephemeralOwnerOf(owner),
      owner === 0n ? 0 : ttlMsOf(owner),
    );
    this.#willChange(parent);
    parent.creates = parentCreates;
    parent.pzxid = zxid;
    this.#changed(parent);
    const { size } = this.#nodes;
    this.insert(node, parent);
    // To look before would search a large map twice, and with a broken invariant nobody goes on anyway.
    if (this.#nodes.size === size) throw new InvariantError(`${path}: created, but there already`);
    return node;
  }

  delete(node: Znode, zxid: bigint): void {
    const parent = present(node.parent, node.path, 'deleted, but without a parent');
    if (node.firstChild !== null) throw new InvariantError(`${node.path}: deleted, but with children`);
    this.#willChange(node);
    this.#willChange(parent);
    parent.pzxid = zxid;
    parent.unlink(node);
    this.#changed(parent);
    this.#nodes.delete(node.path);
    if (this.#descendants.size > 0) this.#descendants.clear();
    this.#acls.release(node.interned);
    this.#dataBytes -= node.dataLength;
    this.#pathUnits -= node.path.length;
    this.#unindex(node);
  }

  setData(node: Znode, data: Uint8Array | null, version: number, zxid: bigint, time: number): void {
    this.#willChange(node);
    this.#dataBytes -= node.dataLength;
    node.stored = storeData(data);
    this.#dataBytes += node.dataLength;
    node.version = version;
    node.mzxid = zxid;
    node.mtime = time;
    node.rehashBody();
    this.#changed(node);
  }

  setAcl(node: Znode, acl: readonly Acl[], aversion: number): void {
    this.#willChange(node);
    const interned = this.#acls.acquire(acl);
    this.#acls.release(node.interned);
    node.interned = interned;
    node.aversion = aversion;
    this.#changed(node);
  }

  /** Replaces data and leaves the stat as it is: only for what the members write by themselves. */
  rewriteData(node: Znode, data: Uint8Array): void {
    this.#willChange(node);
    this.#dataBytes += data.length - node.dataLength;
    node.stored = storeData(data);
    node.rehashBody();
    this.#changed(node);
  }

  /** Links in a complete znode that is not there yet; only the root has no parent. */
  insert(node: Znode, parent: Znode | null): void {
    if (parent !== null) parent.link(node);
    node.serial = this.#nextSerial++;
    this.#nodes.set(node.path, node);
    if (this.#descendants.size > 0) this.#descendants.clear();
    this.#dataBytes += node.dataLength;
    this.#pathUnits += node.path.length;
    this.#index(node);
    node.rehashBody();
    this.#changed(node);
  }

  #willChange(node: Znode): void {
    this.#listener.beforeChange(node);
    node.hash();
    this.#digest.subtract();
  }

  #changed(node: Znode): void {
    node.hash();
    this.#digest.add();
  }

  #index(node: Znode): void {
    if (node.ttlMs !== 0) this.#expirable.add(node);
    if (node.ephemeralOwner === 0n) return;
    this.#ephemeralCount++;
    const owned = this.#ephemerals.get(node.ephemeralOwner);
    if (owned === undefined) this.#ephemerals.set(node.ephemeralOwner, new Set([node]));
    else owned.add(node);
  }

  #unindex(node: Znode): void {
    if (node.ttlMs !== 0) this.#expirable.delete(node);
    if (node.ephemeralOwner === 0n) return;
    this.#ephemeralCount--;
    const owned = this.#ephemerals.get(node.ephemeralOwner);
    owned?.delete(node);
    if (owned?.size === 0) this.#ephemerals.delete(node.ephemeralOwner);
  }
}
