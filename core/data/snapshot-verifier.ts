import { type Acl, MarshallingError } from '../protocol/index.js';
import { InternedAcl } from './acl-cache.js';
import { lanes, StateDigest } from './digest.js';
import { type EnsembleIdentity, hashIdentity } from './ensemble-identity.js';
import { parentOf } from './path.js';
import { hashSession } from './session-table.js';
import { type SnapshotContent, SnapshotRecords } from './snapshot-records.js';
import type { Znode } from './znode.js';

/**
 * Reads a snapshot, fed in pieces of any size, and computes the digest of what it holds, without building the tree: it needs a
 * few bytes for each znode. `push` and `finish` throw `MarshallingError` on bytes that are not a whole snapshot, and on one
 * that is not the state that is expected.
 */
export class SnapshotVerifier {
  readonly #content: DigestContent;
  readonly #records: SnapshotRecords;

  /** `nodeCount`: about how many znodes will come. */
  constructor(nodeCount: number) {
    this.#content = new DigestContent(nodeCount);
    this.#records = new SnapshotRecords(this.#content);
  }

  push(bytes: Uint8Array): void {
    this.#records.push(bytes);
  }

  /** `expected`: what the snapshot was taken of. */
  finish(expected: { readonly zxid: bigint; readonly digest: bigint; readonly nodeCount: number }): void {
    const closing = this.#records.end();
    const { digest, zxid, nodes, sessions, orphans } = this.#content;
    expectSame('znodes', nodes, closing.nodeCount);
    expectSame('znodes', closing.nodeCount, expected.nodeCount);
    expectSame('sessions', sessions, closing.sessionCount);
    expectSame('znodes without a parent', orphans, 0);
    expectSame('as its zxid', zxid, expected.zxid);
    expectSame('as its digest', closing.digest, expected.digest);
    expectSame('as the digest of its content', digest.value, expected.digest);
  }
}

function expectSame(what: string, found: bigint | number, expected: bigint | number): void {
  if (found === expected) return;
  throw new MarshallingError(
    `a snapshot with ${found.toString(16)} ${what}, where it is ${expected.toString(16)} (hexadecimal)`,
  );
}

class DigestContent implements SnapshotContent {
  readonly digest = new StateDigest();
  zxid = 0n;
  nodes = 0;
  sessions = 0;
  readonly #acls: InternedAcl[] = [];
  readonly #paths: PathSet;
  /** Hashes of the paths of parents that have not come yet. */
  readonly #missing = new Set<number>();
  #lastParent = '';

  constructor(nodeCount: number) {
    this.#paths = new PathSet(nodeCount);
  }

  /** Parents that are not there. */
  get orphans(): number {
    return this.#missing.size;
  }

  opened(zxid: bigint): void {
    this.zxid = zxid;
  }

  identity(identity: EnsembleIdentity): void {
    hashIdentity(identity);
    this.digest.add();
  }

  session(sessionId: bigint, timeoutMs: number): void {
    this.sessions += 1;
    hashSession(sessionId, timeoutMs);
    this.digest.add();
  }

  quota(): void {}

  acl(list: readonly Acl[]): void {
    this.#acls.push(InternedAcl.of(list));
  }

  aclFor(number: number): InternedAcl | undefined {
    return this.#acls[number];
  }

  node(node: Znode): void {
    this.nodes += 1;
    node.hashBody();
    node.hashRest();
    this.digest.add();
    const hash = hashOf(node.path);
    this.#paths.add(hash);
    if (this.#missing.size > 0) this.#missing.delete(hash);
    const parent = node.path === '/' ? '' : parentOf(node.path);
    // Children mostly come one behind the other.
    if (parent === '' || parent === this.#lastParent) return;
    this.#lastParent = parent;
    const parentHash = hashOf(parent);
    if (!this.#paths.has(parentHash)) this.#missing.add(parentHash);
  }
}

function hashOf(path: string): number {
  lanes.start();
  lanes.string(path);
  lanes.finish();
  return lanes.low;
}

/** A set of hashes that takes 8 bytes for each of the expected ones, in one piece, so that no turn has to copy it. */
class PathSet {
  #slots: Int32Array;
  #count = 0;
  /** The hash 0 marks an empty slot, and so is kept apart. */
  #hasZero = false;

  constructor(expected: number) {
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * Math.max(expected, 512))));
  }

  has(hash: number): boolean {
    return hash === 0 ? this.#hasZero : this.#slots[this.#slotOf(hash)] === hash;
  }

  add(hash: number): void {
    if (hash === 0) this.#hasZero = true;
    else if (!this.has(hash)) {
      if (this.#count * 4 > this.#slots.length * 3) this.#grow();
      this.#slots[this.#slotOf(hash)] = hash;
      this.#count += 1;
    }
  }

  /** Where the hash is, or belongs. */
  #slotOf(hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length);
    for (const hash of old) if (hash !== 0) this.#slots[this.#slotOf(hash)] = hash;
  }
}
