import type { DataTree } from './data-tree.js';
import { nameStart, type Znode } from './znode.js';

/** One step through a list of names: the next name; `undefined` where a znode was passed over; null behind the last. */
export interface NameSource {
  next(): string | undefined | null;
}

/** A list that is read a part at a time, while the tree changes. */
export interface OpenList extends NameSource {
  /** To be called before a znode changes or goes, while it is still linked in. */
  beforeChange(node: Znode): void;
}

/**
 * Names of a znode's children as they were when the list was opened, in the order in which they were created. A child that changes or
 * goes before its turn is given out early.
 */
export class FrozenChildren implements OpenList {
  readonly #top: Znode;
  readonly #skip: number;
  /** Children that were created later do not belong to the list. */
  readonly #lastZxid: bigint;
  #next: Znode | null;
  /** Where the list has come to, and which children of that transaction it has passed. */
  #zxid = -1n;
  #passed = new Set<Znode>();
  readonly #early = new Set<Znode>();
  readonly #earlyNames: string[] = [];

  constructor(top: Znode, lastZxid: bigint) {
    this.#top = top;
    this.#skip = nameStart(top);
    this.#lastZxid = lastZxid;
    this.#next = top.firstChild;
  }

  next(): string | undefined | null {
    const early = this.#earlyNames.pop();
    if (early !== undefined) return early;
    const node = this.#next;
    if (node === null || node.czxid > this.#lastZxid) return null;
    this.#next = node.nextSibling;
    // It stays in the set: it may change once more.
    if (this.#early.has(node)) return undefined;
    if (node.czxid !== this.#zxid) {
      this.#zxid = node.czxid;
      this.#passed.clear();
    }
    this.#passed.add(node);
    return node.path.slice(this.#skip);
  }

  beforeChange(node: Znode): void {
    if (node.parent !== this.#top || node.czxid > this.#lastZxid) return;
    if (node.czxid < this.#zxid || this.#passed.has(node) || this.#early.has(node)) return;
    this.#earlyNames.push(node.path.slice(this.#skip));
    this.#early.add(node);
    if (node === this.#next) this.#next = node.nextSibling;
  }
}

/**
 * Names of a znode's children that were created after a zxid, as they were when the list was opened, in the order in which they were
 * created: a child that changes or goes before its turn is given out in its place all the same.
 */
export class FrozenPage implements OpenList {
  readonly #top: Znode;
  readonly #skip: number;
  readonly #after: bigint;
  /** Children that were created later do not belong to the list. */
  readonly #until: bigint;
  #next: Znode | null;
  /** Those that changed or went before their turn, the oldest last; in the list they are passed over. */
  readonly #kept: Znode[] = [];
  /** One transaction can remove many: they are put in order once, when the next name is asked for. */
  #isInOrder = true;
  readonly #isKept = new Set<Znode>();
  /** Children that the last transaction created and that were given out. */
  readonly #passed = new Set<Znode>();
  /** The transaction that created the child that came last. */
  zxid: bigint;

  /** `lastName`: the last child up to `after`, to find the place; if it is gone, the list is looked through from its beginning. */
  constructor(tree: DataTree, top: Znode, after: bigint, lastName: string, lastZxid: bigint) {
    this.#top = top;
    this.#skip = nameStart(top);
    this.#after = after;
    this.#until = lastZxid;
    this.zxid = after;
    const last = lastName === '' ? undefined : tree.find(top.path.slice(0, this.#skip - 1) + `/${lastName}`);
    const isIt = last !== undefined && last.parent === top && last.czxid <= after;
    this.#next = isIt ? last.nextSibling : top.firstChild;
  }

  /** Whether the child that comes next was created by another transaction than the last one. */
  get isBetweenTransactions(): boolean {
    const node = this.#peek();
    return node === null || node.czxid !== this.zxid;
  }

  get isAtEnd(): boolean {
    return this.#peek() === null;
  }

  next(): string | undefined | null {
    const node = this.#peek();
    if (node === null) return null;
    if (node === this.#kept.at(-1)) this.#kept.pop();
    else this.#next = node.nextSibling;
    if (node.czxid <= this.#after) return undefined;
    if (node.czxid !== this.zxid) this.#passed.clear();
    this.zxid = node.czxid;
    this.#passed.add(node);
    return node.path.slice(this.#skip);
  }

  beforeChange(node: Znode): void {
    if (node.parent !== this.#top) return;
    if (node === this.#next) this.#next = node.nextSibling;
    if (node.czxid <= this.#after || node.czxid > this.#until) return;
    if (node.czxid < this.zxid || this.#passed.has(node) || this.#isKept.has(node)) return;
    this.#isKept.add(node);
    this.#kept.push(node);
    this.#isInOrder = false;
  }

  #peek(): Znode | null {
    while (this.#next !== null && this.#isKept.has(this.#next)) this.#next = this.#next.nextSibling;
    const listed = this.#next !== null && this.#next.czxid <= this.#until ? this.#next : null;
    if (!this.#isInOrder) this.#kept.sort((one, other) => Number(other.czxid - one.czxid));
    this.#isInOrder = true;
    const kept = this.#kept.at(-1) ?? null;
    if (kept === null || listed === null) return kept ?? listed;
    return kept.czxid <= listed.czxid ? kept : listed;
  }
}

/** Paths of a session's ephemeral znodes as they were when the list was opened. One that goes before its turn is given out early. */
export class FrozenEphemerals implements OpenList {
  readonly #sessionId: bigint;
  readonly #prefix: string;
  readonly #lastSerial: number;
  readonly #nodes: Iterator<Znode>;
  #serial = 0;
  readonly #early = new Set<Znode>();
  readonly #earlyPaths: string[] = [];

  constructor(tree: DataTree, sessionId: bigint, prefix: string) {
    this.#sessionId = sessionId;
    this.#prefix = prefix;
    this.#lastSerial = tree.lastSerial;
    this.#nodes = tree.ephemeralsOf(sessionId).values();
  }

  next(): string | undefined | null {
    const early = this.#earlyPaths.pop();
    if (early !== undefined) return this.#wanted(early);
    const { value: node, done } = this.#nodes.next() as IteratorResult<Znode, undefined>;
    if (done === true || node.serial > this.#lastSerial) return null;
    this.#serial = node.serial;
    return this.#early.delete(node) ? undefined : this.#wanted(node.path);
  }

  beforeChange(node: Znode): void {
    if (node.ephemeralOwner !== this.#sessionId) return;
    if (node.serial <= this.#serial || node.serial > this.#lastSerial || this.#early.has(node)) return;
    this.#early.add(node);
    this.#earlyPaths.push(node.path);
  }

  #wanted(path: string): string | undefined {
    return path.startsWith(this.#prefix) ? path : undefined;
  }
}
