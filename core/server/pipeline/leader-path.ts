import {
  encodeTxn,
  RequestPreparer,
  type StateMachine,
  type Txn,
  type WriteRequest,
} from '../../data/index.js';
import { OpCode } from '../../protocol/index.js';
import type { Clock, Logger } from '../../runtime/index.js';
import type { Peer } from '../../zab/index.js';
import { Extremes } from '../metrics/traffic.js';
import type { MemberProbe } from '../metrics/member-probe.js';
import type { ServerOptions } from '../configuration/server-options.js';
import type { SessionService } from '../clients/session-service.js';
import type { LeaderSessions } from './leader-sessions.js';
import { Refusal } from './member-message.js';
import { Proposals, type Origin, type Proposal, type WritePath } from './write-path.js';

/** Most sessions whose end is proposed in one tick. */
const EXPIRED_PER_TICK = 2_000;

export interface LeaderPathParts {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly options: ServerOptions;
  readonly machine: StateMachine;
  readonly sessions: SessionService;
  readonly tracker: LeaderSessions;
  /** Something was proposed: the loop has work. */
  readonly wake: () => void;
  /** The session has left `member` for another one. */
  readonly movedAway: (sessionId: bigint, member: number) => void;
  readonly probe?: MemberProbe | undefined;
}

/**
 * The way of a write through the member that leads: prepared against everything before it, encoded once, proposed, and
 * found again when it has been committed. Learners' requests take the same way, with `null` for a connection.
 */
export class LeaderPath implements WritePath {
  readonly isReadOnly = false;
  readonly #parts: LeaderPathParts;
  readonly #preparer: RequestPreparer;
  readonly #proposals = new Proposals();
  readonly #questions = new Map<number, (zxid: bigint) => void>();
  #lastQuestion = 0;
  /** When it began to lead, by the clock of the member. */
  readonly since: number;
  /** Sizes of what it has proposed. */
  readonly proposalBytes = new Extremes(-1);

  constructor(parts: LeaderPathParts) {
    this.#parts = parts;
    this.since = parts.clock.now();
    const { enforceQuota, ttlNodes, maxTxnBytes } = parts.options;
    this.#preparer = new RequestPreparer(parts.machine, { enforceQuota, ttlNodes, maxTxnBytes });
  }

  get length(): number {
    return this.#proposals.length;
  }

  get bytes(): number {
    return this.#proposals.bytes;
  }

  get openQuestions(): number {
    return this.#questions.size;
  }

  get isFull(): boolean {
    return this.#isFilled(1) || !this.#parts.peer.admits;
  }

  get isOverfull(): boolean {
    return this.#isFilled(2);
  }

  createSession(timeoutMs: number, origin: Origin): void {
    if (this.admitSession(timeoutMs, origin, this.#parts.options.id) === null) {
      origin.connection?.cut('Connection closed: its session could not be created');
    }
  }

  write(request: WriteRequest, origin: Origin): void {
    const refusal = this.admit(request, origin, this.#parts.options.id);
    if (refusal === Refusal.moved) {
      // ZooKeeper's SESSIONMOVED, which is never told: the client has another connection by now.
      origin.connection?.cut('Connection closed: its session moved away');
    } else if (refusal !== null) {
      origin.connection?.cut('Connection closed: a request of it could not be prepared');
    }
  }

  /** Proposes a new session that `member` speaks for. Returns its zxid, null if it could not be prepared. */
  admitSession(timeoutMs: number, origin: Origin, member: number): bigint | null {
    const { sessions, tracker, peer, clock } = this.#parts;
    if (!peer.admits) return null;
    const sessionId = sessions.newId(peer.nextZxid(), member);
    const zxid = this.#propose({ op: OpCode.createSession, body: { timeoutMs } }, { ...origin, sessionId });
    if (zxid !== null) tracker.track(sessionId, timeoutMs, member, clock.now());
    return zxid;
  }

  /** Proposes a write on behalf of a client of `member`; says why if it does not. It takes the zxid that was next. */
  admit(request: WriteRequest, origin: Origin, member: number): Refusal | null {
    const { tracker } = this.#parts;
    const { sessionId } = origin;
    if (!tracker.isOwner(sessionId, member)) return Refusal.moved;
    if (this.#propose(request, origin) === null) return Refusal.fault;
    if (request.op === OpCode.closeSession) tracker.setClosing(sessionId);
    return null;
  }

  revalidate(sessionId: bigint, answer: (timeoutMs: number | null) => void): void {
    this.claim(sessionId, this.#parts.options.id, answer);
  }

  /**
   * `member` speaks for the session from now on; who did before is told. Answers with its timeout, or null if it is over, once a
   * quorum has confirmed that this member still leads. A deposed leader answers nothing: under a later leader the session
   * may have a connection already, may be over, or may have begun.
   */
  claim(sessionId: bigint, member: number, answer: (timeoutMs: number | null) => void): void {
    this.readIndex(() => answer(this.#claim(sessionId, member)));
  }

  readIndex(answer: (zxid: bigint) => void): void {
    const token = (this.#lastQuestion += 1);
    // A leader that is deposed answers nothing; this path ends with it.
    if (this.#parts.peer.readIndex(token)) this.#questions.set(token, answer);
    this.#parts.wake();
  }

  readIndexAnswered(token: number, zxid: bigint): void {
    this.#questions.get(token)?.(zxid);
    this.#questions.delete(token);
  }

  touch(sessionId: bigint): boolean {
    return this.#parts.tracker.touch(sessionId, this.#parts.clock.now());
  }

  take(zxid: bigint): Proposal | undefined {
    return this.#proposals.take(zxid);
  }

  applied(zxid: bigint, closedSessionId: bigint | null): void {
    this.#preparer.applied(zxid);
    if (closedSessionId !== null) this.#parts.tracker.closed(closedSessionId);
  }

  flush(): void {}

  handedOver(): void {}

  /** Proposes the end of every session whose time is up. */
  expireSessions(now: number): void {
    const { tracker, logger, peer } = this.#parts;
    if (!peer.status().isQuorumConfirmed) return;
    for (const sessionId of tracker.expired(now, EXPIRED_PER_TICK)) {
      if (this.isFull) return;
      logger.info('Session expired', { session: `0x${BigInt.asUintN(64, sessionId).toString(16)}` });
      const origin = { sessionId, cxid: 0, identities: [], connection: null, slot: null };
      if (this.#propose({ op: OpCode.closeSession, body: {} }, origin) !== null)
        tracker.setClosing(sessionId);
    }
  }

  /** Proposes the removal of containers and TTL znodes whose time is up; preparing looks once more whether it still is. */
  reap(limit: number): void {
    for (const path of this.#preparer.reapable(this.#parts.clock.wall(), limit)) {
      if (this.isFull) return;
      this.#propose(
        { op: OpCode.deleteContainer, body: { path } },
        { sessionId: 0n, cxid: 0, identities: [], connection: null, slot: null },
      );
    }
  }

  #claim(sessionId: bigint, member: number): number | null {
    const { tracker, clock, movedAway } = this.#parts;
    const claim = tracker.claim(sessionId, member, clock.now());
    if (claim === null) return null;
    if (claim.previous !== null) movedAway(sessionId, claim.previous);
    return claim.timeoutMs;
  }

  #isFilled(times: number): boolean {
    const { length, bytes } = this.#proposals;
    const { maxProposalsInFlight, maxBytesInFlight } = this.#parts.options;
    return length >= times * maxProposalsInFlight || bytes >= times * maxBytesInFlight;
  }

  /** Null if nothing was proposed: preparing failed by a fault of this member, or it does not lead any more. */
  #propose(request: WriteRequest, origin: Origin): bigint | null {
    const { peer, wake, probe } = this.#parts;
    if (!peer.admits) return null;
    const prepared = this.#prepare(request, origin, peer.nextZxid());
    if (prepared === null) return null;
    const { txn, payload } = prepared;
    const zxid = peer.propose(payload);
    probe?.proposed?.(zxid, payload);
    this.proposalBytes.add(payload.length);
    this.#proposals.push({ zxid, txn, bytes: payload.length, origin });
    wake();
    return zxid;
  }

  #prepare(request: WriteRequest, origin: Origin, zxid: bigint): { txn: Txn; payload: Uint8Array } | null {
    const { clock, logger } = this.#parts;
    const { sessionId, cxid, identities } = origin;
    try {
      const context = { sessionId, cxid, identities, wallMs: clock.wall() };
      const txn = this.#preparer.prepare(request, context, zxid);
      return { txn, payload: encodeTxn(txn) };
    } catch (error) {
      logger.error('Request failed by a fault of this member', { error, op: request.op });
      return null;
    }
  }
}
