import type { StateMachine } from '../../data/index.js';
import {
  ErrorCode,
  MarshallingError,
  readConnectRequest,
  type ConnectRequest,
  type JuteReader,
} from '../../protocol/index.js';
import type { Clock } from '../../runtime/index.js';
import { CloseCode } from '../../transport/index.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { WritePath } from '../pipeline/write-path.js';
import type { ServerOptions } from '../configuration/server-options.js';
import type { SessionService } from './session-service.js';

/** A member that has just begun, or has just lost its leader, keeps who connects waiting for so many ticks. */
const PATIENCE_TICKS = 2;

export interface HandshakeParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly sessions: SessionService;
  /** The way of a write; null while clients are not served. */
  readonly path: () => WritePath | null;
  readonly machine: () => StateMachine;
}

interface Waiting {
  readonly connection: ClientConnection;
  readonly request: ConnectRequest;
  readonly since: number;
}

/**
 * Decides what becomes of a connect request: a new session, an old one taken up again, or neither. What can be decided
 * in a moment is waited for, since a client that is sent away comes back later than that; what cannot is refused, so that
 * the client finds a better member.
 */
export class Handshake {
  readonly #parts: HandshakeParts;
  #waiting: Waiting[] = [];
  /** Without a leader, requests wait until then. */
  #patientUntil: number;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
    this.#patientUntil = this.#laterByTicks(PATIENCE_TICKS);
  }

  /** Whether it makes sense to connect here now. */
  get isOpen(): boolean {
    return this.#parts.path() !== null || this.#parts.clock.now() < this.#patientUntil;
  }

  /** The member has lost its leader. */
  suspend(): void {
    this.#patientUntil = this.#laterByTicks(PATIENCE_TICKS);
  }

  /** Looks at those who wait; to be called at the end of a turn, and once in a while. */
  proceed(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) if (one.connection.state === 'establishing') this.#decide(one);
  }

  greet(connection: ClientConnection, packet: JuteReader): void {
    const request = decode(packet);
    if (request === null) {
      connection.log('Connection closed: its first packet is no connect request');
      return connection.end({ code: CloseCode.protocolError, text: 'a connect request was expected' });
    }
    this.#decide({ connection, request, since: this.#parts.clock.now() });
  }

  /** A createSession was applied: its client, if it is still there, is answered. */
  created(connection: ClientConnection, sessionId: bigint, timeoutMs: number, error: ErrorCode): void {
    if (connection.state !== 'establishing') return;
    if (error !== ErrorCode.ok) {
      return connection.end({ code: CloseCode.internalError, text: 'the session could not be created' });
    }
    this.#establish(connection, sessionId, timeoutMs);
  }

  #decide(one: Waiting): void {
    const { connection, request } = one;
    const path = this.#parts.path();
    if (path === null) {
      return this.#waitOr(one, this.#patientUntil, 'this member does not serve now');
    }
    connection.answersReadOnly = request.readOnly === null ? null : path.isReadOnly;
    if (path.isReadOnly && !this.#mayOnlyRead(request)) {
      return connection.end({ code: CloseCode.goingAway, text: 'this member does not serve now' });
    }
    // Whoever has seen more than this member has applied must not be taken back in time; another member may do.
    if (request.lastZxidSeen > this.#parts.machine().lastZxid) {
      return this.#waitOr(one, one.since + this.#parts.options.tickMs, 'this member is behind the client');
    }
    if (request.sessionId === 0n) this.#create(path, connection, request);
    else this.#resume(path, connection, request);
  }

  /** Without a leader it cannot be told whether a session that is not known here is over, or new. */
  #mayOnlyRead({ readOnly, sessionId }: ConnectRequest): boolean {
    const { sessions, machine } = this.#parts;
    if (readOnly !== true) return false;
    return sessionId === 0n || sessions.isLocal(sessionId) || machine().sessions.has(sessionId);
  }

  #waitOr(one: Waiting, until: number, text: string): void {
    if (this.#parts.clock.now() < until) this.#waiting.push(one);
    else one.connection.end({ code: CloseCode.goingAway, text });
  }

  #laterByTicks(ticks: number): number {
    return this.#parts.clock.now() + ticks * this.#parts.options.tickMs;
  }

  #create(path: WritePath, connection: ClientConnection, request: ConnectRequest): void {
    if (path.isOverfull) {
      connection.log('Connection closed: too much is under way to create a session');
      return connection.end({ code: CloseCode.goingAway, text: 'this member is too busy' });
    }
    const { identities } = connection;
    path.createSession(this.#negotiate(request.timeoutMs), {
      sessionId: 0n,
      cxid: 0,
      identities,
      connection,
      slot: null,
    });
  }

  /** The password is looked at first: who only knows the id of a session must not be able to disturb it. */
  #resume(path: WritePath, connection: ClientConnection, request: ConnectRequest): void {
    const { sessions } = this.#parts;
    const { sessionId } = request;
    if (!sessions.isPassword(sessionId, request.password)) {
      connection.log('Connection refused: wrong session password');
      return connection.refuseAsExpired();
    }
    this.#endOther(sessionId, connection);
    path.revalidate(sessionId, (agreedMs) => {
      if (connection.state !== 'establishing') return;
      if (agreedMs === null) return connection.refuseAsExpired();
      // Never longer than what the log says: after a change of leader that is all that the new one knows.
      this.#establish(connection, sessionId, Math.min(agreedMs, this.#negotiate(request.timeoutMs)));
    });
  }

  #establish(connection: ClientConnection, sessionId: bigint, timeoutMs: number): void {
    const { sessions } = this.#parts;
    this.#endOther(sessionId, connection);
    sessions.attach(sessionId, connection);
    connection.establish({
      protocolVersion: 0,
      timeoutMs,
      sessionId,
      password: sessions.passwordOf(sessionId),
      readOnly: connection.answersReadOnly,
    });
  }

  /** A session has one connection. */
  #endOther(sessionId: bigint, connection: ClientConnection): void {
    const other = this.#parts.sessions.connections.get(sessionId);
    if (other !== undefined && other !== connection) {
      other.end({ code: CloseCode.normal, text: 'the session moved' });
    }
  }

  #negotiate(requestedMs: number): number {
    const { minSessionMs, maxSessionMs } = this.#parts.options;
    return Math.min(Math.max(requestedMs, minSessionMs), maxSessionMs);
  }
}

function decode(packet: JuteReader): ConnectRequest | null {
  try {
    return readConnectRequest(packet);
  } catch (error) {
    if (error instanceof MarshallingError) return null;
    throw error;
  }
}
