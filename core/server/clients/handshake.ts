import {
  ASKS_FOR_LIMIT,
  ErrorCode,
  MarshallingError,
  ServerFeature,
  readConnectRequest,
  type ConnectRequest,
  type JuteReader,
} from '../../protocol/index.js';
import type { Clock, Random } from '../../runtime/index.js';
import { CloseCode } from '../../transport/index.js';
import type { ServerOptions } from '../configuration/index.js';
import { isLocalSession, newLocalSessionId } from '../pipeline/index.js';
import type { ReplicatedState } from '../state/index.js';
import type { AttachedSessions } from './attached-sessions.js';
import { REFUSALS, SessionRequest, type ClientPipeline } from './client-token.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { SessionPasswords } from './session-passwords.js';

/** A member that has just begun, or has just lost its leader, keeps who connects waiting for so many ticks. */
const PATIENCE_TICKS = 2;

/** Nobody has agreed on the timeout of a session that only this member knows. */
const ANY_TIMEOUT_MS = 0x7fffffff;

export interface HandshakeParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly sessions: AttachedSessions;
  readonly passwords: SessionPasswords;
  readonly pipeline: ClientPipeline;
  readonly state: ReplicatedState;
}

/**
 * Decides what becomes of a connect request: a new session, an old one taken up again, or neither. What can be decided
 * in a moment is waited for, since a client that is sent away comes back later than that; what cannot is refused, so that
 * the client finds a better member.
 */
export class Handshake {
  readonly #parts: HandshakeParts;
  #waiting: SessionRequest[] = [];
  /** Without a leader, requests wait until then. */
  #patientUntil: number;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
    this.#patientUntil = this.#laterByTicks(PATIENCE_TICKS);
  }

  /** Whether it makes sense to connect here now. */
  get isOpen(): boolean {
    return !this.#parts.pipeline.isIdle || this.#parts.clock.now() < this.#patientUntil;
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
    this.#decide(new SessionRequest(connection, request, this.#parts.clock.now()));
  }

  /** A createSession was applied: its client, if it is still there, is answered. */
  created({ connection }: SessionRequest, sessionId: bigint, error: ErrorCode): void {
    if (connection.state !== 'establishing') return;
    if (error !== ErrorCode.ok) {
      return connection.end({ code: CloseCode.internalError, text: 'the session could not be created' });
    }
    connection.session.isNew = true;
    this.#establish(connection, sessionId, this.#parts.state.machine.sessions.get(sessionId) ?? 0);
  }

  /** The session that the client asks for may go on here; null if it is over. */
  resumed({ connection, request }: SessionRequest, agreedMs: number | null): void {
    if (connection.state !== 'establishing') return;
    if (agreedMs === null) return connection.refuseAsExpired();
    // Never longer than what the log says: after a change of leader that is all that the new one knows.
    const timeoutMs = Math.min(agreedMs, this.#negotiate(request.timeoutMs));
    this.#establish(connection, request.sessionId, timeoutMs);
  }

  #decide(one: SessionRequest): void {
    const { connection, request } = one;
    const { pipeline, state, options } = this.#parts;
    if (pipeline.isIdle) {
      return this.#waitOr(one, this.#patientUntil, 'this member does not serve now');
    }
    connection.session.answersReadOnly = request.readOnly === null ? null : pipeline.isReadOnly;
    connection.session.asksForLimit = request.protocolVersion === ASKS_FOR_LIMIT;
    if (pipeline.isReadOnly && !this.#mayOnlyRead(request)) {
      return connection.end({ code: CloseCode.goingAway, text: 'this member does not serve now' });
    }
    // Whoever has seen more than this member has applied must not be taken back in time; another member may do.
    if (request.lastZxidSeen > state.machine.lastZxid) {
      return this.#waitOr(
        one,
        one.since + options.tickMs,
        'this member is behind the client',
        CloseCode.behind,
      );
    }
    if (request.sessionId === 0n) this.#create(one);
    else this.#resume(one);
  }

  /** Without a leader it cannot be told whether a session that is not known here is over, or new. */
  #mayOnlyRead({ readOnly, sessionId }: ConnectRequest): boolean {
    if (readOnly !== true) return false;
    return sessionId === 0n || this.#localTimeout(sessionId) !== null;
  }

  /** The timeout of a session as far as a member without a leader knows; null if it does not know the session. */
  #localTimeout(sessionId: bigint): number | null {
    if (isLocalSession(sessionId)) return ANY_TIMEOUT_MS;
    return this.#parts.state.machine.sessions.get(sessionId) ?? null;
  }

  #waitOr(one: SessionRequest, until: number, text: string, code: number = CloseCode.goingAway): void {
    if (this.#parts.clock.now() < until) this.#waiting.push(one);
    else one.connection.end({ code, text });
  }

  #laterByTicks(ticks: number): number {
    return this.#parts.clock.now() + ticks * this.#parts.options.tickMs;
  }

  /** While only reads are served the session is known to this member alone, and over for whoever leads next. */
  #create(one: SessionRequest): void {
    const { pipeline, random, options } = this.#parts;
    const { connection, request } = one;
    const timeoutMs = this.#negotiate(request.timeoutMs);
    if (pipeline.isReadOnly) {
      return this.#establish(connection, newLocalSessionId(random, options.id), timeoutMs);
    }
    if (pipeline.isOverfull) {
      connection.log('Connection closed: too much is under way to create a session');
      return connection.end({ code: CloseCode.goingAway, text: 'this member is too busy' });
    }
    const refusal = pipeline.openSession(timeoutMs, connection.session.identities, one);
    if (refusal === 'fault') connection.cut('Connection closed: its session could not be created');
    else if (refusal !== null) connection.cut(REFUSALS[refusal]);
  }

  /** The password is looked at first: who only knows the id of a session must not be able to disturb it. */
  #resume(one: SessionRequest): void {
    const { passwords, pipeline } = this.#parts;
    const { connection, request } = one;
    const { sessionId } = request;
    if (!passwords.isPassword(sessionId, request.password)) {
      connection.log('Connection refused: wrong session password');
      return connection.refuseAsExpired();
    }
    this.#endOther(sessionId, connection);
    if (pipeline.isReadOnly) this.resumed(one, this.#localTimeout(sessionId));
    else pipeline.resumeSession(sessionId, one);
  }

  #establish(connection: ClientConnection, sessionId: bigint, timeoutMs: number): void {
    const { sessions, passwords, state } = this.#parts;
    this.#endOther(sessionId, connection);
    sessions.attach(sessionId, connection);
    connection.establish({
      protocolVersion: connection.session.asksForLimit ? this.#parts.options.maxPacketBytes : 0,
      timeoutMs,
      sessionId,
      password: passwords.passwordOf(sessionId),
      readOnly: connection.session.answersReadOnly,
      ...(connection.session.asksForLimit && {
        ensembleId: state.identity?.id ?? null,
        features: ServerFeature.childrenPages,
      }),
    });
  }

  /** A session has one connection. */
  #endOther(sessionId: bigint, connection: ClientConnection): void {
    const other = this.#parts.sessions.connectionOf(sessionId);
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
