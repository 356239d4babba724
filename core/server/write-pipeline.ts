import { encodeTxn, RequestPreparer, type StateMachine, type Txn, type WriteRequest } from '../data/index.js';
import type { Id } from '../protocol/index.js';
import type { Clock, Logger } from '../runtime/index.js';
import type { Peer } from '../zab/index.js';
import type { ClientConnection } from './client-connection.js';
import { Fifo } from './fifo.js';
import type { ReplySlot } from './reply-slot.js';
import type { ServerOptions } from './server-options.js';

/** Transactions under way are held in memory up to about this size; then writes wait. */
export const MAX_BYTES_IN_FLIGHT = 32 * 1024 * 1024;

/** On whose behalf something is proposed. */
export interface Origin {
  readonly sessionId: bigint;
  readonly cxid: number;
  readonly identities: readonly Id[];
  /** Who is to be answered; null if the member itself asks. */
  readonly connection: ClientConnection | null;
  readonly slot: ReplySlot | null;
}

/** Proposed by this member and not applied yet. */
export interface Proposal {
  readonly zxid: bigint;
  readonly txn: Txn;
  readonly bytes: number;
  readonly origin: Origin;
}

export interface WritePipelineParts {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly options: ServerOptions;
  /** Something was proposed: the loop has work. */
  readonly wake: () => void;
}

/**
 * The way of a write through a member that leads: prepared against everything before it, encoded once, proposed, and
 * found again when it has been committed. Closed on a member that does not lead.
 */
export class WritePipeline {
  readonly #parts: WritePipelineParts;
  #preparer: RequestPreparer | null = null;
  #proposals = new Fifo<Proposal>();
  #bytes = 0;

  constructor(parts: WritePipelineParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#preparer !== null;
  }

  /** Proposals that are under way. */
  get length(): number {
    return this.#proposals.length;
  }

  /** Clients' writes have to wait, and so does what the member itself wants. */
  get isFull(): boolean {
    return this.#isFilled(1);
  }

  /** Not even a session can be created now: far more is under way than clients' writes alone may bring about. */
  get isOverfull(): boolean {
    return this.#isFilled(2);
  }

  /** This member leads, and its machine holds the whole history. */
  open(machine: StateMachine): void {
    const { enforceQuota, ttlNodes } = this.#parts.options;
    this.#preparer = new RequestPreparer(machine, { enforceQuota, ttlNodes });
  }

  /** Leadership is over: what is still under way has an unknown outcome. */
  close(): void {
    this.#preparer = null;
    this.#proposals = new Fifo();
    this.#bytes = 0;
  }

  nextZxid(): bigint {
    return this.#parts.peer.nextZxid();
  }

  /** False if preparing failed by a fault of this member; nothing was proposed then. */
  propose(request: WriteRequest, origin: Origin): boolean {
    const { peer, wake } = this.#parts;
    const prepared = this.#prepare(request, origin, peer.nextZxid());
    if (prepared === null) return false;
    const { txn, payload } = prepared;
    const zxid = peer.propose(payload);
    this.#proposals.push({ zxid, txn, bytes: payload.length, origin });
    this.#bytes += payload.length;
    wake();
    return true;
  }

  /** The proposal that was committed as `zxid`, if it is one of this member's. */
  take(zxid: bigint): Proposal | undefined {
    if (this.#proposals.peek()?.zxid !== zxid) return undefined;
    const proposal = this.#proposals.shift()!;
    this.#bytes -= proposal.bytes;
    return proposal;
  }

  /** To be told after each apply. */
  applied(zxid: bigint): void {
    this.#preparer?.applied(zxid);
  }

  /** Containers and TTL znodes whose time is up. */
  reapable(limit: number): readonly string[] {
    return this.#preparer?.reapable(this.#parts.clock.wall(), limit) ?? [];
  }

  #isFilled(times: number): boolean {
    const { maxProposalsInFlight } = this.#parts.options;
    return this.length >= times * maxProposalsInFlight || this.#bytes >= times * MAX_BYTES_IN_FLIGHT;
  }

  #prepare(request: WriteRequest, origin: Origin, zxid: bigint): { txn: Txn; payload: Uint8Array } | null {
    const { clock, logger } = this.#parts;
    const { sessionId, cxid, identities } = origin;
    try {
      const context = { sessionId, cxid, identities, wallMs: clock.wall() };
      const txn = this.#preparer!.prepare(request, context, zxid);
      return { txn, payload: encodeTxn(txn) };
    } catch (error) {
      logger.error('Request failed by a fault of this member', { error, op: request.op });
      return null;
    }
  }
}
