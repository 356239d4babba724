import {
  ErrorCode,
  isClientOp,
  MarshallingError,
  OpCode,
  readRequest,
  Xid,
  type AuthRequest,
  type Request,
} from '../../protocol/index.js';
import { isLocalSession, type RefusalReason } from '../pipeline/index.js';
import type { ReplicatedState } from '../state/index.js';
import { withIdentities, type Authentication } from './authentication.js';
import { REFUSALS, type ClientPipeline } from './client-token.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { Packet } from './connection/inbound.js';
import { ReplySlot } from './connection/reply-slot.js';
import { isWriteOperation } from './write-operation.js';

export interface RequestRouterParts {
  readonly authentication: Authentication;
  readonly pipeline: ClientPipeline;
  readonly state: ReplicatedState;
}

/** Each identity of a connection may become an entry of every ACL that it sets. */
const MAX_IDENTITIES = 32;

/** Sends every request on the way it has to go, behind a slot that keeps its reply's place. */
export class RequestRouter {
  readonly #parts: RequestRouterParts;

  constructor(parts: RequestRouterParts) {
    this.#parts = parts;
  }

  route(connection: ClientConnection, packet: Packet): void {
    if (!isClientOp(packet.op)) return this.#refuse(connection, packet);
    if (packet.op === OpCode.ping) return connection.pong();
    const request = this.#decode(connection, packet);
    if (request === null) return;
    if (isWriteOperation(request.op)) this.#write(connection, packet.xid, request);
    else if (request.op === OpCode.auth) this.#authenticate(connection, packet.xid, request.body);
    else if (request.op === OpCode.sync) this.#sync(connection, packet.xid, request);
    else this.#local(connection, packet.xid, request);
  }

  /** What a client may not ask for is answered in its turn, and then the connection ends, as in ZooKeeper. */
  #refuse(connection: ClientConnection, packet: Packet): void {
    connection.log('Connection closed: unknown operation', { op: packet.op });
    const slot = new ReplySlot(connection, packet.xid);
    slot.isLast = true;
    this.#answer(connection, slot, ErrorCode.unimplemented);
  }

  #decode(connection: ClientConnection, packet: Packet): Request | null {
    try {
      return readRequest(packet.body, packet);
    } catch (error) {
      if (!(error instanceof MarshallingError)) throw error;
      connection.log('Request refused: its body cannot be decoded', {
        op: packet.op,
        problem: error.message,
      });
      this.#answer(connection, new ReplySlot(connection, packet.xid), ErrorCode.marshallingError);
      return null;
    }
  }

  #local(connection: ClientConnection, xid: number, request: Request): void {
    connection.owe(new ReplySlot(connection, xid, request, true));
    connection.advance();
  }

  #write(connection: ClientConnection, xid: number, request: Request): void {
    const { pipeline } = this.#parts;
    const slot = new ReplySlot(connection, xid);
    slot.isLast = request.op === OpCode.closeSession;
    slot.isWrite = true;
    slot.mayTakeEffect = true;
    connection.owe(slot);
    const { sessionId, identities } = slot;
    const refusal = pipeline.submit({ sessionId, cxid: xid, identities, request }, slot);
    if (refusal !== null) this.#refused(slot, refusal);
  }

  /** The pipeline has not taken the write. A session that only this member knows ends without a transaction. */
  #refused(slot: ReplySlot, reason: RefusalReason): void {
    const { connection } = slot;
    if (reason !== 'readOnly') return connection.cut(REFUSALS[reason]);
    const isOwnEnd = slot.isLast && isLocalSession(slot.sessionId);
    const error = isOwnEnd ? ErrorCode.ok : ErrorCode.notReadOnly;
    slot.complete(error, null, this.#parts.state.machine.lastZxid);
    connection.completed();
  }

  #sync(connection: ClientConnection, xid: number, request: Request): void {
    const { pipeline } = this.#parts;
    if (pipeline.isIdle) return connection.cut(REFUSALS.notServing);
    const slot = new ReplySlot(connection, xid, request);
    if (pipeline.isReadOnly) return this.#answer(connection, slot, ErrorCode.notReadOnly);
    connection.owe(slot);
    pipeline.confirm(slot);
  }

  /** Counts at once for what comes behind it; answered in its turn all the same, because kazoo takes replies by their order. */
  #authenticate(connection: ClientConnection, xid: number, request: AuthRequest): void {
    const slot = new ReplySlot(connection, xid);
    const added = this.#parts.authentication.identities(request);
    if (added === null || connection.session.identities.length >= MAX_IDENTITIES) {
      connection.log('Connection closed: authentication failed', { scheme: request.scheme });
      slot.isLast = true;
      return this.#answer(connection, slot, ErrorCode.authFailed);
    }
    connection.session.identities = withIdentities(connection.session.identities, added);
    this.#answer(connection, slot, ErrorCode.ok);
  }

  /** Owes a reply that is complete already. */
  #answer(connection: ClientConnection, slot: ReplySlot, error: ErrorCode): void {
    slot.complete(error, null, slot.xid === Xid.auth ? 0n : this.#parts.state.machine.lastZxid);
    connection.owe(slot);
    connection.advance();
  }
}
