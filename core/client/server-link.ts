import {
  ASKS_FOR_LIMIT,
  ErrorCode,
  JuteWriter,
  Xid,
  type ConnectRequest,
  type ConnectResponse,
  type JuteReader,
  OpCode,
  type ReplyHeader,
  type WatchEvent,
  readConnectResponse,
  readReplyHeader,
  readWatchEvent,
  splitPackets,
  writeConnectRequest,
  writeRequest,
} from '../protocol/index.js';
import { Fifo, type Clock } from '../runtime/index.js';
import { CloseCode, type CloseReason, type Connection } from '../transport/index.js';
import { OutcomeUnknownError, RequestTooLargeError } from './client-errors.js';
import { BadArgumentsError, ConnectionLossError, errorOfCode, MarshallingError } from './errors.js';
import { nextXid } from './next-xid.js';
import type { PendingRequest } from './pending-request.js';
import { isOffered, whatIsMissing } from './server-features.js';

/** `jute.maxbuffer` as servers have it by default, for servers that do not say theirs: a larger request would cost the connection. */
const DEFAULT_MAX_REQUEST_BYTES = 1_048_575;
/** Requests of one turn leave together, in messages of about this size at most. */
const MESSAGE_BYTES = 256 * 1024;
/** Servers stop reading a connection with more unanswered requests than about this. */
const MAX_IN_FLIGHT = 1000;
/** What may wait in the transport before nothing more is given to it. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

export interface ServerLinkEvents {
  /** Something arrived; called before it is looked at. */
  heard(): void;
  /** The answer to the first packet, sent at `sentAt`. */
  accepted(response: ConnectResponse, sentAt: number): void;
  /** A packet sent at `sentAt` was answered. */
  answered(sentAt: number): void;
  /** The state that an answer reflects. */
  saw(zxid: bigint): void;
  notified(event: WatchEvent, zxid: bigint): void;
  /** There is room for more requests than before. */
  ready(): void;
  /** The server serves nobody without an identity that it accepts. */
  anonymousRefused(): void;
  /** Called once. */
  closed(error: ConnectionLossError): void;
}

/**
 * One connection to one server, from the first packet to the last. It numbers the requests, sends those of one turn
 * in one message, and finds to each answer the request it belongs to: answers come in the order of the requests,
 * those to pings and authentications apart. Anything else, or bytes that mean nothing, end the connection.
 */
export class ServerLink {
  readonly address: string;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #events: ServerLinkEvents;
  readonly #writer = new JuteWriter();
  readonly #inFlight = new Fifo<PendingRequest>();
  readonly #authentications = new Fifo<PendingRequest>();
  readonly #pingsSentAt = new Fifo<number>();
  readonly #maxReplyBytes: number;
  /** Largest packet that the server accepts. */
  #maxRequestBytes = DEFAULT_MAX_REQUEST_BYTES;
  /** What the server can do beyond ZooKeeper. */
  #features = 0;
  #lastXid = 0;
  #openedAt = 0;
  #isAccepted = false;
  #isClosed = false;
  #isFlushDue = false;
  /** The server has said that what it did not answer has had no effect. */
  #isNothingTaken = false;
  /** Requests at the end of `#inFlight` that have not left yet. */
  #unsentCount = 0;

  constructor(
    connection: Connection,
    options: {
      readonly address: string;
      readonly clock: Clock;
      readonly events: ServerLinkEvents;
      /** Largest packet that is accepted. */
      readonly maxReplyBytes: number;
    },
  ) {
    this.#connection = connection;
    this.address = options.address;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#maxReplyBytes = options.maxReplyBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether `send` should be called now; `ready` says when that may have changed. */
  get hasRoom(): boolean {
    if (this.#isClosed || this.#inFlight.length >= MAX_IN_FLIGHT) return false;
    return this.#connection.bufferedBytes + this.#writer.length < MAX_BUFFERED_BYTES;
  }

  /** Sends the first packet. To be called once. */
  open(request: ConnectRequest): void {
    this.#openedAt = this.#clock.now();
    this.#connection.handle({
      message: (bytes) => this.#receive(bytes),
      closed: (reason) => this.#lost(reason),
      drained: () => this.#events.ready(),
    });
    writeConnectRequest(this.#writer, { ...request, protocolVersion: ASKS_FOR_LIMIT });
    this.#flush();
  }

  /** Sends a request at the end of this turn; it is settled by its answer, or belongs to `takeInFlight` when the link closes. */
  send(request: PendingRequest): void {
    const { op, operation, path } = request.spec;
    if (!isOffered(op, this.#features)) {
      const what = whatIsMissing(op, ErrorCode.unimplemented);
      return request.reject(errorOfCode(ErrorCode.unimplemented, { operation, path, what }));
    }
    const before = this.#writer.length;
    const xid = nextXid(this.#lastXid);
    if (!this.#write(xid, request)) return;
    const bytes = this.#writer.length - before - 4;
    if (bytes > this.#maxRequestBytes) {
      this.#writer.truncate(before);
      const what = `the request takes ${bytes} bytes, of ${this.#maxRequestBytes} that a server accepts`;
      request.reject(new RequestTooLargeError({ operation, path, what, fields: { bytes } }));
      return;
    }
    this.#lastXid = xid;
    request.xid = xid;
    request.sentAt = this.#clock.now();
    this.#inFlight.push(request);
    this.#unsentCount += 1;
    this.#scheduleFlush();
  }

  /** Sends an `auth` request, whose answer servers may give out of turn. */
  authenticate(request: PendingRequest): void {
    if (!this.#write(Xid.auth, request)) return;
    request.sentAt = this.#clock.now();
    this.#authentications.push(request);
    this.#scheduleFlush();
  }

  /** False, and the request rejected, if it cannot be encoded: nothing of it may stay among the bytes that leave. */
  #write(xid: number, request: PendingRequest): boolean {
    const { op, body, operation, path } = request.spec;
    const before = this.#writer.length;
    try {
      writeRequest(this.#writer, xid, op, body);
      return true;
    } catch (cause) {
      this.#writer.truncate(before);
      request.reject(
        new BadArgumentsError({ operation, path, what: 'the request cannot be encoded', cause }),
      );
      return false;
    }
  }

  ping(): void {
    this.#pingsSentAt.push(this.#clock.now());
    writeRequest(this.#writer, Xid.ping, OpCode.ping, {});
    this.#scheduleFlush();
  }

  /** Breaks the connection off. */
  fail(error: ConnectionLossError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.terminate();
    this.#finish(error);
  }

  /** Closes in order: what was sent leaves first. */
  close(): void {
    if (this.#isClosed) return;
    if (this.#isFlushDue) this.#flush();
    this.#isClosed = true;
    this.#connection.close();
    this.#finish(new ConnectionLossError({ what: 'the connection was closed by this client' }));
  }

  /**
   * What was given to `send` and not answered, in order; for whoever is told that the link has closed. What the server has
   * not taken is as good as not sent.
   */
  takeInFlight(): { readonly sent: PendingRequest[]; readonly unsent: PendingRequest[] } {
    const sent = this.#inFlight.drain();
    if (this.#isNothingTaken) return { sent: [], unsent: sent };
    const unsent = sent.splice(sent.length - Math.min(this.#unsentCount, sent.length));
    return { sent, unsent };
  }

  #lost(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isNothingTaken = reason.code === CloseCode.notTaken;
    const text = reason.text === '' ? '' : `, "${reason.text}"`;
    const what = `${this.address} closed the connection (${reason.code}${text})`;
    this.#finish(
      new ConnectionLossError({ what, fields: { address: this.address, closeCode: reason.code } }),
    );
  }

  #finish(error: ConnectionLossError): void {
    for (const request of this.#authentications.drain()) request.reject(error);
    this.#events.closed(error);
  }

  #scheduleFlush(): void {
    if (this.#writer.length >= MESSAGE_BYTES) this.#flush();
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#clock.soon(() => {
      if (this.#isFlushDue) this.#flush();
    });
  }

  #flush(): void {
    this.#isFlushDue = false;
    if (this.#isClosed || this.#writer.length === 0) return;
    this.#unsentCount = 0;
    this.#connection.send(this.#writer.take());
  }

  #receive(bytes: Uint8Array): void {
    this.#events.heard();
    try {
      for (const packet of splitPackets(bytes, this.#maxReplyBytes)) {
        if (this.#isClosed) return;
        this.#handle(packet);
      }
    } catch (cause) {
      this.#breach(`${this.address} sent what cannot be decoded`, cause);
      return;
    }
    if (!this.#isClosed) this.#events.ready();
  }

  #handle(packet: JuteReader): void {
    if (!this.#isAccepted) {
      this.#isAccepted = true;
      const response = readConnectResponse(packet);
      this.#features = response.features ?? 0;
      if (response.protocolVersion > 0) this.#maxRequestBytes = response.protocolVersion;
      this.#events.accepted(response, this.#openedAt);
      return;
    }
    const header = readReplyHeader(packet);
    if (header.xid === Xid.notification) this.#events.notified(readWatchEvent(packet), header.zxid);
    else if (header.err === ErrorCode.sessionClosedRequireSaslAuth) this.#anonymousRefused(header, packet);
    else if (header.xid === Xid.ping) this.#pingAnswered();
    else if (header.xid === Xid.auth) this.#authAnswered(header, packet);
    else this.#answered(header, packet);
  }

  /** Said of itself, in the form of an answer to a ping, or about a request. */
  #anonymousRefused(header: ReplyHeader, packet: JuteReader): void {
    if (header.xid !== Xid.ping && header.xid !== Xid.auth) this.#answered(header, packet);
    this.#events.anonymousRefused();
  }

  #pingAnswered(): void {
    const sentAt = this.#pingsSentAt.shift();
    if (sentAt !== undefined) this.#events.answered(sentAt);
  }

  #authAnswered(header: ReplyHeader, packet: JuteReader): void {
    const request = this.#authentications.shift();
    if (request === undefined) return;
    this.#events.answered(request.sentAt);
    request.answer(header.err, packet);
  }

  #answered(header: ReplyHeader, packet: JuteReader): void {
    const request = this.#inFlight.peek();
    if (request === undefined || request.xid !== header.xid) {
      const expected = request === undefined ? 'none' : `one to request ${request.xid}`;
      this.#breach(`${this.address} sent an answer to request ${header.xid} when ${expected} was due`);
      return;
    }
    this.#inFlight.shift();
    this.#events.answered(request.sentAt);
    if (header.zxid > 0n) this.#events.saw(header.zxid);
    try {
      request.answer(header.err, packet);
    } catch (cause) {
      request.reject(undecodable(request, header.err, cause));
      throw cause;
    }
  }

  /** The server does not keep to the protocol. */
  #breach(what: string, cause?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close({ code: CloseCode.protocolError, text: 'protocol error' });
    this.#finish(new ConnectionLossError({ what, cause, fields: { address: this.address } }));
  }
}

/** The answer came, so the request must not be sent again; what it says is lost. */
function undecodable({ spec }: PendingRequest, err: ErrorCode, cause: unknown): Error {
  const context = { operation: spec.operation, path: spec.path, cause };
  if (err !== ErrorCode.ok || spec.rule === 'resend' || spec.rule === 'drop')
    return new MarshallingError(context);
  return new OutcomeUnknownError({
    ...context,
    what: 'the write took effect, but its answer cannot be decoded',
  });
}
