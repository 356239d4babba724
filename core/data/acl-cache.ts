import { type Acl, Permission } from '../protocol/index.js';
import { lanes } from './digest.js';

/** An ACL that all znodes with the same entries share. */
export class InternedAcl {
  readonly list: readonly Acl[];
  readonly key: string;
  /** Hash of the entries, for the digest of the znodes that have them. */
  readonly hashLow: number;
  readonly hashHigh: number;
  /** Znodes that have this ACL. */
  references = 0;

  /** An ACL that belongs to no cache. */
  static of(list: readonly Acl[]): InternedAcl {
    return new InternedAcl(list, keyOf(list));
  }

  constructor(list: readonly Acl[], key: string) {
    this.list = list;
    this.key = key;
    lanes.start();
    lanes.string(key);
    lanes.finish();
    this.hashLow = lanes.low;
    this.hashHigh = lanes.high;
  }
}

/** True if the entries are still those that the hash was computed of, unless memory is damaged. */
export function isIntact(acl: InternedAcl): boolean {
  const { key, hashLow, hashHigh } = InternedAcl.of(acl.list);
  return key === acl.key && hashLow === acl.hashLow && hashHigh === acl.hashHigh;
}

/** A million znodes have a handful of different ACLs: each is kept once, by content, for as long as a znode has it. */
export class AclCache {
  readonly #byKey = new Map<string, InternedAcl>();

  get size(): number {
    return this.#byKey.size;
  }

  /** Counts one more reference. */
  acquire(list: readonly Acl[]): InternedAcl {
    const key = keyOf(list);
    let interned = this.#byKey.get(key);
    if (interned === undefined) {
      interned = new InternedAcl(list, key);
      this.#byKey.set(key, interned);
    }
    interned.references++;
    return interned;
  }

  release(interned: InternedAcl): void {
    interned.references--;
    if (interned.references === 0) this.#byKey.delete(interned.key);
  }
}

const OPEN_KEY = keyOfEntry({ perms: Permission.all, id: { scheme: 'world', id: 'anyone' } });

function keyOf(list: readonly Acl[]): string {
  const first = list[0];
  if (list.length === 1 && first !== undefined) return isOpen(first) ? OPEN_KEY : keyOfEntry(first);
  let key = '';
  for (const entry of list) key += keyOfEntry(entry);
  return key;
}

function isOpen(entry: Acl): boolean {
  return entry.perms === Permission.all && entry.id.id === 'anyone' && entry.id.scheme === 'world';
}

/** With the lengths in it, no two lists have the same key. */
function keyOfEntry({ perms, id }: Acl): string {
  return `${perms},${id.scheme.length},${id.scheme},${id.id.length},${id.id};`;
}
