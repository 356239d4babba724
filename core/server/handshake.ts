import type { StateMachine } from '../data/index.js';
import {
  ErrorCode,
  MarshallingError,
  OpCode,
  readConnectRequest,
  type ConnectRequest,
  type JuteReader,
} from '../protocol/index.js';
import type { Clock } from '../runtime/index.js';
import { CloseCode } from '../transport/index.js';
import type { ClientConnection } from './client-connection.js';
import type { ServerOptions } from './server-options.js';
import type { SessionService } from './session-service.js';
import type { WritePipeline } from './write-pipeline.js';

export interface HandshakeParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly sessions: SessionService;
  readonly pipeline: WritePipeline;
  readonly machine: StateMachine;
}

/** Decides what becomes of a connect request: a new session, an old one taken up again, or neither. */
export class Handshake {
  readonly #parts: HandshakeParts;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
  }

  greet(connection: ClientConnection, packet: JuteReader): void {
    const request = decode(packet);
    if (request === null) {
      connection.log('Connection closed: its first packet is no connect request');
      return connection.end({ code: CloseCode.protocolError, text: 'a connect request was expected' });
    }
    if (!this.#parts.pipeline.isOpen) {
      return connection.end({ code: CloseCode.goingAway, text: 'this member does not serve now' });
    }
    // Whoever has seen more than this member has applied must not be taken back in time; another member may do.
    if (request.lastZxidSeen > this.#parts.machine.lastZxid) {
      return connection.end({ code: CloseCode.goingAway, text: 'this member is behind the client' });
    }
    connection.answersReadOnly = request.readOnly === null ? null : false;
    if (request.sessionId === 0n) this.#create(connection, request);
    else this.#resume(connection, request);
  }

  /** A createSession was applied: its client, if it is still there, is answered. */
  created(connection: ClientConnection, sessionId: bigint, timeoutMs: number, error: ErrorCode): void {
    if (connection.state !== 'establishing') return;
    if (error !== ErrorCode.ok) {
      return connection.end({ code: CloseCode.internalError, text: 'the session could not be created' });
    }
    this.#establish(connection, sessionId, timeoutMs);
  }

  #create(connection: ClientConnection, request: ConnectRequest): void {
    const { sessions, pipeline, clock } = this.#parts;
    if (pipeline.isOverfull) {
      connection.log('Connection closed: too much is under way to create a session');
      return connection.end({ code: CloseCode.goingAway, text: 'this member is too busy' });
    }
    const timeoutMs = this.#negotiate(request.timeoutMs);
    const sessionId = sessions.newId(pipeline.nextZxid());
    sessions.track(sessionId, timeoutMs, clock.now(), connection);
    const isProposed = pipeline.propose(
      { op: OpCode.createSession, body: { timeoutMs } },
      { sessionId, cxid: 0, identities: connection.identities, connection, slot: null },
    );
    if (!isProposed) connection.cut('Connection closed: its session could not be prepared');
  }

  /** The password is looked at first: who only knows the id of a session must not be able to disturb it. */
  #resume(connection: ClientConnection, request: ConnectRequest): void {
    const { sessions, machine, clock } = this.#parts;
    const { sessionId } = request;
    if (!sessions.isPassword(sessionId, request.password)) {
      connection.log('Connection refused: wrong session password');
      return connection.refuseAsExpired();
    }
    sessions.connections.get(sessionId)?.end({ code: CloseCode.normal, text: 'the session moved' });
    const agreedMs = machine.sessions.get(sessionId);
    if (agreedMs === undefined || !sessions.claim(sessionId, connection, clock.now())) {
      return connection.refuseAsExpired();
    }
    // Never longer than what the log says: after a change of leader that is all that the new one knows.
    this.#establish(connection, sessionId, Math.min(agreedMs, this.#negotiate(request.timeoutMs)));
  }

  #establish(connection: ClientConnection, sessionId: bigint, timeoutMs: number): void {
    const { sessions } = this.#parts;
    sessions.attach(sessionId, connection);
    connection.establish({
      protocolVersion: 0,
      timeoutMs,
      sessionId,
      password: sessions.passwordOf(sessionId),
      readOnly: connection.answersReadOnly,
    });
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
