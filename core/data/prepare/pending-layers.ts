/** What is proposed but not applied yet; `zxid` is the newest transaction that has a part in it. */
export interface Pending {
  zxid: bigint;
}

interface Mark<K, V> {
  readonly zxid: bigint;
  readonly key: K;
  readonly value: V;
}

/** Told of every change of the lower layer; undefined stands for no entry. */
export type OnPlaced<K, V> = (key: K, before: V | undefined, after: V | undefined) => void;

/** Once this many marks are used up the list of them is cut. */
const MARKS_CUT = 1024;
/** After so many removals, and four times as many as there are entries, the entries move to a new map. */
const REMOVALS_PER_MAP = 4096;

/**
 * Pending values by key, in a layer of what is proposed and, while a multi is being prepared, another one on
 * top, which is merged into the first or thrown away. An entry holds the whole value that will be there once
 * its transaction is applied, so it can be forgotten as soon as that was, unless a newer one replaced it.
 */
export class PendingLayers<K, V extends Pending> {
  #proposed = new Map<K, V>();
  #removals = 0;
  readonly #attempted = new Map<K, V>();
  readonly #onPlaced: OnPlaced<K, V> | null;
  #isAttempting = false;
  /** Which entry may be forgotten when, oldest first; those before `#head` are used up. */
  #marks: Mark<K, V>[] = [];
  #head = 0;

  constructor(onPlaced: OnPlaced<K, V> | null = null) {
    this.#onPlaced = onPlaced;
  }

  /** Entries in both layers. */
  get size(): number {
    return this.#proposed.size + this.#attempted.size;
  }

  find(key: K): V | undefined {
    return (this.#isAttempting ? this.#attempted.get(key) : undefined) ?? this.#proposed.get(key);
  }

  /** The entry if it is the upper layer's own, so that changing it changes no other layer. */
  findOwn(key: K): V | undefined {
    return this.#isAttempting ? this.#attempted.get(key) : this.#proposed.get(key);
  }

  put(key: K, value: V): void {
    if (this.#isAttempting) this.#attempted.set(key, value);
    else this.#place(key, value);
  }

  /** To be called instead for an own entry that was changed in place, its zxid included. */
  changed(key: K, value: V): void {
    if (!this.#isAttempting) this.#marks.push({ zxid: value.zxid, key, value });
  }

  /** Everything pending, an entry of the upper layer hiding the one below. */
  *entries(): Generator<readonly [K, V]> {
    for (const entry of this.#proposed) if (!this.#attempted.has(entry[0])) yield entry;
    yield* this.#attempted;
  }

  attempt(): void {
    this.#isAttempting = true;
  }

  succeed(): void {
    this.#isAttempting = false;
    for (const [key, value] of this.#attempted) this.#place(key, value);
    this.#attempted.clear();
  }

  fail(): void {
    this.#isAttempting = false;
    this.#attempted.clear();
  }

  applied(zxid: bigint): void {
    const marks = this.#marks;
    // So it is nearly always with sessions and quotas: then nothing is allocated.
    if (marks.length === 0) return;
    for (; this.#head < marks.length; this.#head++) {
      const mark = marks[this.#head]!;
      if (mark.zxid > zxid) break;
      const { key, value } = mark;
      // A later transaction has a part in the entry, or has replaced it: then another mark stands for it.
      if (value.zxid > mark.zxid || this.#proposed.get(key) !== value) continue;
      this.#proposed.delete(key);
      this.#removals++;
      this.#onPlaced?.(key, value, undefined);
    }
    if (this.#removals >= REMOVALS_PER_MAP && this.#removals >= 4 * this.#proposed.size) this.#renew();
    if (this.#head < marks.length && (this.#head < MARKS_CUT || this.#head * 2 < marks.length)) return;
    this.#marks = marks.slice(this.#head);
    this.#head = 0;
  }

  /**
   * In V8 each table that a map has outgrown refers to the next one. As soon as one of them has become old for the garbage
   * collector, every later one counts as used, with all that it held when it was outgrown: hundreds of bytes a transaction that
   * only a full collection finds. A new map begins a new row of tables.
   */
  #renew(): void {
    this.#proposed = new Map(this.#proposed);
    this.#removals = 0;
  }

  #place(key: K, value: V): void {
    if (this.#onPlaced !== null) this.#onPlaced(key, this.#proposed.get(key), value);
    this.#proposed.set(key, value);
    this.#marks.push({ zxid: value.zxid, key, value });
  }
}
