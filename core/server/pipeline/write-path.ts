import type { Txn } from '../../data/index.js';
import type { Id } from '../../protocol/index.js';
import { Fifo } from '../../runtime/index.js';
import type { ClientWrite, RefusalReason } from './outcome.js';

/** A write that was proposed and is not applied here yet. */
export interface Proposal<Token> {
  readonly zxid: bigint;
  /** Null if another member prepared it. */
  readonly txn: Txn | null;
  readonly bytes: number;
  /** Null if no client of this member asked for it. */
  readonly token: Token | null;
}

/**
 * The way of the writes of this member's clients to the leader, and back. A member has one while it serves: `LeaderPath` if it leads,
 * `LearnerPath` if it follows or observes. It ends with the role; what was under way then has an unknown outcome, and nothing of it
 * is ever sent to another leader.
 */
export interface WritePath<Token> {
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
  openSession(timeoutMs: number, identities: readonly Id[], token: Token): RefusalReason | null;
  submit(write: ClientWrite, token: Token): RefusalReason | null;
  resumeSession(sessionId: bigint, token: Token): void;
  confirm(token: Token | null): void;
  touch(sessionId: bigint): boolean;
  /** The proposal that is applied as `zxid`; undefined if it was not made here. To be called for each zxid in order. */
  take(zxid: bigint): Proposal<Token> | undefined;
  /** To be called after each apply; `closedSessionId` if that ended a session. */
  applied(zxid: bigint, closedSessionId: bigint | null): void;
  flush(): void;
  /** The leader has handed over. Returns the tokens of what it will never propose. */
  handedOver(): readonly Token[];
}

/** Under load so many wait at a time that a queue of the usual size would grow in each turn anew. */
const KEPT_PLACES = 1_024;

/** Proposals in the order of their zxids. */
export class Proposals<Token> {
  readonly #proposals = new Fifo<Proposal<Token>>(KEPT_PLACES);
  #bytes = 0;

  get length(): number {
    return this.#proposals.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(proposal: Proposal<Token>): void {
    this.#proposals.push(proposal);
    this.#bytes += proposal.bytes;
  }

  take(zxid: bigint): Proposal<Token> | undefined {
    if (this.#proposals.peek()?.zxid !== zxid) return undefined;
    const proposal = this.#proposals.shift()!;
    this.#bytes -= proposal.bytes;
    return proposal;
  }
}
