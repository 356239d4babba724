import type { Request } from '../../../core/protocol/index.js';
import { OpCode } from '../../../core/protocol/index.js';
import type { Delivered } from './ghost.js';
import { check, hex } from './referee.js';
import { expectedOutcome, isSameData, misfit } from './request-rules.js';
import { parentOf, type TreeModel } from './tree-model.js';

/** The requests of each who uses a session are numbered in a range of its own, so that it is known whose a transaction is. */
export const XIDS_PER_USER = 1_000_000;

/** One entry of the sequence that every member delivers. */
export type Sequenced = Pick<Delivered, 'zxid' | 'txn'>;

/** The sequence itself: what `Ghost` sees delivered, or what was read from the logs of members. */
export interface Sequence {
  /** zxid of the last entry. */
  readonly end: bigint;
  /** The transactions of a session, oldest first. */
  ofSession(sessionId: bigint): readonly Sequenced[];
}

/** A connection that a session had, in true time. */
export interface SessionConnection {
  readonly greetedAt: number;
  readonly acceptedAt: number;
}

/** A write that has left a client. */
export interface IssuedWrite {
  readonly client: string;
  readonly connection: SessionConnection;
  readonly xid: number;
  readonly request: Request;
  /** Digest ids that were proved before. */
  readonly users: readonly string[];
  /** Of its transaction, once the client was told. */
  zxid: bigint | null;
}

interface SessionRecord {
  readonly issued: IssuedWrite[];
  /** Up to when, in true time, the client may rely on the session: from the last sending that was answered. */
  provenUntil: number;
  /** When a member proposed its end, unasked. */
  expiredAt: number | null;
}

/**
 * Sessions across all their connections. Their writes take effect in the order in which they were made, each at most
 * once; nothing takes effect that nobody asked for; nothing comes through a connection after something from a later one;
 * and no session is expired while its client may rely on it.
 */
export class SessionLedger {
  readonly #model: TreeModel;
  readonly #ghost: Sequence;
  /** No clock of a member runs faster than that. */
  readonly #fastestRate: number;
  readonly #sessions = new Map<bigint, SessionRecord>();
  /** Times of the proposals that end a session, by zxid. */
  readonly #expiries = new Map<bigint, number>();
  #acknowledged = 0n;
  /** Reads that told of an older state than somebody had been told of when they were asked: allowed, and to be expected. */
  staleReads = 0;

  constructor(parts: { readonly model: TreeModel; readonly ghost: Sequence; readonly fastestRate: number }) {
    this.#model = parts.model;
    this.#ghost = parts.ghost;
    this.#fastestRate = parts.fastestRate;
  }

  /** The newest state that anybody was told of: a sync begun now has to reach it. */
  get acknowledged(): bigint {
    return this.#acknowledged;
  }

  told(zxid: bigint): void {
    if (zxid > this.#acknowledged) this.#acknowledged = zxid;
  }

  issued(sessionId: bigint, write: IssuedWrite): void {
    this.#recordOf(sessionId).issued.push(write);
  }

  /** A packet sent at `sentAt` was answered within the session. */
  proven(sessionId: bigint, sentAt: number, timeoutMs: number): void {
    const record = this.#recordOf(sessionId);
    record.provenUntil = Math.max(record.provenUntil, sentAt + timeoutMs / this.#fastestRate);
    this.#checkExpiry(sessionId, record);
  }

  /** A member proposes that a session ends, because it was silent. */
  expiryProposed(zxid: bigint, now: number): void {
    this.#expiries.set(zxid, now);
  }

  delivered(delivered: Sequenced): void {
    const { zxid, txn } = delivered;
    if (txn?.outcome.type === 'create') this.#checkUnique(delivered, txn.outcome.path);
    if (txn?.op !== OpCode.closeSession || txn.cxid !== 0) return;
    const record = this.#recordOf(txn.sessionId);
    record.expiredAt ??= this.#expiries.get(zxid) ?? null;
    this.#checkExpiry(txn.sessionId, record);
  }

  /** What has a unique name was asked for once: it is not made again while it is there. */
  #checkUnique({ zxid }: Sequenced, path: string): void {
    const unique = /^_c_[0-9a-f-]{36}-/.exec(path.slice(path.lastIndexOf('/') + 1))?.[0];
    if (unique === undefined) return;
    const parent = parentOf(path);
    const owner = this.#model.at(path, zxid)?.owner;
    const same = (this.#model.at(parent, zxid)?.children ?? []).filter(
      (name) => name.startsWith(unique) && this.#model.at(`${parent}/${name}`, zxid)?.owner === owner,
    );
    check(
      same.length < 2,
      () => `${same.map((name) => `${parent}/${name}`).join(' and ')} come from one create`,
    );
  }

  /** A client was told that its session is over. */
  toldExpired(sessionId: bigint, wasProposed: (sessionId: bigint) => boolean): void {
    check(
      this.#model.sessions.get(sessionId)?.closedAt != null || wasProposed(sessionId),
      () => `a client is told that the session ${hex(sessionId)} is over, which nobody has ended`,
    );
  }

  /** At the end: every transaction was asked for, in order, once. */
  conclude(): void {
    for (const sessionId of this.#model.sessions.keys()) this.concludeSession(sessionId);
  }

  /** The same for one session. */
  concludeSession(sessionId: bigint): void {
    const ofClient = this.#ghost.ofSession(sessionId).filter(({ txn }) => isOfClient(txn!));
    const users = new Set(ofClient.map(({ txn }) => userOf(txn!.cxid)));
    for (const user of users)
      this.#embed(
        sessionId,
        user,
        ofClient.filter(({ txn }) => userOf(txn!.cxid) === user),
      );
    if (users.size > 1) this.#checkMoves(sessionId, ofClient);
  }

  /** Finds for each transaction of a session the request that it came from, the earliest that may be; later ones come from later requests. */
  #embed(sessionId: bigint, user: number, deliveries: readonly Sequenced[]): void {
    const issued = this.#issuedBy(sessionId, user);
    const pinned = new Set(issued.flatMap(({ zxid }) => (zxid === null ? [] : [zxid])));
    let next = 0;
    for (const delivered of deliveries) {
      const { zxid } = delivered;
      const isOwn = (write: IssuedWrite): boolean =>
        pinned.has(zxid) ? write.zxid === zxid : write.zxid === null && this.#mayBe(write, delivered);
      while (next < issued.length && !isOwn(issued[next]!)) next += 1;
      check(
        next < issued.length,
        () =>
          `${hex(zxid)} of session ${hex(sessionId)} comes from no request, or out of order: ${describe(delivered)}`,
      );
      next += 1;
    }
  }

  /** A session that has moved to another connection has left the one before: nothing of that takes effect behind it. */
  #checkMoves(sessionId: bigint, deliveries: readonly Sequenced[]): void {
    let newest: SessionConnection = { greetedAt: -1, acceptedAt: -1 };
    for (const delivered of deliveries) {
      const { zxid, txn } = delivered;
      const issued = this.#issuedBy(sessionId, userOf(txn!.cxid));
      const own = issued.find((write) => write.zxid === zxid);
      const candidates = own === undefined ? issued.filter((write) => this.#mayBe(write, delivered)) : [own];
      const latest = Math.max(...candidates.map(({ connection }) => connection.acceptedAt));
      check(
        latest >= newest.greetedAt,
        () => `${hex(zxid)} comes through a connection that the session ${hex(sessionId)} had left before`,
      );
      if (own !== undefined && own.connection.greetedAt > newest.greetedAt) newest = own.connection;
    }
  }

  #issuedBy(sessionId: bigint, user: number): readonly IssuedWrite[] {
    return this.#sessions.get(sessionId)?.issued.filter(({ xid }) => userOf(xid) === user) ?? [];
  }

  #mayBe({ xid, request, users }: IssuedWrite, { zxid, txn }: Sequenced): boolean {
    if (txn === null || txn.cxid !== xid || txn.op !== request.op) return false;
    if (!hasSameData(request, txn)) return false;
    return misfit(txn.outcome, expectedOutcome(request, { model: this.#model, zxid, txn, users })) === null;
  }

  #checkExpiry(sessionId: bigint, { expiredAt, provenUntil }: SessionRecord): void {
    check(
      expiredAt === null || expiredAt >= provenUntil,
      () =>
        `the session ${hex(sessionId)} was expired at ${expiredAt} ms, its client could rely on it until ${Math.floor(provenUntil)} ms`,
    );
  }

  #recordOf(sessionId: bigint): SessionRecord {
    let record = this.#sessions.get(sessionId);
    if (record === undefined) {
      record = { issued: [], provenUntil: 0, expiredAt: null };
      this.#sessions.set(sessionId, record);
    }
    return record;
  }
}

function userOf(xid: number): number {
  return Math.floor(xid / XIDS_PER_USER);
}

function isOfClient({ op, cxid }: NonNullable<Sequenced['txn']>): boolean {
  return op !== OpCode.createSession && !(op === OpCode.closeSession && cxid === 0);
}

function hasSameData(request: Request, { outcome }: NonNullable<Sequenced['txn']>): boolean {
  if (outcome.type !== 'create' && outcome.type !== 'setData') return true;
  return 'data' in request.body && isSameData(request.body.data, outcome.data);
}

function describe({ txn }: Sequenced): string {
  return JSON.stringify(txn, (_, value: unknown) => (typeof value === 'bigint' ? hex(value) : value));
}
