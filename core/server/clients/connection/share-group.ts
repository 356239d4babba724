import { Fifo } from '../../../runtime/index.js';

/** Connections of one identity, or of one address where no identity is accepted: they share what is one party's. */
export class ShareGroup<T = unknown> {
  readonly key: string;
  /** Connections with work, by how much they ask for (`Admission`). */
  readonly quiet = new Fifo<T>();
  readonly busy = new Fifo<T>();
  /** Connections with a write under way (`WriteShares`). */
  writers = 0;
  members = 0;

  constructor(key: string) {
    this.key = key;
  }
}

/** The groups that have a connection. */
export class ShareGroups<T> {
  readonly #groups = new Map<string, ShareGroup<T>>();

  /** A connection belongs to the group of this key from now on. */
  join(key: string): ShareGroup<T> {
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = new ShareGroup<T>(key)));
    group.members += 1;
    return group;
  }

  /** It does so no more. */
  leave(group: ShareGroup<T>): void {
    group.members -= 1;
    if (group.members === 0) this.#groups.delete(group.key);
  }
}
