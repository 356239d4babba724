import type { StateMachine, WriteRequest } from '../../data/index.js';
import { ErrorCode, OpCode } from '../../protocol/index.js';
import type { Random } from '../../runtime/index.js';
import type { ClientConnection } from '../clients/connection/client-connection.js';
import type { SessionService } from '../clients/session-service.js';
import type { Origin, WritePath } from './write-path.js';

export interface ReadOnlyPathParts {
  readonly machine: () => StateMachine;
  readonly sessions: SessionService;
  readonly random: Random;
  /** A session has been made that only this member knows of. */
  readonly sessionMade: (connection: ClientConnection, sessionId: bigint, timeoutMs: number) => void;
}

/** Whoever resumes a session that only this member knows of has agreed on its timeout with nobody else. */
const ANY_TIMEOUT_MS = 0x7fffffff;

/**
 * The way of what clients ask for while there is no leader with a quorum: nothing is written. Clients that ask for a member
 * that only reads get what was committed before. Sessions that they bring along are believed as long as they are in the
 * state, since only a leader can end them; new ones are known to nobody else, and over for whoever leads next.
 */
export class ReadOnlyPath implements WritePath {
  readonly isReadOnly = true;
  readonly isFull = false;
  readonly isOverfull = false;
  readonly length = 0;
  readonly bytes = 0;
  readonly openQuestions = 0;
  readonly #parts: ReadOnlyPathParts;

  constructor(parts: ReadOnlyPathParts) {
    this.#parts = parts;
  }

  createSession(timeoutMs: number, { connection }: Origin): void {
    const { sessions, random, sessionMade } = this.#parts;
    if (connection !== null) sessionMade(connection, sessions.newLocalId(random), timeoutMs);
  }

  write(request: WriteRequest, { sessionId, slot, connection }: Origin): void {
    const { machine, sessions } = this.#parts;
    const isOwnEnd = request.op === OpCode.closeSession && sessions.isLocal(sessionId);
    slot?.complete(isOwnEnd ? ErrorCode.ok : ErrorCode.notReadOnly, null, machine().lastZxid);
    connection?.completed();
  }

  revalidate(sessionId: bigint, answer: (timeoutMs: number | null) => void): void {
    const { machine, sessions } = this.#parts;
    answer(sessions.isLocal(sessionId) ? ANY_TIMEOUT_MS : (machine().sessions.get(sessionId) ?? null));
  }

  readIndex(answer: (zxid: bigint) => void): void {
    answer(this.#parts.machine().lastZxid);
  }

  touch(): boolean {
    return true;
  }

  take(): undefined {
    return undefined;
  }

  applied(): void {}

  flush(): void {}

  handedOver(): void {}
}
