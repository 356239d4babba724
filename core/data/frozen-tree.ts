import type { ChangeListener, DataTree } from './data-tree.js';
import type { OpenList } from './open-lists.js';
import type { Znode } from './znode.js';

/**
 * The views of the tree that are open, any number at a time. Before a znode changes for the first time since one of them was
 * opened, that view keeps the znode as it was, unless it has given it out already: so an open view holds no more memory than
 * what changed.
 */
export class OpenViews implements ChangeListener {
  readonly #open: FrozenTree[] = [];
  /** Lists of names that are read over several turns. */
  readonly #lists = new Set<OpenList>();
  #newest = 0;

  get count(): number {
    return this.#open.length;
  }

  get listCount(): number {
    return this.#lists.size;
  }

  addList(list: OpenList): void {
    this.#lists.add(list);
  }

  removeList(list: OpenList): void {
    this.#lists.delete(list);
  }

  open(tree: DataTree): FrozenTree {
    const view = new FrozenTree(tree, ++this.#newest, () => {
      this.#open.splice(this.#open.indexOf(view), 1);
    });
    this.#open.push(view);
    return view;
  }

  beforeChange(node: Znode): void {
    if (this.#lists.size > 0) for (const list of this.#lists) list.beforeChange(node);
    if (this.#open.length === 0 || node.changedAt === this.#newest) return;
    let copy: Znode | null = null;
    for (const view of this.#open) {
      if (!view.lacks(node)) continue;
      copy ??= node.frozen();
      view.keep(copy);
    }
    node.changedAt = this.#newest;
  }
}

/** All znodes as they were when the view was opened, given out one by one while the tree changes. */
export class FrozenTree {
  readonly #number: number;
  readonly #lastSerial: number;
  readonly #nodes: Iterator<Znode>;
  readonly #release: () => void;
  /** As they were, for they have changed before their turn came. */
  #kept: Znode[] = [];
  /** The znodes up to this serial have been given out. */
  #givenSerial = 0;
  #isOpen = true;

  constructor(tree: DataTree, number: number, release: () => void) {
    this.#number = number;
    this.#lastSerial = tree.lastSerial;
    this.#nodes = tree.values();
    this.#release = release;
  }

  get keptCount(): number {
    return this.#kept.length;
  }

  /** True if the znode as it is now belongs in here and is neither given out nor kept yet. */
  lacks(node: Znode): boolean {
    return (
      node.changedAt < this.#number && node.serial > this.#givenSerial && node.serial <= this.#lastSerial
    );
  }

  keep(copy: Znode): void {
    this.#kept.push(copy);
  }

  /** The next znode, to be used before anything is applied; null behind the last, which closes the view. */
  next(): Znode | null {
    if (!this.#isOpen) return null;
    const node = this.#kept.pop() ?? this.#nextUnchanged();
    if (node === null) this.close();
    return node;
  }

  /** Lets go of what is kept. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#kept = [];
    this.#release();
  }

  #nextUnchanged(): Znode | null {
    for (;;) {
      const { value: node, done } = this.#nodes.next() as IteratorResult<Znode, undefined>;
      if (done === true || node.serial > this.#lastSerial) return null;
      this.#givenSerial = node.serial;
      if (node.changedAt < this.#number) return node;
    }
  }
}
