import { OpCode } from '../../../protocol/index.js';
import { Fifo } from '../../../runtime/index.js';
import type { ReplySlot } from './reply-slot.js';
import type { ShareGroup } from './share-group.js';
import type { WriteShares } from './write-shares.js';

/** A write is not taken while the requests before it that are not evaluated cost this much together. */
const COST_LIMIT = 64;

/** Costs of requests that are no writes, by how large their replies can be; 1 for all others. By operation: an array is read faster than a map. */
const COSTS: number[] = [];
for (const [op, cost] of [
  [OpCode.getData, 4],
  [OpCode.getAcl, 4],
  [OpCode.getChildren, 16],
  [OpCode.getChildren2, 16],
  [OpCode.getEphemerals, 16],
  // They can take several turns, in which a write behind them could be applied.
  [OpCode.multiRead, COST_LIMIT],
  [OpCode.setWatches, COST_LIMIT],
  [OpCode.setWatches2, COST_LIMIT],
  [OpCode.sync, COST_LIMIT],
] as const)
  COSTS[op] = cost;

/**
 * The replies that a connection is owed, in the order of its requests, and the rule of that order: a read is evaluated behind
 * the session's earlier writes and before its later ones.
 *
 * A write can be applied at any time once it is taken. So each read before it must be ready to be evaluated at once when the
 * writes before that read have been applied:
 * - it does not wait for room in the output (`mayWaitForRoom`);
 * - no request before it takes several turns or waits for other members: a write is not taken while one does (`mayTakeWrite`). A list
 *   is long or not when its request is taken; one that has grown since is read in one turn.
 *
 * A write also waits while its connection has its share of all writes under way (`WriteShares`).
 *
 * Since such reads do not wait for room, their number before a write is bounded too. A write that is not taken waits in
 * the connection's queue, and everything behind it.
 */
export class OwedReplies {
  readonly #slots = new Fifo<ReplySlot>();
  readonly #shares: WriteShares;
  readonly #groupOf: () => ShareGroup;
  /** The group whose share the writes under way take. */
  #group: ShareGroup;
  #writes = 0;
  #writeBytes = 0;
  #cost = 0;

  /** `groupOf` names the group that the connection belongs to now. */
  constructor(shares: WriteShares, groupOf: () => ShareGroup = () => shares.everybody) {
    this.#shares = shares;
    this.#groupOf = groupOf;
    this.#group = groupOf();
  }

  get length(): number {
    return this.#slots.length;
  }

  /** Whether a write may be taken now. */
  get mayTakeWrite(): boolean {
    return this.#cost < COST_LIMIT && this.#shares.allows(this.#group, this.#writes, this.#writeBytes);
  }

  /** Whether a read at the head may wait until the client has taken in what was sent: no write stands behind it. */
  get mayWaitForRoom(): boolean {
    return this.#writes === 0;
  }

  /** Replies that are owed for requests that may have taken effect, or still may. */
  get isAnyInDoubt(): boolean {
    return this.#slots.toArray().some((slot) => slot.mayTakeEffect);
  }

  push(slot: ReplySlot): void {
    if (slot.isWrite) this.#count(1, slot.bytes);
    else if (!slot.isDone) slot.cost = slot.isLong ? COST_LIMIT : (COSTS[slot.op] ?? 1);
    this.#cost += slot.cost;
    this.#slots.push(slot);
  }

  peek(): ReplySlot | undefined {
    return this.#slots.peek();
  }

  shift(): void {
    const slot = this.#slots.shift();
    if (slot === undefined) return;
    if (slot.isWrite) this.#count(-1, -slot.bytes);
    this.#cost -= slot.cost;
  }

  clear(): void {
    this.#slots.peek()?.reading?.close();
    this.#slots.clear();
    this.#count(-this.#writes, -this.#writeBytes);
    this.#cost = 0;
  }

  #count(writes: number, bytes: number): void {
    const didWrite = this.#writes > 0;
    this.#writes += writes;
    this.#writeBytes += bytes;
    const isWriting = this.#writes > 0;
    if (didWrite === isWriting) return;
    if (!isWriting) return this.#shares.end(this.#group);
    this.#group = this.#groupOf();
    this.#shares.begin(this.#group);
  }
}
