import { type InternedAcl, isIntact } from './acl-cache.js';
import { lanes, StateDigest } from './digest.js';
import { hashIdentity } from './ensemble-identity.js';
import type { FrozenTree } from './frozen-tree.js';
import type { MachineState } from './machine-state.js';
import { hashSession } from './session-table.js';
import type { Znode } from './znode.js';

/** What a znode counts besides its data. */
const NODE_BYTES = 256;

/** What a recount has found. */
export interface RecountResult {
  /** The state that was recounted is the one after this transaction. */
  readonly zxid: bigint;
  /** The digest that was kept, transaction by transaction. */
  readonly kept: bigint;
  /** The digest of what is in memory. */
  readonly counted: bigint;
  /** A znode whose content is not what its own hash was computed of; null if no single one is known. */
  readonly path: string | null;
  readonly isSound: boolean;
}

/**
 * Computes the digest of a state from all that is in memory, a slice at a time, while transactions go on being applied. The
 * digest that is kept with each transaction never looks at what does not change, so it does not see a bit that flips there.
 */
export class Recount {
  readonly #zxid: bigint;
  readonly #kept: bigint;
  readonly #nodeCount: number;
  readonly #nodes: FrozenTree;
  readonly #counted = new StateDigest();
  readonly #intactAcls = new Set<InternedAcl>();
  #seen = 0;
  #path: string | null = null;
  #hasDamagedAcl = false;

  constructor(state: MachineState) {
    this.#zxid = state.lastZxid;
    this.#kept = state.digest.value;
    this.#nodeCount = state.tree.size;
    this.#nodes = state.views.open(state.tree);
    if (state.identity !== null) {
      hashIdentity(state.identity);
      this.#counted.add();
    }
    for (const [sessionId, timeoutMs] of state.sessions.all) {
      hashSession(sessionId, timeoutMs);
      this.#counted.add();
    }
  }

  /** Counts on, about so many bytes; the result behind the last slice, null before. */
  next(maxBytes: number): RecountResult | null {
    for (let left = maxBytes; left > 0;) {
      const node = this.#nodes.next();
      if (node === null) return this.#result();
      this.#count(node);
      left -= NODE_BYTES + node.dataLength;
    }
    return null;
  }

  /** Gives up. Idempotent. */
  close(): void {
    this.#nodes.close();
  }

  #count(node: Znode): void {
    node.hashBody();
    if (lanes.low !== node.bodyLow || lanes.high !== node.bodyHigh) this.#path ??= node.path;
    node.hashRest();
    this.#counted.add();
    this.#seen += 1;
    if (this.#intactAcls.has(node.interned)) return;
    if (isIntact(node.interned)) this.#intactAcls.add(node.interned);
    else {
      this.#hasDamagedAcl = true;
      this.#path ??= node.path;
    }
  }

  #result(): RecountResult {
    const [zxid, kept, counted, path] = [this.#zxid, this.#kept, this.#counted.value, this.#path];
    const isSound =
      counted === kept && path === null && !this.#hasDamagedAcl && this.#seen === this.#nodeCount;
    return { zxid, kept, counted, path, isSound };
  }
}
