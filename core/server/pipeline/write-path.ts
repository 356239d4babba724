import type { Txn, WriteRequest } from '../../data/index.js';
import type { Id } from '../../protocol/index.js';
import type { ClientConnection } from '../clients/connection/client-connection.js';
import { Fifo } from '../../runtime/index.js';
import type { ReplySlot } from '../clients/connection/reply-slot.js';

/** On whose behalf something is to be written. */
export interface Origin {
  /** 0 where a session is to be created: whoever leads chooses its id. */
  readonly sessionId: bigint;
  readonly cxid: number;
  readonly identities: readonly Id[];
  /** Who is to be answered; null if the member itself asks. */
  readonly connection: ClientConnection | null;
  readonly slot: ReplySlot | null;
}

/** Proposed for a client of this member and not applied here yet. */
export interface Proposal {
  readonly zxid: bigint;
  /** Null if another member prepared it. */
  readonly txn: Txn | null;
  readonly bytes: number;
  readonly origin: Origin;
}

/**
 * The way of what clients of this member ask for to whoever leads, and back. A member has one while it serves:
 * `LeaderPath` if it leads itself, `LearnerPath` if it follows or observes, `ReadOnlyPath` while nobody leads it. It ends with the role; what was under
 * way then has an unknown outcome, and nothing of it is ever sent to another leader.
 */
export interface WritePath {
  /** There is nobody to write to: whatever is no read is refused. */
  readonly isReadOnly: boolean;
  /** Writes of clients have to wait. */
  readonly isFull: boolean;
  /** Not even a session can be created now: far more is under way than clients' writes alone may bring about. */
  readonly isOverfull: boolean;
  /** Requests of this member's clients that are under way. */
  readonly length: number;
  /** Bytes of their transactions. */
  readonly bytes: number;
  /** Questions to the leader, or to a quorum, that are not answered yet. */
  readonly openQuestions: number;
  /** Asks for a session; its creation is applied like any transaction. */
  createSession(timeoutMs: number, origin: Origin): void;
  /** Asks for a write. If it is refused the connection of the origin is cut: its outcome is not known there. */
  write(request: WriteRequest, origin: Origin): void;
  /** Asks whether a session may be taken up here: its timeout in milliseconds, or null if it is over. Afterwards only this member speaks for it. */
  revalidate(sessionId: bigint, answer: (timeoutMs: number | null) => void): void;
  /** Asks for a zxid that covers everything acknowledged to anybody so far. */
  readIndex(answer: (zxid: bigint) => void): void;
  /** The session was heard from at this member; false if it is known to be over. */
  touch(sessionId: bigint): boolean;
  /** What was asked for here and is now applied as `zxid`; undefined if it was not asked for here. To be called for each zxid in order. */
  take(zxid: bigint): Proposal | undefined;
  /** To be told after each apply; `closedSessionId` if that ended a session. */
  applied(zxid: bigint, closedSessionId: bigint | null): void;
  /** To be called at the end of each turn: what is to be told to other members leaves together. */
  flush(): void;
  /** The leader has handed over: takes note of what it will never propose. */
  handedOver(): void;
}

/** Proposals in the order of their zxids. */
export class Proposals {
  readonly #proposals = new Fifo<Proposal>();
  #bytes = 0;

  get length(): number {
    return this.#proposals.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(proposal: Proposal): void {
    this.#proposals.push(proposal);
    this.#bytes += proposal.bytes;
  }

  take(zxid: bigint): Proposal | undefined {
    if (this.#proposals.peek()?.zxid !== zxid) return undefined;
    const proposal = this.#proposals.shift()!;
    this.#bytes -= proposal.bytes;
    return proposal;
  }
}
