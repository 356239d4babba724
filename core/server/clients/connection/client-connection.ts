import { FrameError, type ConnectResponse, type Id, type JuteReader } from '../../../protocol/index.js';
import { CloseCode, type CloseReason, type Connection } from '../../../transport/index.js';
import { identitiesOfAddress, withIdentities } from '../authentication.js';
import { ClientSession } from './client-session.js';
import type { ConnectionAccount } from './connection-account.js';
import { Inbound, type Packet } from './inbound.js';
import { Outbound } from './outbound.js';
import { OwedReplies } from './owed-replies.js';
import type { ReplySlot } from './reply-slot.js';
import type { ShareGroup } from './share-group.js';
import type { SharedResources } from './shared-resources.js';

/** Nothing may come behind the request that closes the session. */
const SESSION_CLOSED: CloseReason = { code: CloseCode.normal, text: '', isLastWord: true };

/** Events that follow the reply of a read that takes several turns. */
const MOST_HELD_EVENTS = 100_000;

const DEAF = 'Client does not read: connection cut';

/** What a connection asks of the service that it belongs to. */
export interface ConnectionHost {
  /** The first packet has arrived. */
  greet(connection: ClientConnection, packet: JuteReader): void;
  /** Something has arrived on behalf of the session; false if the session is over. */
  heard(connection: ClientConnection): boolean;
  /** There is work for the next turn: packets, or replies that wait. */
  wake(connection: ClientConnection): void;
  /** There is output to be flushed at the end of the turn. */
  flushLater(connection: ClientConnection): void;
  /** Completes a slot whose request is answered from memory; false if it takes another turn. */
  answer(slot: ReplySlot): boolean;
  /** Called once: the connection takes no further part. */
  gone(connection: ClientConnection): void;
}

/**
 * One client's connection to this member.
 * - greeting: nothing has arrived yet;
 * - establishing: its session is being created or looked up; packets that arrive are kept;
 * - established: its requests are processed, and their replies are owed in the order in which they came;
 * - ended: what was written is flushed, nothing more is taken; final.
 *
 * Requests wait in `Inbound`, replies that are owed in `OwedReplies`, and what is written leaves through `Outbound`. While packets
 * wait — for replies that are owed, for output to drain, for the member — the transport is not read.
 */
export class ClientConnection {
  readonly remoteAddress: string;
  readonly acceptedAt: number;
  readonly session: ClientSession;
  /** Kept by the host: whether the connection stands in its list for the next turn, and in that for the flush; when its progress was checked. */
  isAwake = false;
  isFlushPending = false;
  checkedAt: number;
  /** Kept by the host: whom the connection shares with (`ShareGroup`). */
  group: ShareGroup<ClientConnection>;
  /** Kept by the watch service: what the watches of this connection take. */
  watchBytes = 0;

  readonly #connection: Connection;
  readonly #host: ConnectionHost;
  readonly #shared: SharedResources;
  readonly #inbound: Inbound;
  readonly #owed: OwedReplies;
  readonly #outbound: Outbound;
  #state: 'greeting' | 'establishing' | 'established' | 'ended' = 'greeting';
  /** What comes behind the last request is not looked at. */
  #isLastOwed = false;
  /** They follow the reply at the head (`ReplySlot.holdsEvents`). */
  readonly #heldEvents: { readonly zxid: bigint; readonly packet: Uint8Array }[] = [];
  /** The request that is being routed. */
  #taken: Packet | null = null;
  #takenBytes = 0;
  /** Nothing more comes from the client; if it is lost, nothing reaches it either. */
  #hasHeardAll = false;
  #isLost = false;
  #endReason: CloseReason | null = null;

  /** `identities`: who the client has proved to be already, besides its address. */
  constructor(
    connection: Connection,
    host: ConnectionHost,
    shared: SharedResources,
    identities: readonly Id[] = [],
  ) {
    this.#connection = connection;
    this.group = shared.writeShares.everybody as ShareGroup<ClientConnection>;
    this.#host = host;
    this.#shared = shared;
    this.#inbound = new Inbound(connection, shared);
    this.#owed = new OwedReplies(shared.writeShares, () => this.group);
    this.#outbound = new Outbound(connection, shared, () => host.flushLater(this));
    this.remoteAddress = connection.remoteAddress;
    this.acceptedAt = shared.clock.now();
    this.checkedAt = this.acceptedAt;
    this.session = new ClientSession(withIdentities(identitiesOfAddress(this.remoteAddress), identities));
  }

  get state(): 'greeting' | 'establishing' | 'established' | 'ended' {
    return this.#state;
  }

  get account(): ConnectionAccount {
    return this.#outbound.account;
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
    this.session.id = response.sessionId;
    this.session.timeoutMs = response.timeoutMs;
    this.#outbound.connectResponse(response);
    this.#debug('Client connected', { timeoutMs: response.timeoutMs });
    if (this.session.mustAuthenticate) this.#outbound.identityRequired();
    if (this.#inbound.length > 0) this.#host.wake(this);
  }

  /** Answers the connect request with the news that the session is over, and ends. */
  refuseAsExpired(): void {
    if (this.#state !== 'establishing') return;
    this.#debug('Client refused: its session is over');
    this.#outbound.connectResponse({
      protocolVersion: 0,
      timeoutMs: 0,
      sessionId: 0n,
      password: new Uint8Array(16),
      readOnly: this.session.answersReadOnly,
    });
    this.end({ code: CloseCode.normal, text: 'session expired' });
  }

  get hasPackets(): boolean {
    return this.#inbound.length > 0;
  }

  get isWriteNext(): boolean {
    return this.#inbound.isWriteNext;
  }

  /** The next request, or null if there is none, or none may be taken now. A write that may not holds up all behind it. */
  takePacket(): Packet | null {
    if (this.#state !== 'established' || this.#isLastOwed) return null;
    const { maxOutstandingRequests } = this.#shared.limits;
    const isFull = this.#owed.length >= maxOutstandingRequests || this.#outbound.isFull;
    if (isFull && !this.#isLost) return null;
    if (!this.#owed.mayTakeWrite && this.#inbound.isWriteNext) return null;
    this.#taken = this.#inbound.shift();
    this.#takenBytes = this.#taken?.body.remaining ?? 0;
    return this.#taken;
  }

  /** Requests that have no reply yet. */
  get outstanding(): number {
    return this.#inbound.length + this.#owed.length;
  }

  /** Bytes of requests that were received and are not processed. */
  get heldBytes(): number {
    return this.#inbound.heldBytes;
  }

  /** The next reply takes several turns. */
  get isInLongRead(): boolean {
    const slot = this.#owed.peek();
    return slot !== undefined && slot.isLong && !slot.isDone;
  }

  /** Takes note that a reply is owed, behind all that are owed already. */
  owe(slot: ReplySlot): void {
    if (this.#taken !== null) {
      slot.op = this.#taken.op;
      slot.arrivedAt = this.#taken.arrivedAt;
      slot.bytes = this.#takenBytes;
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
        if (!slot.isLocal) return;
        if (this.#outbound.isFull && owed.mayWaitForRoom) return;
        // It has done its part of this turn.
        if (slot.isUnderWay && this.isAwake) return;
        if (!this.#host.answer(slot)) return this.#host.wake(this);
      }
      owed.shift();
      this.#outbound.reply(slot);
      if (slot.holdsEvents) this.#releaseEvents();
      if (slot.isLast) return this.end(SESSION_CLOSED);
      slot = owed.peek();
    }
  }

  /** A slot was completed from outside: lets go what may go. */
  completed(): void {
    this.advance();
    if (this.#inbound.length > 0) this.#host.wake(this);
    else this.#endIfDone();
  }

  /** Pings do not wait for what goes before them: a stalled disk is no reason for a client to leave. */
  answerPings(): void {
    if (!this.#answersPings) return;
    for (let left = this.#inbound.takePings(); left > 0; left--) this.pong();
  }

  /** Answers a ping, at once. */
  pong(): void {
    this.#outbound.pong(this.#areEventsHeld);
  }

  /** `packet`: the notification, which others may get too: nobody writes to its bytes. */
  notify(zxid: bigint, packet: Uint8Array): void {
    if (this.#state !== 'established') return;
    if (this.#areEventsHeld) return this.#hold(zxid, packet);
    const slot = this.#owed.peek();
    if (slot !== undefined && slot.reading !== null) slot.isOutdated = true;
    this.#outbound.notify(zxid, packet);
  }

  get #areEventsHeld(): boolean {
    return this.#owed.peek()?.holdsEvents === true;
  }

  #hold(zxid: bigint, packet: Uint8Array): void {
    this.#heldEvents.push({ zxid, packet });
    if (this.#heldEvents.length > MOST_HELD_EVENTS)
      this.cut('Connection closed: too many events during a read');
  }

  #releaseEvents(): void {
    for (const { zxid, packet } of this.#heldEvents.splice(0)) this.#outbound.notify(zxid, packet);
  }

  /** Reads the transport as long as little waits: pings still get through when writes do not. */
  settle(): void {
    if (this.#state === 'ended') return;
    this.#inbound.settle();
    if (this.#hasHeardAll) return this.#endIfDone();
    this.#inbound.readIf(!this.#outbound.isFull);
  }

  /** Hands this turn's output to the transport. */
  flush(): void {
    if (this.#outbound.isOverfull) this.cut(DEAF);
    const wasFull = this.#outbound.isFull;
    this.#outbound.flush();
    // The transport may have taken everything at once; then nothing tells that there is room again.
    if (wasFull && !this.#outbound.isFull && this.#state === 'established') this.#host.wake(this);
    if (this.#endReason !== null) this.#connection.close(this.#endReason);
  }

  /** Flushes what was written, then closes. Replies that are still owed are not sent. */
  end(reason: CloseReason): void {
    if (this.#state === 'ended') return;
    this.#leave(reason.text);
    this.#endReason = reason;
    this.#host.flushLater(this);
  }

  /**
   * Ends in order because of this member. Packets that were not looked at never will be; so if no write is owed an answer,
   * whatever the client has no answer to had no effect and never will have, and the close code says so.
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
    this.#shared.logger.warn(message, { ...this.#name, ...fields });
  }

  #debug(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#shared.logger.debug(message, { ...this.#name, ...fields });
  }

  get #name(): { readonly remote: string; readonly session: string | undefined } {
    const { id } = this.session;
    const session = id === 0n ? undefined : `0x${BigInt.asUintN(64, id).toString(16)}`;
    return { remote: this.remoteAddress, session };
  }

  /**
   * To be called every third of the session timeout. A client that takes in nothing of what it is owed for a whole timeout is
   * cut off. One that is not read, because it is slow or because this member is, is kept alive: its pings wait unread.
   */
  checkProgress(): void {
    const progress = this.#outbound.progress();
    if (progress === 'deaf') this.cut(DEAF);
    else if (progress === 'moving' && !this.#inbound.isReading && this.#state === 'established')
      this.#host.heard(this);
  }

  #receive(message: Uint8Array): void {
    if (this.#state === 'ended' || this.#isLastOwed) return;
    const packets = this.#inbound.split(message);
    if (packets instanceof FrameError) return this.#malformed(packets);
    const now = this.#shared.clock.now();
    this.account.received(packets.length);
    if (this.#state === 'established' && !this.#host.heard(this)) {
      return this.end({ code: CloseCode.normal, text: 'session expired' });
    }
    for (const packet of packets) {
      if (this.state === 'ended') return;
      if (this.#state === 'greeting') {
        this.#state = 'establishing';
        this.#host.greet(this, packet);
      } else if (this.#inbound.keep(packet, now, this.#answersPings)) this.pong();
    }
    if (this.#inbound.length > 0) {
      this.#inbound.hold(message.length);
      if (this.#state === 'established') this.#host.wake(this);
    }
    this.settle();
  }

  get #answersPings(): boolean {
    return this.#state === 'established' && !this.session.mustAuthenticate;
  }

  #malformed(error: FrameError): void {
    const code = error.reason === 'oversize' ? CloseCode.messageTooBig : CloseCode.protocolError;
    this.log('Connection closed: malformed frame', { problem: error.message });
    this.end({ code, text: error.message });
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
    this.#inbound.dropReads();
    if (this.#state !== 'established' || this.#inbound.length === 0) this.#leave();
    else this.#host.wake(this);
  }

  #endIfDone(): void {
    if (!this.#hasHeardAll || (this.#inbound.length > 0 && !this.#isLastOwed)) return;
    if (this.#isLost) this.#leave();
    else if (this.#owed.length === 0) this.end({ code: CloseCode.normal, text: 'the client has closed' });
  }

  #drained(): void {
    this.#outbound.drained();
    if (this.#state === 'established') this.#host.wake(this);
  }

  /** Takes no further part; the transport may go on for a while. */
  #leave(because?: string): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#outbound.end();
    this.#inbound.clear();
    this.#owed.clear();
    this.#heldEvents.length = 0;
    this.#debug('Client connection ended', { because });
    this.#host.gone(this);
  }
}
