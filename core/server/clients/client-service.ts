import type { Applied, StateMachine } from '../../data/index.js';
import { ErrorCode, OpCode, type Id, type JuteReader } from '../../protocol/index.js';
import type { Clock, Logger } from '../../runtime/index.js';
import { CloseCode, type Connection } from '../../transport/index.js';
import { withIdentities } from './authentication.js';
import { ClientConnection, type ConnectionHost } from './connection/client-connection.js';
import { CHECKS_PER_TIMEOUT } from './connection/connection-output.js';
import type { Handshake } from './handshake.js';
import { Traffic } from '../metrics/traffic.js';
import type { LocalRequests } from './local-requests.js';
import type { ReplySlot } from './connection/reply-slot.js';
import type { RequestRouter } from './request-router.js';
import type { Proposal, WritePath } from '../pipeline/write-path.js';
import type { ServerOptions } from '../configuration/server-options.js';
import type { SessionService } from './session-service.js';
import type { WatchService } from './watch-service.js';
import { WriterPool } from './connection/writer-pool.js';

/** Requests that one connection gets through in one turn, so that it cannot keep the others waiting. */
const REQUESTS_PER_TURN = 1_000;

/** What all connections together may have waiting here before every one that waits stops being read. */
const CROWDED_BYTES = 64 * 1024 * 1024;

export interface ClientServiceParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly machine: () => StateMachine;
  readonly sessions: SessionService;
  /** The way of a write; null while clients are not served. */
  readonly path: () => WritePath | null;
  readonly watches: WatchService;
  readonly handshake: Handshake;
  readonly local: LocalRequests;
  readonly router: RequestRouter;
  /** The loop has work. */
  readonly wake: () => void;
}

/** All the clients that are connected here: takes them in, works off what they sent, flushes what they get. */
export class ClientService implements ConnectionHost {
  readonly limits: ServerOptions;
  readonly logger: Logger;
  readonly writers = new WriterPool();
  readonly traffic = new Traffic();
  readonly #parts: ClientServiceParts;
  readonly #connections = new Set<ClientConnection>();
  /** Those whose session is not established yet, in order of their coming. */
  readonly #unestablished = new Set<ClientConnection>();
  #awake: ClientConnection[] = [];
  #stalled: ClientConnection[] = [];
  #toFlush: ClientConnection[] = [];
  #isAccepting = true;
  /** Nothing is answered for the time being. */
  #isHeld = false;
  #heldBytes = 0;

  constructor(parts: ClientServiceParts) {
    this.#parts = parts;
    this.limits = parts.options;
    this.logger = parts.logger;
  }

  get connections(): ReadonlySet<ClientConnection> {
    return this.#connections;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  get lastZxid(): bigint {
    return this.#parts.machine().lastZxid;
  }

  /** Those that have a session here. Looks at all of them. */
  get establishedCount(): number {
    let count = 0;
    for (const { state } of this.#connections) if (state === 'established') count += 1;
    return count;
  }

  /** Bytes of packets of all connections that were received and are not processed yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get isCrowded(): boolean {
    return this.#heldBytes > CROWDED_BYTES;
  }

  now(): number {
    return this.#parts.clock.now();
  }

  held(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** `identities`: who the client has proved to be already. */
  accept(transport: Connection, identities: readonly Id[]): void {
    const isFull = this.#connections.size >= this.limits.maxConnections;
    if (isFull || !this.#isAccepting || !this.#parts.handshake.isOpen) {
      const text = isFull ? 'too many connections' : 'this member does not serve now';
      if (isFull) this.logger.warn('Connection refused: limit reached', { remote: transport.remoteAddress });
      transport.handle({ message: () => undefined, closed: () => undefined });
      return transport.close({ code: isFull ? CloseCode.policyViolation : CloseCode.goingAway, text });
    }
    const connection = new ClientConnection(transport, this, this.#parts.clock.now());
    connection.identities = withIdentities(connection.identities, identities);
    this.#connections.add(connection);
    this.#unestablished.add(connection);
    connection.open();
  }

  /** Takes no more connections and no more requests; what is owed is still answered. */
  stopTaking(): void {
    this.#isAccepting = false;
    this.#awake = [];
    this.#stalled = [];
  }

  /** The next turn has something to do for them. */
  get hasWork(): boolean {
    return !this.#isHeld && (this.#awake.length > 0 || this.#toFlush.length > 0);
  }

  /** Answers nothing until `release`: what this member knows may be long out of date. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#parts.wake();
  }

  /** Works off what has arrived, up to a bound for each connection. */
  work(): void {
    if (this.#isHeld) return;
    const connections = this.#awake;
    this.#awake = [];
    for (const connection of connections) {
      connection.isAwake = false;
      this.#workOff(connection);
    }
  }

  /** A transaction was applied: whoever asked for it is answered, and a session that came or went is dealt with. */
  applied(applied: Applied, proposal: Proposal | undefined): void {
    const { op, sessionId } = applied.txn;
    const origin = proposal?.origin;
    if (op === OpCode.createSession) this.#sessionCreated(applied, origin?.connection ?? null);
    if (origin?.slot !== null && origin !== undefined)
      this.#complete(applied, origin.slot, origin.connection!);
    if (op !== OpCode.closeSession) return;
    const connection = this.#parts.sessions.connections.get(sessionId);
    if (connection !== undefined && connection !== origin?.connection) {
      connection.end({ code: CloseCode.normal, text: 'session closed' });
    }
  }

  /** The state has moved on in this turn: sees to those who wait for a session. */
  settle(): void {
    this.#parts.handshake.proceed();
  }

  /** There is room again for writes that had to wait. */
  unstall(): void {
    const connections = this.#stalled;
    if (connections.length === 0) return;
    this.#stalled = [];
    for (const connection of connections) {
      connection.isAwake = false;
      this.wake(connection);
    }
  }

  /** Every connection sends what this turn wrote to it. */
  flush(): void {
    if (this.#isHeld) return;
    const connections = this.#toFlush;
    this.#toFlush = [];
    for (const connection of connections) {
      connection.isFlushPending = false;
      connection.flush();
    }
  }

  /** Ends connections that never say who they are, and those that take nothing in. */
  tick(now: number): void {
    for (const connection of this.#unestablished) {
      if (now - connection.acceptedAt < this.limits.handshakeMs) break;
      this.#unestablished.delete(connection);
      if (connection.state === 'established') continue;
      const isSilent = connection.state === 'greeting';
      connection.cut(
        isSilent ? 'Connection closed: it never spoke' : 'Connection closed: no session in time',
      );
    }
    for (const connection of this.#connections) {
      const timeoutMs = Math.max(connection.timeoutMs, this.limits.minSessionMs);
      if (now - connection.checkedAt < timeoutMs / CHECKS_PER_TIMEOUT) continue;
      connection.checkedAt = now;
      connection.checkProgress();
    }
  }

  /**
   * Ends every connection, behind what was written to it, and tells each client if nothing that is unanswered was taken. Nothing
   * is told after a pause that nobody has confirmed to be harmless.
   */
  dismissAll(text: string): void {
    if (this.#isHeld) return this.cutAll();
    this.#parts.handshake.suspend();
    for (const connection of this.#connections) connection.dismiss(text);
  }

  /** Cuts every connection off, since the member serves no more: nothing that is still owed may be told. */
  cutAll(): void {
    this.#parts.handshake.suspend();
    // Those who have been sent away while nothing was to be answered are not told why.
    if (this.#isHeld) for (const connection of this.#toFlush.splice(0)) connection.abandon();
    this.#isHeld = false;
    for (const connection of this.#connections) connection.abandon();
  }

  greet(connection: ClientConnection, packet: JuteReader): void {
    this.#parts.handshake.greet(connection, packet);
    if (connection.state === 'established') this.#unestablished.delete(connection);
  }

  heard(connection: ClientConnection): boolean {
    return this.#parts.path()?.touch(connection.sessionId) ?? false;
  }

  wake(connection: ClientConnection): void {
    if (connection.isAwake || !this.#isAccepting) return;
    connection.isAwake = true;
    this.#awake.push(connection);
    this.#parts.wake();
  }

  flushLater(connection: ClientConnection): void {
    if (connection.isFlushPending) return;
    connection.isFlushPending = true;
    this.#toFlush.push(connection);
    this.#parts.wake();
  }

  answer(connection: ClientConnection, slot: ReplySlot): boolean {
    try {
      return this.#parts.local.answer(connection, slot);
    } catch (error) {
      this.logger.error('Request failed by a fault of this member', { error, op: slot.request?.op });
      slot.complete(ErrorCode.marshallingError, null, this.lastZxid);
      return true;
    }
  }

  gone(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.#unestablished.delete(connection);
    this.#parts.watches.table.removeAll(connection);
    if (connection.sessionId !== 0n) this.#parts.sessions.detach(connection.sessionId, connection);
  }

  #workOff(connection: ClientConnection): void {
    connection.advance();
    for (let count = 0; count < REQUESTS_PER_TURN; count++) {
      if (this.#parts.path()?.isFull === true && connection.hasPackets) {
        this.#stall(connection);
        break;
      }
      const packet = connection.takePacket();
      if (packet === null) break;
      this.#parts.router.route(connection, packet);
      if (count === REQUESTS_PER_TURN - 1 && connection.hasPackets) this.wake(connection);
    }
    connection.settle();
  }

  #stall(connection: ClientConnection): void {
    connection.answerPings();
    connection.isAwake = true;
    this.#stalled.push(connection);
  }

  #complete(applied: Applied, slot: ReplySlot, connection: ClientConnection): void {
    if (connection.state === 'ended') return;
    const reply = this.#parts.machine().replyTo(applied);
    // A multi that failed has a reply that tells of each operation, under a header that says ok.
    slot.complete(reply === null ? applied.error : ErrorCode.ok, reply, applied.zxid);
    connection.completed();
  }

  #sessionCreated(applied: Applied, connection: ClientConnection | null): void {
    const { sessionId } = applied.txn;
    const { path, machine, handshake } = this.#parts;
    if (connection === null) return;
    if (applied.error === ErrorCode.ok) path()?.touch(sessionId);
    handshake.created(connection, sessionId, machine().sessions.get(sessionId) ?? 0, applied.error);
    this.#unestablished.delete(connection);
  }
}
