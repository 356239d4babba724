import type { StateMachine } from '../../data/index.js';
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
import { withIdentities, type Authentication } from './authentication.js';
import type { ClientConnection, Packet } from './connection/client-connection.js';
import { ReplySlot } from './connection/reply-slot.js';
import type { SyncService } from './sync-service.js';
import { isWriteOperation } from './write-operation.js';
import type { WritePath } from '../pipeline/write-path.js';

export interface RequestRouterParts {
  readonly authentication: Authentication;
  /** The way of a write; null while clients are not served. */
  readonly path: () => WritePath | null;
  readonly syncs: SyncService;
  readonly machine: () => StateMachine;
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
    else if (request.op === OpCode.sync) this.#sync(connection, packet.xid, request.body.path);
    else this.#local(connection, packet.xid, request);
  }

  /** What a client may not ask for is answered in its turn, and then the connection ends, as in ZooKeeper. */
  #refuse(connection: ClientConnection, packet: Packet): void {
    connection.log('Connection closed: unknown operation', { op: packet.op });
    const slot = new ReplySlot(packet.xid, null);
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
      this.#answer(connection, new ReplySlot(packet.xid, null), ErrorCode.marshallingError);
      return null;
    }
  }

  #local(connection: ClientConnection, xid: number, request: Request): void {
    connection.owe(new ReplySlot(xid, request, connection.sessionId, connection.identities));
    connection.advance();
  }

  #write(connection: ClientConnection, xid: number, request: Request): void {
    const path = this.#parts.path();
    if (path === null) return connection.cut('Connection closed: this member does not serve now');
    const { sessionId, identities } = connection;
    const slot = new ReplySlot(xid, null);
    slot.isLast = request.op === OpCode.closeSession;
    slot.isWrite = true;
    slot.mayTakeEffect = true;
    connection.owe(slot);
    path.write(request, { sessionId, cxid: xid, identities, connection, slot });
  }

  #sync(connection: ClientConnection, xid: number, path: string): void {
    const way = this.#parts.path();
    if (way === null) return connection.cut('Connection closed: this member does not serve now');
    const slot = new ReplySlot(xid, null);
    if (way.isReadOnly) return this.#answer(connection, slot, ErrorCode.notReadOnly);
    connection.owe(slot);
    this.#parts.syncs.ask(way, { connection, slot, path });
  }

  /** Counts at once for what comes behind it; answered in its turn all the same, because kazoo takes replies by their order. */
  #authenticate(connection: ClientConnection, xid: number, request: AuthRequest): void {
    const slot = new ReplySlot(xid, null);
    const added = this.#parts.authentication.identities(request);
    if (added === null || connection.identities.length >= MAX_IDENTITIES) {
      connection.log('Connection closed: authentication failed', { scheme: request.scheme });
      slot.isLast = true;
      return this.#answer(connection, slot, ErrorCode.authFailed);
    }
    connection.identities = withIdentities(connection.identities, added);
    this.#answer(connection, slot, ErrorCode.ok);
  }

  /** Owes a reply that is complete already. */
  #answer(connection: ClientConnection, slot: ReplySlot, error: ErrorCode): void {
    slot.complete(error, null, slot.xid === Xid.auth ? 0n : this.#parts.machine().lastZxid);
    connection.owe(slot);
    connection.advance();
  }
}
