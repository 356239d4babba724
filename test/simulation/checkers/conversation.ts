import { createHash } from 'node:crypto';
import {
  ErrorCode,
  OpCode,
  readConnectRequest,
  readConnectResponse,
  readReplyBody,
  readReplyHeader,
  readRequest,
  readRequestHeader,
  readWatchEvent,
  splitPackets,
  Xid,
  type AuthRequest,
  type ConnectRequest,
  type ConnectResponse,
  type JuteReader,
  type Reply,
  type ReplyHeader,
  type Request,
} from '../../../core/protocol/index.js';
import type { EndingConnection, EndLedger } from './end-ledger.js';
import { check, hex } from './referee.js';
import { wrongRead, wrongWrite } from './reply-rules.js';
import { expectedOutcome, isWrite, misfit } from './request-rules.js';
import type { IssuedWrite, Sequence, SessionConnection, SessionLedger } from './session-ledger.js';
import type { TreeModel } from './tree-model.js';
import { WatchLedger } from './watch-ledger.js';

const MAX_PACKET_BYTES = 64 * 1024 * 1024;

/** Of an event that several transactions may have caused. */
const NO_ZXID = -1n;

/** What a conversation is checked against. */
export interface Knowledge {
  readonly ghost: Sequence;
  readonly model: TreeModel;
  readonly sessions: SessionLedger;
  readonly ends: EndLedger;
  /** True time, in milliseconds. */
  readonly now: () => number;
  /** Whether a member has proposed to end the session. */
  readonly wasEndProposed: (sessionId: bigint) => boolean;
  /** Whether the member at the other end knows how much time passes; default yes. If not, its answers prove nothing of the session. */
  readonly isTimed?: () => boolean;
  /** Called when the client is given a session. */
  readonly granted?: (response: ConnectResponse) => void;
}

/** A request that is not answered yet. */
interface Outstanding {
  readonly request: Request;
  readonly xid: number;
  readonly sentAt: number;
  readonly write: IssuedWrite | null;
  readonly answered: () => void;
  /** The newest state that anybody had been told of: what a sync has to reach. */
  readonly acknowledged: bigint;
  /** Digest ids that were proved before. */
  readonly users: readonly string[];
}

/**
 * One connection of a client, read along at the client's end. Replies come in the order of the requests and tell of
 * states that never go back; each says what the model says of its zxid; nothing uncommitted is ever told. The reply to a write has
 * the zxid of its transaction, and no reply before it tells of that transaction.
 */
export class Conversation {
  readonly #client: string;
  readonly #known: Knowledge;
  readonly #watches: WatchLedger;
  readonly #outstanding: Outstanding[] = [];
  readonly #pings: number[] = [];
  readonly #end: EndingConnection = { closeCode: null };
  #greeting: ConnectRequest | null = null;
  #connection: SessionConnection = { greetedAt: 0, acceptedAt: Infinity };
  #sessionId: bigint | null = null;
  #timeoutMs = 0;
  #zxid = 0n;
  #users: readonly string[] = [];
  /** Of the last reply to a request. */
  #answeredZxid = 0n;

  constructor(client: string, known: Knowledge) {
    this.#client = client;
    this.#known = known;
    this.#watches = new WatchLedger(known.model);
  }

  sent(message: Uint8Array): void {
    for (const packet of splitPackets(message, MAX_PACKET_BYTES)) this.#request(packet);
  }

  received(message: Uint8Array): void {
    for (const packet of splitPackets(message, MAX_PACKET_BYTES)) {
      if (this.#sessionId === null) this.#accepted(packet);
      else this.#packet(packet);
    }
  }

  closed(code: number, text: string): void {
    this.#known.ends.ended(this.#client, this.#end, code, text);
  }

  #request(packet: JuteReader): void {
    const now = this.#known.now();
    if (this.#greeting === null) {
      this.#greeting = readConnectRequest(packet);
      this.#connection = { greetedAt: now, acceptedAt: Infinity };
      this.#zxid = this.#greeting.lastZxidSeen;
      return;
    }
    const header = readRequestHeader(packet);
    if (header.xid === Xid.ping) return void this.#pings.push(now);
    const request = readRequest(packet, header);
    if (request.op === OpCode.auth) return this.#proved(request.body);
    const connection = this.#connection;
    const users = this.#users;
    const write = isWrite(request)
      ? { client: this.#client, connection, xid: header.xid, request, users, zxid: null }
      : null;
    if (write !== null) this.#known.sessions.issued(this.#sessionId!, write);
    this.#watches.sent(request);
    const { acknowledged } = this.#known.sessions;
    const answered =
      write === null ? (): void => undefined : this.#known.ends.sent(this.#client, this.#end, request);
    this.#outstanding.push({ request, xid: header.xid, sentAt: now, write, answered, acknowledged, users });
  }

  /** Counts for what is sent behind it only. */
  #proved({ scheme, auth }: AuthRequest): void {
    if (scheme !== 'digest' || auth === null) return;
    const hash = createHash('sha1').update(auth).digest('base64');
    this.#users = [...this.#users, `${new TextDecoder().decode(auth).split(':', 1)[0]}:${hash}`];
  }

  #accepted(packet: JuteReader): void {
    const response = readConnectResponse(packet);
    const { sessionId, timeoutMs } = response;
    const { model, sessions, wasEndProposed, now, granted } = this.#known;
    const { sessionId: asked } = this.#greeting!;
    this.#sessionId = sessionId;
    this.#timeoutMs = timeoutMs;
    if (sessionId === 0n) return sessions.toldExpired(asked, wasEndProposed);
    check(asked === 0n || asked === sessionId, () =>
      this.#says(`is given the session ${hex(sessionId)}, not its own`),
    );
    check(model.sessions.has(sessionId), () =>
      this.#says(`is given the session ${hex(sessionId)}, of which nothing is committed`),
    );
    this.#connection = { ...this.#connection, acceptedAt: now() };
    this.#proven(this.#connection.greetedAt);
    granted?.(response);
  }

  #packet(packet: JuteReader): void {
    const header = readReplyHeader(packet);
    const { sessions } = this.#known;
    if (header.xid === Xid.auth) return;
    if (header.xid === Xid.notification && header.zxid === NO_ZXID)
      return this.#watches.notifiedOfMissed(readWatchEvent(packet), this.#zxid);
    this.#checkZxid(header.zxid);
    sessions.told(header.zxid);
    if (header.xid === Xid.notification) return this.#watches.notified(readWatchEvent(packet), header.zxid);
    if (header.xid === Xid.ping) {
      this.#watches.reached(header.zxid, true);
      const sentAt = this.#pings.shift();
      if (sentAt !== undefined) this.#proven(sentAt);
      return;
    }
    this.#reply(header, packet);
  }

  #proven(sentAt: number): void {
    const { sessions, isTimed } = this.#known;
    if (isTimed?.() ?? true) sessions.proven(this.#sessionId!, sentAt, this.#timeoutMs);
  }

  #reply(header: ReplyHeader, packet: JuteReader): void {
    const { xid, zxid, err } = header;
    const next = this.#outstanding.shift();
    check(next?.xid === xid, () =>
      this.#says(`is answered request ${xid}, when ${next?.xid ?? 'none'} was due`),
    );
    const { request, write, acknowledged, sentAt, users } = next;
    next.answered();
    if (request.op !== OpCode.closeSession) this.#proven(sentAt);
    const reply =
      err === ErrorCode.ok ? ({ op: request.op, body: readReplyBody(request.op, packet) } as Reply) : null;
    this.#watches.answered(request, err, zxid);
    const answered = this.#answeredZxid;
    this.#answeredZxid = zxid;
    if (write !== null) return this.#checkWrite(write, answered, zxid, { error: err, reply });
    if (isRead(request) && zxid < acknowledged) this.#known.sessions.staleReads += 1;
    check(request.op !== OpCode.sync || zxid >= acknowledged, () =>
      this.#says(`has synced to ${hex(zxid)}, when ${hex(acknowledged)} had been told to somebody`),
    );
    const { model } = this.#known;
    const sessionId = this.#sessionId!;
    const wrong = isRead(request)
      ? wrongRead(request, { error: err, reply }, { model, zxid, sessionId, users })
      : null;
    check(wrong === null, () => this.#says(`reads ${nameOf(request)} at ${hex(zxid)}: the reply ${wrong}`));
  }

  /** `answered`: the zxid of the reply before this one. */
  #checkWrite(
    write: IssuedWrite,
    answered: bigint,
    toldZxid: bigint,
    received: { readonly error: ErrorCode; readonly reply: Reply | null },
  ): void {
    const { model, ghost } = this.#known;
    const { request, xid, users } = write;
    const own = ghost
      .ofSession(this.#sessionId!)
      .findLast((other) => other.zxid <= toldZxid && other.txn?.cxid === xid && other.txn.op === request.op);
    check(own !== undefined, () =>
      this.#says(`is answered its ${nameOf(request)} at ${hex(toldZxid)}, but there is no such transaction`),
    );
    const { zxid } = own;
    const txn = own.txn!;
    write.zxid = zxid;
    check(zxid === toldZxid, () =>
      this.#says(`is answered its ${nameOf(request)} of ${hex(zxid)} with the zxid ${hex(toldZxid)}`),
    );
    check(answered < zxid, () =>
      this.#says(
        `was told of ${hex(answered)} before its ${nameOf(request)} of ${hex(zxid)}: an earlier request saw a later write`,
      ),
    );
    const expected = expectedOutcome(request, { model, zxid, txn, users });
    const unfit = misfit(txn.outcome, expected);
    check(unfit === null, () => `the ${nameOf(request)} of ${this.#client} at ${hex(zxid)} ${unfit}`);
    const wrong = wrongWrite(received, expected);
    check(wrong === null, () => this.#says(`made a ${nameOf(request)} at ${hex(zxid)}: the reply ${wrong}`));
  }

  #checkZxid(zxid: bigint): void {
    check(zxid >= this.#zxid, () =>
      this.#says(`is led back in time from ${hex(this.#zxid)} to ${hex(zxid)}`),
    );
    this.#zxid = zxid;
    const { end } = this.#known.ghost;
    check(zxid <= end, () => this.#says(`is told of ${hex(zxid)}, but only ${hex(end)} was ever delivered`));
  }

  #says(what: string): string {
    return `${this.#client}, session ${hex(this.#sessionId ?? 0n)}, ${what}`;
  }
}

const READS = new Set<number>([
  OpCode.exists,
  OpCode.getData,
  OpCode.getAcl,
  OpCode.getChildren,
  OpCode.getChildren2,
  OpCode.getAllChildrenNumber,
  OpCode.getEphemerals,
  OpCode.multiRead,
]);

function isRead({ op }: Request): boolean {
  return READS.has(op);
}

function nameOf(request: Request): string {
  const name = Object.entries(OpCode).find(([, code]) => code === request.op)?.[0] ?? String(request.op);
  return 'path' in request.body ? `${name} ${request.body.path}` : name;
}
