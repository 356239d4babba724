import { encodeTxn, RequestPreparer, type StateMachine, type Txn } from '../../data/index.js';
import { OpCode, type Id } from '../../protocol/index.js';
import type { Clock, Fifo, Logger, Random } from '../../runtime/index.js';
import type { Peer } from '../../zab/index.js';
import type { ServerOptions } from '../configuration/index.js';
import { Extremes, type MemberProbe } from '../metrics/index.js';
import { DataLimit } from './data-limit.js';
import type { LeaderSessions } from './leader-sessions.js';
import { Refusal } from './member-message.js';
import type { ClientWrite, Outcome, RefusalReason } from './outcome.js';
import { SessionIds } from './session-ids.js';
import type { TurnScheduler } from './turn-scheduler.js';
import { Proposals, type Proposal, type WritePath } from './write-path.js';

/** Most sessions whose end is proposed in one tick. */
const EXPIRED_PER_TICK = 2_000;

/** What a znode may hold at least, however small packets may be: followers can have another limit of packets. */
const LEAST_DATA_BYTES = 1024 * 1024;

const NOBODY: readonly Id[] = [];

export interface LeaderPathParts<Token> {
  readonly peer: Peer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly options: ServerOptions;
  readonly machine: StateMachine;
  readonly tracker: LeaderSessions;
  readonly turns: TurnScheduler;
  readonly outcomes: Fifo<Outcome<Token>>;
  /** The session has left `member` for another one. */
  readonly movedAway: (sessionId: bigint, member: number) => void;
  readonly probe?: MemberProbe | undefined;
}

/**
 * The way of a write through the member that leads: prepared against everything before it, encoded once, proposed, and
 * found again when it has been committed. Learners' requests take the same way, without a token.
 */
export class LeaderPath<Token> implements WritePath<Token> {
  readonly #parts: LeaderPathParts<Token>;
  readonly #preparer: RequestPreparer;
  readonly #sessionIds: SessionIds;
  readonly #proposals = new Proposals<Token>();
  readonly #questions = new Map<number, (zxid: bigint) => void>();
  #lastQuestion = 0;
  /** When it began to lead, by the clock of the member. */
  readonly since: number;
  readonly dataLimit: DataLimit;
  /** Sizes of what it has proposed. */
  readonly proposalBytes = new Extremes(-1);

  constructor(parts: LeaderPathParts<Token>) {
    this.#parts = parts;
    this.since = parts.clock.now();
    this.#sessionIds = new SessionIds(parts.random);
    this.dataLimit = new DataLimit(parts.options.maxDataBytes, parts.logger);
    const { enforceQuota, ttlNodes, maxTxnBytes, maxPacketBytes, requireAuth, maxDataBytes } = parts.options;
    this.#preparer = new RequestPreparer(parts.machine, {
      enforceQuota,
      ttlNodes,
      maxTxnBytes,
      // A znode holds what fits a packet: a raised limit of packets raises that, too.
      maxDataBytes: Math.max(maxPacketBytes, LEAST_DATA_BYTES),
      maxTreeBytes: maxDataBytes ?? Infinity,
      protectQuotas: requireAuth,
    });
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

  openSession(timeoutMs: number, identities: readonly Id[], token: Token): RefusalReason | null {
    const zxid = this.admitSession(timeoutMs, identities, this.#parts.options.id, token);
    return zxid === null ? 'fault' : null;
  }

  submit(write: ClientWrite, token: Token): RefusalReason | null {
    const refusal = this.admit(write, this.#parts.options.id, token);
    if (refusal === null) return null;
    return refusal === Refusal.moved ? 'moved' : 'fault';
  }

  /** Proposes a new session that `member` speaks for. Returns its zxid, null if it could not be prepared. */
  admitSession(
    timeoutMs: number,
    identities: readonly Id[],
    member: number,
    token: Token | null,
  ): bigint | null {
    const { tracker, peer, clock, machine } = this.#parts;
    if (!peer.admits) return null;
    const sessionId = this.#sessionIds.next(peer.nextZxid(), member, machine.identity);
    const request = { op: OpCode.createSession, body: { timeoutMs } } as const;
    const zxid = this.#propose({ sessionId, cxid: 0, identities, request }, token);
    if (zxid !== null) tracker.track(sessionId, timeoutMs, member, clock.now());
    return zxid;
  }

  /** Proposes a write on behalf of a client of `member`; says why if it does not. It takes the zxid that was next. */
  admit(write: ClientWrite, member: number, token: Token | null): Refusal | null {
    const { tracker } = this.#parts;
    const { sessionId } = write;
    if (!tracker.isOwner(sessionId, member)) return Refusal.moved;
    if (this.#propose(write, token) === null) return Refusal.fault;
    if (write.request.op === OpCode.closeSession) tracker.setClosing(sessionId);
    return null;
  }

  resumeSession(sessionId: bigint, token: Token): void {
    const { options, outcomes } = this.#parts;
    this.claim(sessionId, options.id, (timeoutMs) => outcomes.push({ type: 'resumed', token, timeoutMs }));
  }

  confirm(token: Token | null): void {
    this.readIndex((zxid) => this.#parts.outcomes.push({ type: 'confirmed', token, zxid }));
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
    this.#parts.turns.wakePeer();
  }

  readIndexAnswered(token: number, zxid: bigint): void {
    this.#questions.get(token)?.(zxid);
    this.#questions.delete(token);
  }

  touch(sessionId: bigint): boolean {
    return this.#parts.tracker.touch(sessionId, this.#parts.clock.now());
  }

  take(zxid: bigint): Proposal<Token> | undefined {
    return this.#proposals.take(zxid);
  }

  applied(zxid: bigint, closedSessionId: bigint | null): void {
    this.#preparer.applied(zxid);
    if (closedSessionId !== null) this.#parts.tracker.closed(closedSessionId);
  }

  flush(): void {}

  /** What a leader has taken it has proposed. */
  handedOver(): readonly Token[] {
    return [];
  }

  /** A voter that follows lets the tree grow to so many bytes; null: it follows no more, or says nothing of it. */
  limitData(member: number, bytes: number | null): void {
    if (this.dataLimit.report(member, bytes)) this.#preparer.limitTree(this.dataLimit.bytes);
  }

  /** To be called about twice per tick. */
  watchGrowth(): void {
    this.dataLimit.watch(this.#preparer.refusedGrowth, this.#parts.machine.treeBytes);
  }

  /** Writes that make the tree larger are refused. */
  get refusedGrowth(): number {
    return this.#preparer.refusedGrowth;
  }

  /** Proposes the end of every session whose time is up. */
  expireSessions(now: number): void {
    const { tracker, logger, peer } = this.#parts;
    if (!peer.status().isQuorumConfirmed) return;
    for (const sessionId of tracker.expired(now, EXPIRED_PER_TICK)) {
      if (this.isFull) return;
      logger.info('Session expired', { session: `0x${BigInt.asUintN(64, sessionId).toString(16)}` });
      const request = { op: OpCode.closeSession, body: {} } as const;
      if (this.#propose({ sessionId, cxid: 0, identities: NOBODY, request }, null) !== null)
        tracker.setClosing(sessionId);
    }
  }

  /** Proposes the removal of containers and TTL znodes whose time is up; preparing looks once more whether it still is. */
  reap(limit: number): void {
    for (const path of this.#preparer.reapable(this.#parts.clock.wall(), limit)) {
      if (this.isFull) return;
      const request = { op: OpCode.deleteContainer, body: { path } } as const;
      this.#propose({ sessionId: 0n, cxid: 0, identities: NOBODY, request }, null);
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
  #propose(write: ClientWrite, token: Token | null): bigint | null {
    const { peer, turns, probe } = this.#parts;
    if (!peer.admits) return null;
    const prepared = this.#prepare(write, peer.nextZxid());
    if (prepared === null) return null;
    const { txn, payload } = prepared;
    const zxid = peer.propose(payload);
    probe?.proposed?.(zxid, payload);
    this.proposalBytes.add(payload.length);
    this.#proposals.push({ zxid, txn, bytes: payload.length, token });
    turns.wakePeer();
    return zxid;
  }

  #prepare(write: ClientWrite, zxid: bigint): { txn: Txn; payload: Uint8Array } | null {
    const { clock, logger } = this.#parts;
    const { sessionId, cxid, identities, request } = write;
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
