import type { DigestPoint } from '../../data/index.js';
import { OpCode, type Id } from '../../protocol/index.js';
import { Fifo } from '../../runtime/index.js';
import type { Peer } from '../../zab/index.js';
import type { ServerOptions } from '../configuration/index.js';
import {
  MemberMessageError,
  MemberMessageWriter,
  readLeaderMessage,
  Refusal,
  type LeaderItem,
} from './member-message.js';
import type { ClientWrite, Outcome } from './outcome.js';
import type { TurnScheduler } from './turn-scheduler.js';
import { Proposals, type Proposal, type WritePath } from './write-path.js';

/** What gathers in a turn leaves in messages of about this size. */
const MESSAGE_BYTES = 256 * 1024;

export interface LearnerPathParts<Token> {
  readonly peer: Peer;
  readonly options: ServerOptions;
  /** Unlike that of any other time for which this member has served. */
  readonly stint: number;
  readonly turns: TurnScheduler;
  readonly outcomes: Fifo<Outcome<Token>>;
  /** A quorum has another digest than this member at that zxid. */
  readonly differs: (expected: DigestPoint) => void;
}

/** On its way to the leader, and not answered by it yet. */
interface Forwarded<Token> {
  readonly token: Token;
  readonly bytes: number;
}

/**
 * The way of a write through a member that does not lead: to the leader in one queue with everything else, and back as a
 * transaction. The leader says under which zxid it has proposed each request, always before that can be committed, so
 * that a transaction finds whoever asked for it even if the same session has asked through another member before.
 */
export class LearnerPath<Token> implements WritePath<Token> {
  readonly #parts: LearnerPathParts<Token>;
  readonly #messages: MemberMessageWriter;
  readonly #forwarded = new Fifo<Forwarded<Token>>();
  #forwardedBytes = 0;
  readonly #proposals = new Proposals<Token>();
  /** By the numbers under which the leader was asked. */
  readonly #resumptions = new Map<number, Token>();
  readonly #confirmations = new Map<number, Token | null>();
  #lastQuestion = 0;
  /** Heard since the last report. */
  #touched = new Set<bigint>();

  constructor(parts: LearnerPathParts<Token>) {
    this.#parts = parts;
    this.#messages = new MemberMessageWriter(parts.stint);
  }

  get length(): number {
    return this.#forwarded.length + this.#proposals.length;
  }

  get bytes(): number {
    return this.#forwardedBytes + this.#proposals.bytes;
  }

  get openQuestions(): number {
    return this.#confirmations.size + this.#resumptions.size;
  }

  get isFull(): boolean {
    return this.#isFilled(1);
  }

  get isOverfull(): boolean {
    return this.#isFilled(2);
  }

  openSession(timeoutMs: number, identities: readonly Id[], token: Token): null {
    const request = { op: OpCode.createSession, body: { timeoutMs } } as const;
    return this.submit({ sessionId: 0n, cxid: 0, identities, request }, token);
  }

  /** Whether it is refused the leader answers later. */
  submit(write: ClientWrite, token: Token): null {
    const before = this.#messages.length;
    this.#messages.request(write);
    const bytes = this.#messages.length - before;
    this.#forwarded.push({ token, bytes });
    this.#forwardedBytes += bytes;
    if (this.#messages.length >= MESSAGE_BYTES) this.flush();
    this.#parts.turns.wakePeer();
    return null;
  }

  resumeSession(sessionId: bigint, token: Token): void {
    const question = this.#nextQuestion();
    this.#resumptions.set(question, token);
    this.#messages.learner({ type: 'revalidate', token: question, sessionId });
    this.#parts.turns.wakePeer();
  }

  confirm(token: Token | null): void {
    const question = this.#nextQuestion();
    this.#confirmations.set(question, token);
    this.#messages.learner({ type: 'sync', token: question });
    this.#parts.turns.wakePeer();
  }

  /** Whether the session is over only its leader knows; its end comes as a transaction. */
  touch(sessionId: bigint): boolean {
    this.#touched.add(sessionId);
    return true;
  }

  take(zxid: bigint): Proposal<Token> | undefined {
    return this.#proposals.take(zxid);
  }

  applied(_zxid: bigint, closedSessionId: bigint | null): void {
    if (closedSessionId !== null) this.#touched.delete(closedSessionId);
  }

  flush(): void {
    const bytes = this.#messages.take();
    if (bytes === null) return;
    // Without a leader it goes nowhere: the role is about to end, and every connection with it.
    this.#parts.peer.sendToLeader(bytes);
    this.#parts.turns.wakePeer();
  }

  /** The leader has answered before what it accepted; the rest it never proposes. */
  handedOver(): readonly Token[] {
    return this.#forwarded.drain().map(({ token }) => token);
  }

  /** A heartbeat of the leader has come: reports whom this member has heard up to here, and its digests. */
  pinged(stamp: number, points: readonly DigestPoint[]): void {
    this.#messages.learner({ type: 'touched', stamp, sessionIds: [...this.#touched] });
    this.#touched.clear();
    const { maxDataBytes } = this.#parts.options;
    if (maxDataBytes !== null) this.#messages.learner({ type: 'room', maxDataBytes });
    if (points.length > 0) this.#messages.learner({ type: 'digests', points });
  }

  received(bytes: Uint8Array): void {
    const { stint, items } = readLeaderMessage(bytes);
    if (stint !== this.#parts.stint) return;
    for (const item of items) this.#take(item);
  }

  #take(item: LeaderItem): void {
    switch (item.type) {
      case 'accepted':
        return this.#accepted(item.zxid, item.count);
      case 'refused':
        return this.#refused(item.why);
      case 'revalidated':
        return this.#resumed(item.token, item.timeoutMs);
      case 'synced':
        return this.#confirmed(item.token, item.zxid);
      case 'moved':
        return this.#parts.outcomes.push(item);
      case 'differs':
        return this.#parts.differs(item.expected);
    }
  }

  #accepted(zxid: bigint, count: number): void {
    for (let index = 0; index < count; index++) {
      const forwarded = this.#forwarded.shift();
      if (forwarded === undefined) throw new MemberMessageError('more requests are accepted than were made');
      this.#forwardedBytes -= forwarded.bytes;
      const { token, bytes } = forwarded;
      this.#proposals.push({ zxid: zxid + BigInt(index), txn: null, bytes, token });
    }
  }

  #refused(why: Refusal): void {
    const forwarded = this.#forwarded.shift();
    if (forwarded === undefined) throw new MemberMessageError('more requests are refused than were made');
    this.#forwardedBytes -= forwarded.bytes;
    const reason = why === Refusal.moved ? 'moved' : 'fault';
    this.#parts.outcomes.push({ type: 'refused', token: forwarded.token, reason });
  }

  #resumed(question: number, timeoutMs: number): void {
    const token = this.#resumptions.get(question);
    if (token === undefined) return;
    this.#resumptions.delete(question);
    this.#parts.outcomes.push({ type: 'resumed', token, timeoutMs: timeoutMs === 0 ? null : timeoutMs });
  }

  #confirmed(question: number, zxid: bigint): void {
    const token = this.#confirmations.get(question);
    if (token === undefined) return;
    this.#confirmations.delete(question);
    this.#parts.outcomes.push({ type: 'confirmed', token, zxid });
  }

  #isFilled(times: number): boolean {
    const { maxProposalsInFlight, maxBytesInFlight } = this.#parts.options;
    return this.length >= times * maxProposalsInFlight || this.bytes >= times * maxBytesInFlight;
  }

  #nextQuestion(): number {
    this.#lastQuestion = (this.#lastQuestion + 1) & 0x7fffffff;
    return this.#lastQuestion;
  }
}
