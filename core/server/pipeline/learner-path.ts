import type { DigestPoint, WriteRequest } from '../../data/index.js';
import { OpCode } from '../../protocol/index.js';
import type { Peer } from '../../zab/index.js';
import { Fifo } from '../../runtime/index.js';
import type { ServerOptions } from '../configuration/server-options.js';
import {
  MemberMessageError,
  MemberMessageWriter,
  readLeaderMessage,
  Refusal,
  type ForwardedRequest,
  type LeaderItem,
} from './member-message.js';
import { Proposals, type Origin, type Proposal, type WritePath } from './write-path.js';

/** What gathers in a turn leaves in messages of about this size. */
const MESSAGE_BYTES = 256 * 1024;

export interface LearnerPathParts {
  readonly peer: Peer;
  readonly options: ServerOptions;
  /** Unlike that of any other time for which this member has served. */
  readonly stint: number;
  /** There is something to send: the loop has work. */
  readonly wake: () => void;
  /** The session has left this member for another one. */
  readonly movedAway: (sessionId: bigint) => void;
  /** A quorum has another digest than this member at that zxid. */
  readonly differs: (expected: DigestPoint) => void;
}

/** On its way to the leader, and not answered by it yet. */
interface Forwarded {
  readonly origin: Origin;
  readonly bytes: number;
}

/**
 * The way of a write through a member that does not lead: to the leader in one queue with everything else, and back as a
 * transaction. The leader says under which zxid it has proposed each request, always before that can be committed, so
 * that a transaction finds whoever asked for it even if the same session has asked through another member before.
 */
export class LearnerPath implements WritePath {
  readonly isReadOnly = false;
  readonly #parts: LearnerPathParts;
  readonly #messages: MemberMessageWriter;
  readonly #forwarded = new Fifo<Forwarded>();
  #forwardedBytes = 0;
  readonly #proposals = new Proposals();
  readonly #revalidations = new Map<number, (timeoutMs: number | null) => void>();
  readonly #questions = new Map<number, (zxid: bigint) => void>();
  #lastToken = 0;
  /** Heard since the last report. */
  #touched = new Set<bigint>();

  constructor(parts: LearnerPathParts) {
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
    return this.#questions.size + this.#revalidations.size;
  }

  get isFull(): boolean {
    return this.#isFilled(1);
  }

  get isOverfull(): boolean {
    return this.#isFilled(2);
  }

  createSession(timeoutMs: number, origin: Origin): void {
    this.#forward({ op: OpCode.createSession, body: { timeoutMs } }, origin);
  }

  write(request: WriteRequest, origin: Origin): void {
    this.#forward(request, origin);
  }

  revalidate(sessionId: bigint, answer: (timeoutMs: number | null) => void): void {
    const token = this.#nextToken();
    this.#revalidations.set(token, answer);
    this.#messages.learner({ type: 'revalidate', token, sessionId });
    this.#parts.wake();
  }

  readIndex(answer: (zxid: bigint) => void): void {
    const token = this.#nextToken();
    this.#questions.set(token, answer);
    this.#messages.learner({ type: 'sync', token });
    this.#parts.wake();
  }

  /** Whether the session is over only its leader knows; its end comes as a transaction. */
  touch(sessionId: bigint): boolean {
    this.#touched.add(sessionId);
    return true;
  }

  take(zxid: bigint): Proposal | undefined {
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
    this.#parts.wake();
  }

  /** Whatever it had accepted it has told before; the rest it has forgotten. */
  handedOver(): void {
    for (const { origin } of this.#forwarded.drain()) {
      if (origin.slot !== null) origin.slot.mayTakeEffect = false;
    }
  }

  /** A heartbeat of the leader has come: reports whom this member has heard up to here, and its digests. */
  pinged(stamp: number, points: readonly DigestPoint[]): void {
    this.#messages.learner({ type: 'touched', stamp, sessionIds: [...this.#touched] });
    this.#touched.clear();
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
        this.#revalidations.get(item.token)?.(item.timeoutMs === 0 ? null : item.timeoutMs);
        return void this.#revalidations.delete(item.token);
      case 'synced':
        this.#questions.get(item.token)?.(item.zxid);
        return void this.#questions.delete(item.token);
      case 'moved':
        return this.#parts.movedAway(item.sessionId);
      case 'differs':
        return this.#parts.differs(item.expected);
    }
  }

  #accepted(zxid: bigint, count: number): void {
    for (let index = 0; index < count; index++) {
      const forwarded = this.#forwarded.shift();
      if (forwarded === undefined) throw new MemberMessageError('more requests are accepted than were made');
      this.#forwardedBytes -= forwarded.bytes;
      const { origin, bytes } = forwarded;
      this.#proposals.push({ zxid: zxid + BigInt(index), txn: null, bytes, origin });
    }
  }

  #refused(why: Refusal): void {
    const forwarded = this.#forwarded.shift();
    if (forwarded === undefined) throw new MemberMessageError('more requests are refused than were made');
    this.#forwardedBytes -= forwarded.bytes;
    const problem =
      why === Refusal.moved ? 'its session moved away' : 'the leader could not prepare a request of it';
    forwarded.origin.connection?.cut(`Connection closed: ${problem}`);
  }

  #forward(request: WriteRequest, origin: Origin): void {
    const { sessionId, cxid, identities } = origin;
    const before = this.#messages.length;
    const forwarded: ForwardedRequest = { sessionId, cxid, identities, request };
    this.#messages.request(forwarded);
    const bytes = this.#messages.length - before;
    this.#forwarded.push({ origin, bytes });
    this.#forwardedBytes += bytes;
    if (this.#messages.length >= MESSAGE_BYTES) this.flush();
    this.#parts.wake();
  }

  #isFilled(times: number): boolean {
    const { maxProposalsInFlight, maxBytesInFlight } = this.#parts.options;
    return this.length >= times * maxProposalsInFlight || this.bytes >= times * maxBytesInFlight;
  }

  #nextToken(): number {
    this.#lastToken = (this.#lastToken + 1) & 0x7fffffff;
    return this.#lastToken;
  }
}
