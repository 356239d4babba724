import type { DigestPoint, WriteRequest } from '../../data/index.js';
import {
  type Id,
  JuteReader,
  JuteWriter,
  MarshallingError,
  OpCode,
  readRequest,
  type Request,
  writeRequest,
} from '../../protocol/index.js';
import { QuorateError } from '../../runtime/index.js';
import type { ClientWrite } from './outcome.js';

/** Another member says what makes no sense: the two do not run the same version, or one of them is broken. */
export class MemberMessageError extends QuorateError {
  constructor(problem: string) {
    super('MEMBER_MESSAGE', `Another member sent what makes no sense: ${problem}.`);
  }
}

/** What a learner asks of its leader on behalf of its clients. */
export type LearnerItem =
  | { readonly type: 'request'; readonly write: ClientWrite }
  | { readonly type: 'revalidate'; readonly token: number; readonly sessionId: bigint }
  | { readonly type: 'sync'; readonly token: number }
  | {
      readonly type: 'touched';
      /** The leader's own clock, as its last ping had it. */
      readonly stamp: number;
      readonly sessionIds: readonly bigint[];
    }
  /** What the learner's znodes may take in memory (`ServerOptions.maxDataBytes`). */
  | { readonly type: 'room'; readonly maxDataBytes: number }
  /** The learner's digests at zxids that the leader's heartbeats named. */
  | { readonly type: 'digests'; readonly points: readonly DigestPoint[] };

/** What a leader answers. */
export type LeaderItem =
  /** The next `count` requests that have not been answered yet are proposed, from `zxid` on without a gap. */
  | { readonly type: 'accepted'; readonly count: number; readonly zxid: bigint }
  /** The next request that has not been answered yet is not carried out. */
  | { readonly type: 'refused'; readonly why: Refusal }
  /** `timeoutMs` is 0 if the session is over. */
  | { readonly type: 'revalidated'; readonly token: number; readonly timeoutMs: number }
  | { readonly type: 'synced'; readonly token: number; readonly zxid: bigint }
  /** The session has turned up at another member. */
  | { readonly type: 'moved'; readonly sessionId: bigint }
  /** At that zxid a quorum has this digest, and the learner has reported another one. */
  | { readonly type: 'differs'; readonly expected: DigestPoint };

export const Refusal = {
  /** The session belongs to another member by now: ZooKeeper's SESSIONMOVED. */
  moved: 1,
  /** The leader could not prepare it. */
  fault: 2,
} as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

/** `stint` stands for the time for which the learner serves without a break; drawn by chance. */
export interface MemberMessage<Item> {
  readonly stint: number;
  readonly items: readonly Item[];
}

const Kind = {
  createSession: 1,
  write: 2,
  revalidate: 3,
  sync: 4,
  touched: 5,
  accepted: 6,
  refused: 7,
  revalidated: 8,
  synced: 9,
  moved: 10,
  /** A write by the session, and with the identities, of the write before it in the message. */
  writeAgain: 11,
  digests: 12,
  differs: 13,
  room: 14,
} as const;

const MIN_ID_BYTES = 8;
const LONG_BYTES = 8;
const POINT_BYTES = 2 * LONG_BYTES;

/** Gathers what one member has to say to another in a turn; `take` gives it as one message, null if there is nothing. */
export class MemberMessageWriter {
  readonly #stint: number;
  readonly #writer = new JuteWriter();
  #hasItems = false;
  /** Whose the last write of this message is: most come several at a time from one connection. */
  #speaker: ClientWrite | null = null;

  constructor(stint: number) {
    this.#stint = stint;
  }

  get length(): number {
    return this.#writer.length;
  }

  request(write: ClientWrite): void {
    const { sessionId, cxid, identities, request } = write;
    if (request.op === OpCode.createSession) {
      const writer = this.#begin(Kind.createSession);
      writeIdentities(writer, identities);
      return writer.writeInt(request.body.timeoutMs);
    }
    const isAgain = this.#speaker?.sessionId === sessionId && this.#speaker.identities === identities;
    const writer = this.#begin(isAgain ? Kind.writeAgain : Kind.write);
    if (!isAgain) {
      writeIdentities(writer, identities);
      writer.writeLong(sessionId);
      this.#speaker = write;
    }
    const { op, body } = request as Request;
    writeRequest(writer, cxid, op, body);
  }

  learner(item: Exclude<LearnerItem, { readonly type: 'request' }>): void {
    const writer = this.#begin(Kind[item.type]);
    switch (item.type) {
      case 'touched':
        writer.writeNumberAsLong(item.stamp);
        writer.writeCount(item.sessionIds.length);
        for (const sessionId of item.sessionIds) writer.writeLong(sessionId);
        return;
      case 'digests':
        writer.writeCount(item.points.length);
        for (const point of item.points) writePoint(writer, point);
        return;
      case 'room':
        return writer.writeNumberAsLong(item.maxDataBytes);
      case 'revalidate':
        writer.writeInt(item.token);
        return writer.writeLong(item.sessionId);
      case 'sync':
        return writer.writeInt(item.token);
    }
  }

  leader(item: LeaderItem): void {
    const writer = this.#begin(Kind[item.type]);
    switch (item.type) {
      case 'accepted':
        writer.writeInt(item.count);
        return writer.writeLong(item.zxid);
      case 'refused':
        return writer.writeInt(item.why);
      case 'revalidated':
        writer.writeInt(item.token);
        return writer.writeInt(item.timeoutMs);
      case 'synced':
        writer.writeInt(item.token);
        return writer.writeLong(item.zxid);
      case 'moved':
        return writer.writeLong(item.sessionId);
      case 'differs':
        return writePoint(writer, item.expected);
    }
  }

  take(): Uint8Array | null {
    if (!this.#hasItems) return null;
    this.#hasItems = false;
    this.#speaker = null;
    return this.#writer.take();
  }

  #begin(kind: number): JuteWriter {
    if (!this.#hasItems) this.#writer.writeInt(this.#stint);
    this.#hasItems = true;
    this.#writer.writeInt(kind);
    return this.#writer;
  }
}

/** Throws `MemberMessageError` on bytes that no learner sends. */
export function readLearnerMessage(bytes: Uint8Array): MemberMessage<LearnerItem> {
  let speaker: ClientWrite | null = null;
  return readMessage(bytes, (kind, reader): LearnerItem => {
    switch (kind) {
      case Kind.createSession:
        return { type: 'request', write: readCreateSession(reader) };
      case Kind.write: {
        const identities = readIdentities(reader);
        speaker = readWrite(reader, reader.readLong(), identities);
        return { type: 'request', write: speaker };
      }
      case Kind.writeAgain:
        if (speaker === null) throw new MarshallingError('a write again with none before it');
        return { type: 'request', write: readWrite(reader, speaker.sessionId, speaker.identities) };
      case Kind.revalidate:
        return { type: 'revalidate', token: reader.readInt(), sessionId: reader.readLong() };
      case Kind.sync:
        return { type: 'sync', token: reader.readInt() };
      case Kind.touched:
        return { type: 'touched', stamp: reader.readLongAsNumber(), sessionIds: readLongs(reader) };
      case Kind.room:
        return { type: 'room', maxDataBytes: reader.readLongAsNumber() };
      case Kind.digests:
        return { type: 'digests', points: readPoints(reader) };
      default:
        throw new MarshallingError(`kind ${kind} is not a learner's`);
    }
  });
}

/** Throws `MemberMessageError` on bytes that no leader sends. */
export function readLeaderMessage(bytes: Uint8Array): MemberMessage<LeaderItem> {
  return readMessage(bytes, (kind, reader): LeaderItem => {
    switch (kind) {
      case Kind.accepted:
        return { type: 'accepted', count: reader.readInt(), zxid: reader.readLong() };
      case Kind.refused:
        return { type: 'refused', why: reader.readInt() as Refusal };
      case Kind.revalidated:
        return { type: 'revalidated', token: reader.readInt(), timeoutMs: reader.readInt() };
      case Kind.synced:
        return { type: 'synced', token: reader.readInt(), zxid: reader.readLong() };
      case Kind.moved:
        return { type: 'moved', sessionId: reader.readLong() };
      case Kind.differs:
        return { type: 'differs', expected: readPoint(reader) };
      default:
        throw new MarshallingError(`kind ${kind} is not a leader's`);
    }
  });
}

function readMessage<Item>(
  bytes: Uint8Array,
  read: (kind: number, reader: JuteReader) => Item,
): MemberMessage<Item> {
  const reader = new JuteReader(bytes);
  try {
    const stint = reader.readInt();
    const items: Item[] = [];
    while (reader.remaining > 0) items.push(read(reader.readInt(), reader));
    return { stint, items };
  } catch (error) {
    if (error instanceof MarshallingError) throw new MemberMessageError(error.message);
    throw error;
  }
}

function readCreateSession(reader: JuteReader): ClientWrite {
  const identities = readIdentities(reader);
  const request = { op: OpCode.createSession, body: { timeoutMs: reader.readInt() } } as const;
  return { sessionId: 0n, cxid: 0, identities, request };
}

function readWrite(reader: JuteReader, sessionId: bigint, identities: readonly Id[]): ClientWrite {
  const { xid, op, body } = readRequest(reader.readPart());
  return { sessionId, cxid: xid, identities, request: { op, body } as WriteRequest };
}

function writeIdentities(writer: JuteWriter, identities: readonly Id[]): void {
  writer.writeCount(identities.length);
  for (const { scheme, id } of identities) {
    writer.writeString(scheme);
    writer.writeString(id);
  }
}

function readIdentities(reader: JuteReader): Id[] {
  const identities: Id[] = [];
  for (let left = reader.readCount(MIN_ID_BYTES); left > 0; left--) {
    identities.push({ scheme: reader.readText(), id: reader.readText() });
  }
  return identities;
}

function readLongs(reader: JuteReader): bigint[] {
  const values: bigint[] = [];
  for (let left = reader.readCount(LONG_BYTES); left > 0; left--) values.push(reader.readLong());
  return values;
}

function writePoint(writer: JuteWriter, { zxid, digest }: DigestPoint): void {
  writer.writeLong(zxid);
  writer.writeLong(BigInt.asIntN(64, digest));
}

function readPoint(reader: JuteReader): DigestPoint {
  return { zxid: reader.readLong(), digest: BigInt.asUintN(64, reader.readLong()) };
}

function readPoints(reader: JuteReader): DigestPoint[] {
  const points: DigestPoint[] = [];
  for (let left = reader.readCount(POINT_BYTES); left > 0; left--) points.push(readPoint(reader));
  return points;
}
