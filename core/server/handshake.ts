import type { StateMachine } from '../data/index.js';
import {
  ErrorCode,
  MarshallingError,
  readConnectRequest,
  type ConnectRequest,
  type JuteReader,
} from '../protocol/index.js';
import { CloseCode } from '../transport/index.js';
import type { ClientConnection } from './client-connection.js';
import type { WritePath } from './requests/write-path.js';
import type { ServerOptions } from './server-options.js';
import type { SessionService } from './session-service.js';

export interface HandshakeParts {
  readonly options: ServerOptions;
  readonly sessions: SessionService;
  /** The way of a write; null while clients are not served. */
  readonly path: () => WritePath | null;
  readonly machine: () => StateMachine;
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
    const path = this.#parts.path();
    if (path === null) {
      return connection.end({ code: CloseCode.goingAway, text: 'this member does not serve now' });
    }
    // Whoever has seen more than this member has applied must not be taken back in time; another member may do.
    if (request.lastZxidSeen > this.#parts.machine().lastZxid) {
      return connection.end({ code: CloseCode.goingAway, text: 'this member is behind the client' });
    }
    connection.answersReadOnly = request.readOnly === null ? null : false;
    if (request.sessionId === 0n) this.#create(path, connection, request);
    else this.#resume(path, connection, request);
  }

  /** A createSession was applied: its client, if it is still there, is answered. */
  created(connection: ClientConnection, sessionId: bigint, timeoutMs: number, error: ErrorCode): void {
    if (connection.state !== 'establishing') return;
    if (error !== ErrorCode.ok) {
      return connection.end({ code: CloseCode.internalError, text: 'the session could not be created' });
    }
    this.#establish(connection, sessionId, timeoutMs);
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
