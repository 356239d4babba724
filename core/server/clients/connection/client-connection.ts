import {
  ErrorCode,
  FrameError,
  OpCode,
  readRequestHeader,
  splitPackets,
  writeConnectResponse,
  writeReply,
  Xid,
  type ConnectResponse,
  type Id,
  type JuteReader,
} from '../../../protocol/index.js';
import { Fifo, type Logger } from '../../../runtime/index.js';
import { CloseCode, type CloseReason, type Connection } from '../../../transport/index.js';
import { identitiesOfAddress } from '../authentication.js';
import { ConnectionOutput, type OutputLimits } from './connection-output.js';
import { ConnectionAccount } from './connection-account.js';
import type { Traffic } from '../../metrics/traffic.js';
import { OwedReplies } from './owed-replies.js';
import type { ReplySlot } from './reply-slot.js';
import { isWriteOperation } from '../write-operation.js';
import type { WriterPool } from './writer-pool.js';

/** What one connection may have waiting here, beyond which it is not read. */
const MAX_HELD_BYTES = 1024 * 1024;

const PONG_BYTES = 20;

/** Nothing may come behind the request that closes the session. */
const SESSION_CLOSED: CloseReason = { code: CloseCode.normal, text: '', isLastWord: true };

const DEAF = 'Client does not read: connection cut';

/** A request as it arrived: its body is not decoded yet. */
export interface Packet {
  readonly xid: number;
  readonly op: number;
  readonly body: JuteReader;
  readonly arrivedAt: number;
}

export interface ConnectionLimits extends OutputLimits {
  readonly maxPacketBytes: number;
  readonly maxOutstandingRequests: number;
}

/** What a connection asks of the service that it belongs to. */
export interface ConnectionHost {
  readonly limits: ConnectionLimits;
  readonly writers: WriterPool;
  readonly logger: Logger;
  /** zxid of the last transaction applied here. */
  readonly lastZxid: bigint;
  /** Every connection with packets that wait has to stop being read: together they hold too much. */
  readonly isCrowded: boolean;
  /** What all connections together have received and sent. */
  readonly traffic: Traffic;
  now(): number;
  /** This much more, or less, waits in this member. */
  held(bytes: number): void;
  /** The first packet has arrived. */
  greet(connection: ClientConnection, packet: JuteReader): void;
  /** Something has arrived on behalf of the session; false if the session is over. */
  heard(connection: ClientConnection): boolean;
  /** There is work for the next turn: packets, or replies that wait. */
  wake(connection: ClientConnection): void;
  /** There is output to be flushed at the end of the turn. */
  flushLater(connection: ClientConnection): void;
  /** Completes a slot whose request is answered from memory; false if it takes another turn. */
  answer(connection: ClientConnection, slot: ReplySlot): boolean;
  /** Called once: the connection takes no further part. */
  gone(connection: ClientConnection): void;
}

/**
 * One client's connection to this member.
 * - greeting: nothing has arrived yet;
 * - establishing: its session is being created or looked up; packets that arrive are kept;
 * - established: it takes requests, and owes their replies in the order in which they came;
 * - ended: what was written is flushed, nothing more is taken; final.
 *
 * Notifications and replies leave through one queue, so that who sees a change has heard of it first. While
 * packets wait — for replies that are owed, for output to drain, for the member — the transport is not read.
 */
export class ClientConnection {
  readonly remoteAddress: string;
  readonly acceptedAt: number;
  sessionId = 0n;
  timeoutMs = 0;
  identities: readonly Id[];
  /** `readOnly` of the answer to the connect request: null if the request had none. */
  answersReadOnly: boolean | null = null;
  /** Kept by the host: whether the connection stands in its list for the next turn, and in that for the flush; when its progress was checked. */
  isAwake = false;
  checkedAt: number;
  isFlushPending = false;

  readonly account: ConnectionAccount;

  readonly #connection: Connection;
  readonly #host: ConnectionHost;
  readonly #output: ConnectionOutput;
  #state: 'greeting' | 'establishing' | 'established' | 'ended' = 'greeting';
  readonly #packets = new Fifo<Packet>();
  readonly #owed = new OwedReplies();
  #toldZxid = 0n;
  #isReading = true;
  #heldBytes = 0;
  /** What comes behind the last request is not looked at. */
  #isLastOwed = false;
  /** The request that is being routed. */
  #taken: Packet | null = null;
  /** Nothing more comes from the client; if it is lost, nothing reaches it either. */
  #hasHeardAll = false;
  #isLost = false;
  #endReason: CloseReason | null = null;

  constructor(connection: Connection, host: ConnectionHost, now: number) {
    this.#connection = connection;
    this.#host = host;
    this.#output = new ConnectionOutput({
      connection,
      writers: host.writers,
      limits: host.limits,
      begun: () => host.flushLater(this),
    });
    this.account = new ConnectionAccount(host);
    this.acceptedAt = now;
    this.checkedAt = now;
    this.remoteAddress = connection.remoteAddress;
    this.identities = identitiesOfAddress(connection.remoteAddress);
  }

  get state(): 'greeting' | 'establishing' | 'established' | 'ended' {
    return this.#state;
  }

  /** Begins to take what arrives. */
  open(): void {
    this.#connection.handle({
      message: (bytes) => this.#receive(bytes),
      drained: () => this.#drained(),
      ended: () => this.#heardAll(),
      closed: () => this.#lost(),
    });
  }

  /** Answers the connect request; what was sent behind it is processed from now on. */
  establish(response: ConnectResponse): void {
    if (this.#state !== 'establishing') return;
    this.#state = 'established';
    this.sessionId = response.sessionId;
    this.timeoutMs = response.timeoutMs;
    writeConnectResponse(this.#output.writer, response);
    this.account.sent();
    if (this.#packets.length > 0) this.#host.wake(this);
  }

  /** Tells the client that its session is over, and ends. */
  refuseAsExpired(): void {
    if (this.#state !== 'establishing') return;
    writeConnectResponse(this.#output.writer, {
      protocolVersion: 0,
      timeoutMs: 0,
      sessionId: 0n,
      password: new Uint8Array(16),
      readOnly: this.answersReadOnly,
    });
    this.end({ code: CloseCode.normal, text: 'session expired' });
  }

  get hasPackets(): boolean {
    return this.#packets.length > 0;
  }

  /** The next request, or null if there is none, or none may be taken now. A write that may not holds up all behind it. */
  takePacket(): Packet | null {
    if (this.#state !== 'established' || this.#isLastOwed) return null;
    const isFull = this.#owed.length >= this.#host.limits.maxOutstandingRequests || this.#output.isFull;
    if (isFull && !this.#isLost) return null;
    if (!this.#owed.mayTakeWrite && isWriteOperation(this.#packets.peek()?.op ?? 0)) return null;
    this.#taken = this.#packets.shift() ?? null;
    return this.#taken;
  }

  /** Requests that have no reply yet. */
  get outstanding(): number {
    return this.#packets.length + this.#owed.length;
  }

  /** Takes note that a reply is owed, behind all that are owed already. */
  owe(slot: ReplySlot): void {
    if (this.#taken !== null) {
      slot.op = this.#taken.op;
      slot.arrivedAt = this.#taken.arrivedAt;
    }
    if (!this.#isLost) this.#owed.push(slot);
    if (slot.isLast) this.#isLastOwed = true;
  }

  /**
   * Writes out the replies that may leave: those at the head that are complete, or can be answered from memory. Only a read
   * waits for room, and only if no write of its session stands behind it: that could be applied before.
   */
  advance(): void {
    const owed = this.#owed;
    let slot = owed.peek();
    while (slot !== undefined && this.#state === 'established') {
      if (!slot.isDone) {
        if (slot.request === null) return;
        if (this.#output.isFull && owed.mayWaitForRoom) return;
        if (!this.#host.answer(this, slot)) return this.#host.wake(this);
      }
      owed.shift();
      this.#reply(slot);
      if (slot.isLast) return this.end(SESSION_CLOSED);
      slot = owed.peek();
    }
  }

  /** A slot was completed from outside: lets go what may go. */
  completed(): void {
    this.advance();
    if (this.#packets.length > 0) this.#host.wake(this);
    else this.#endIfDone();
  }

  /** Pings do not wait for what goes before them: a stalled disk is no reason for a client to leave. */
  answerPings(): void {
    if (this.#state !== 'established') return;
    for (let left = this.#packets.length; left > 0; left--) {
      const packet = this.#packets.shift()!;
      if (isPing(packet)) this.pong();
      else this.#packets.push(packet);
    }
  }

  /** Answers a ping, at once. */
  pong(): void {
    this.#toldZxid = this.#host.lastZxid;
    const header = { xid: Xid.ping, zxid: this.#toldZxid, err: ErrorCode.ok };
    writeReply(this.#output.writer, header, null);
    this.account.replied(OpCode.ping, Xid.ping, this.#toldZxid, 0, PONG_BYTES);
  }

  /** `packet`: the notification, which others may get too: nobody writes to its bytes. */
  notify(zxid: bigint, packet: Uint8Array): void {
    if (this.#state !== 'established') return;
    if (zxid > this.#toldZxid) this.#toldZxid = zxid;
    this.#output.share(packet);
    this.account.sent();
  }

  /** Reads the transport as long as little waits: pings still get through when writes do not. */
  settle(): void {
    if (this.#state === 'ended') return;
    if (this.#packets.length === 0) this.#hold(-this.#heldBytes);
    if (this.#hasHeardAll) return this.#endIfDone();
    const mayRead = !this.#output.isFull && (this.#packets.length === 0 || this.#mayHoldMore());
    if (mayRead === this.#isReading) return;
    this.#isReading = mayRead;
    if (mayRead) this.#connection.resume();
    else this.#connection.pause();
  }

  /** Hands this turn's output to the transport. */
  flush(): void {
    if (this.#output.isOverfull) this.cut(DEAF);
    const wasFull = this.#output.isFull;
    this.#output.flush();
    // The transport may have taken everything at once; then nothing tells that there is room again.
    if (wasFull && !this.#output.isFull && this.#state === 'established') this.#host.wake(this);
    if (this.#endReason !== null) this.#connection.close(this.#endReason);
  }

  /** Flushes what was written, then closes. Replies that are still owed are not sent. */
  end(reason: CloseReason): void {
    if (this.#state === 'ended') return;
    this.#leave();
    this.#endReason = reason;
    this.#host.flushLater(this);
  }

  /**
   * Ends in order because of this member. Packets that were not looked at never will be; so if no write is owed an answer,
   * whatever the client has no answer to had no effect and never will have, and it is told that.
   */
  dismiss(text: string): void {
    this.end({ code: this.#owed.isAnyInDoubt ? CloseCode.goingAway : CloseCode.notTaken, text });
  }

  /** Closes at once, and says so in the log. */
  cut(why: string): void {
    if (this.#state === 'ended') return;
    this.log(why);
    this.abandon();
  }

  /** Closes at once; what was written in this turn is dropped. */
  abandon(): void {
    this.#leave();
    this.#connection.terminate();
  }

  log(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const session =
      this.sessionId === 0n ? undefined : `0x${BigInt.asUintN(64, this.sessionId).toString(16)}`;
    this.#host.logger.warn(message, { remote: this.remoteAddress, session, ...fields });
  }

  /**
   * To be called every third of the session timeout. A client that takes in nothing of what it is owed for a whole timeout is
   * cut off. One that is not read, because it is slow or because this member is, is kept alive: its pings wait unread.
   */
  checkProgress(): void {
    const progress = this.#output.progress();
    if (progress === 'deaf') this.cut(DEAF);
    else if (progress === 'moving' && !this.#isReading && this.#state === 'established')
      this.#host.heard(this);
  }

  #receive(message: Uint8Array): void {
    if (this.#state === 'ended' || this.#isLastOwed) return;
    const packets = this.#split(message);
    if (packets === null) return;
    const now = this.#host.now();
    this.account.received(packets.length);
    if (this.#state === 'established' && !this.#host.heard(this)) {
      return this.end({ code: CloseCode.normal, text: 'session expired' });
    }
    for (const packet of packets) {
      if (this.state === 'ended') return;
      if (this.#state === 'greeting') {
        this.#state = 'establishing';
        this.#host.greet(this, packet);
      } else {
        this.#keep(packet, now);
      }
    }
    if (this.#packets.length > 0) {
      this.#hold(message.length);
      if (this.#state === 'established') this.#host.wake(this);
    }
    this.settle();
  }

  #mayHoldMore(): boolean {
    const { limits, isCrowded } = this.#host;
    const isShort = this.#packets.length < limits.maxOutstandingRequests;
    return isShort && this.#heldBytes < MAX_HELD_BYTES && !isCrowded;
  }

  #hold(bytes: number): void {
    if (bytes === 0) return;
    this.#heldBytes += bytes;
    this.#host.held(bytes);
  }

  #keep(body: JuteReader, arrivedAt: number): void {
    const { xid, op } = readRequestHeader(body);
    const packet = { xid, op, body, arrivedAt };
    if (isPing(packet) && this.#state === 'established') this.pong();
    else this.#packets.push(packet);
  }

  #split(message: Uint8Array): readonly JuteReader[] | null {
    try {
      return splitPackets(message, this.#host.limits.maxPacketBytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const code = error.reason === 'oversize' ? CloseCode.messageTooBig : CloseCode.protocolError;
      this.log('Connection closed: bytes that are no packets', { problem: error.message });
      this.end({ code, text: error.message });
      return null;
    }
  }

  #reply(slot: ReplySlot): void {
    let zxid = 0n;
    if (slot.xid !== Xid.auth) {
      // A reply that had to wait, for one before it or for room, must not lead the client back in time.
      zxid = slot.zxid > this.#toldZxid ? slot.zxid : this.#toldZxid;
      this.#toldZxid = zxid;
    }
    const { writer } = this.#output;
    const before = writer.length;
    writeReply(writer, { xid: slot.xid, zxid, err: slot.error }, slot.reply);
    this.account.replied(slot.op, slot.xid, zxid, slot.arrivedAt, writer.length - before);
    this.#output.written();
  }

  /** The client sends nothing more: it gets what it is owed. */
  #heardAll(): void {
    this.#hasHeardAll = true;
    if (this.#state === 'established') this.#host.wake(this);
    else this.end({ code: CloseCode.normal, text: 'the client has closed' });
  }

  /**
   * The client is gone. The writes that it sent before are carried out all the same: the C client closes its session and,
   * without waiting for an answer, its connection.
   */
  #lost(): void {
    this.#isLost = true;
    this.#hasHeardAll = true;
    this.#owed.clear();
    for (let left = this.#packets.length; left > 0; left--) {
      const packet = this.#packets.shift()!;
      if (isWriteOperation(packet.op)) this.#packets.push(packet);
    }
    if (this.#state !== 'established' || this.#packets.length === 0) this.#leave();
    else this.#host.wake(this);
  }

  #endIfDone(): void {
    if (!this.#hasHeardAll || (this.#packets.length > 0 && !this.#isLastOwed)) return;
    if (this.#isLost) this.#leave();
    else if (this.#owed.length === 0) this.end({ code: CloseCode.normal, text: 'the client has closed' });
  }

  #drained(): void {
    this.#output.drained();
    if (this.#state === 'established') this.#host.wake(this);
  }

  /** Takes no further part; the transport may go on for a while. */
  #leave(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#packets.clear();
    this.#owed.clear();
    this.#hold(-this.#heldBytes);
    this.#host.gone(this);
  }
}

/** Whatever its xid: the reply has that of pings, as in ZooKeeper. */
function isPing(packet: Packet): boolean {
  return packet.op === OpCode.ping;
}
