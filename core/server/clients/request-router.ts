import {
  ErrorCode,
  isClientOp,
  MarshallingError,
  OpCode,
  readRequest,
  stringBytes,
  Xid,
  type AuthRequest,
  type Id,
  type Request,
  type SaslToken,
} from '../../protocol/index.js';
import type { Random } from '../../runtime/index.js';
import { isLocalSession, type RefusalReason } from '../pipeline/index.js';
import type { ReplicatedState } from '../state/index.js';
import { withIdentities, type Authentication } from './authentication.js';
import { REFUSALS, type ClientPipeline } from './client-token.js';
import type { ClientConnection } from './connection/client-connection.js';
import type { Packet } from './connection/inbound.js';
import { ReplySlot } from './connection/reply-slot.js';
import { DigestMd5 } from './sasl-digest-md5.js';

export interface RequestRouterParts {
  readonly authentication: Authentication;
  readonly pipeline: ClientPipeline;
  readonly state: ReplicatedState;
  readonly random: Random;
  readonly listNamesPerTurn: number;
  /** The identities of a connection have changed. */
  readonly identified: (connection: ClientConnection) => void;
}

/** Each identity of a connection may become an entry of every ACL that it sets. */
const MAX_IDENTITIES = 32;
/** And travels with every write to the leader. */
const MAX_IDENTITY_BYTES = 64 * 1024;
const NONCE_BYTES = 30;

/** Sends every request on the way it has to go, behind a slot that keeps its reply's place. */
export class RequestRouter {
  readonly #parts: RequestRouterParts;
  readonly #handshakes = new WeakMap<ClientConnection, DigestMd5 | 'over'>();

  constructor(parts: RequestRouterParts) {
    this.#parts = parts;
  }

  route(connection: ClientConnection, packet: Packet): void {
    if (!isClientOp(packet.op)) return this.#refuse(connection, packet);
    if (connection.session.mustAuthenticate && packet.op !== OpCode.auth && packet.op !== OpCode.sasl)
      return this.#refuseAnonymous(connection, packet);
    if (packet.op === OpCode.ping) return connection.pong();
    const request = this.#decode(connection, packet);
    if (request === null) return;
    if (packet.isWrite) this.#write(connection, packet.xid, request);
    else if (request.op === OpCode.auth) this.#authenticate(connection, packet.xid, request.body);
    else if (request.op === OpCode.sasl) this.#sasl(connection, packet.xid, request.body);
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
    const slot = new ReplySlot(connection, xid, request, true);
    const { state, listNamesPerTurn } = this.#parts;
    slot.isLong =
      request.op === OpCode.multiRead ||
      request.op === OpCode.getChildrenPage ||
      state.machine.isLongList(request, slot.sessionId, listNamesPerTurn);
    connection.owe(slot);
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
    if (added === null || !hasRoomFor(connection, added)) {
      connection.log('Connection closed: authentication failed', { scheme: request.scheme });
      slot.isLast = true;
      return this.#answer(connection, slot, ErrorCode.authFailed);
    }
    this.#identify(connection, added);
    this.#answer(connection, slot, ErrorCode.ok);
  }

  /** A handshake of SASL takes two steps. It is answered without a session's rights, and never waits for other members. */
  #sasl(connection: ClientConnection, xid: number, { token }: SaslToken): void {
    const { authentication, random } = this.#parts;
    const passwords = authentication.saslPasswords;
    const begun = this.#handshakes.get(connection);
    if (passwords === null || token === null || begun === 'over')
      return this.#refuseSasl(connection, xid, passwords === null ? 'SASL is off' : 'a token out of turn');
    if (begun === undefined) {
      const handshake = new DigestMd5(Buffer.from(random.bytes(NONCE_BYTES)).toString('base64'));
      this.#handshakes.set(connection, handshake);
      return this.#answerSasl(connection, xid, ErrorCode.ok, handshake.challenge);
    }
    this.#handshakes.set(connection, 'over');
    const success = begun.verify(token, (user) => passwords.get(user) ?? null);
    const added = success === null ? [] : authentication.withRights([{ scheme: 'sasl', id: success.user }]);
    if (success === null || !hasRoomFor(connection, added))
      return this.#refuseSasl(connection, xid, 'the answer proves no user');
    this.#identify(connection, added);
    this.#answerSasl(connection, xid, ErrorCode.ok, success.token);
  }

  #refuseSasl(connection: ClientConnection, xid: number, problem: string): void {
    connection.log('Connection closed: SASL authentication failed', { problem });
    const { isRequired } = this.#parts.authentication;
    const error = isRequired ? ErrorCode.sessionClosedRequireSaslAuth : ErrorCode.authFailed;
    this.#answerSasl(connection, xid, error, null);
  }

  #answerSasl(connection: ClientConnection, xid: number, error: ErrorCode, token: Uint8Array | null): void {
    const slot = new ReplySlot(connection, xid);
    slot.isLast = error !== ErrorCode.ok;
    slot.hasNoZxid = true;
    slot.complete(error, { op: OpCode.sasl, body: { token } }, 0n);
    connection.owe(slot);
    connection.advance();
  }

  #identify(connection: ClientConnection, added: readonly Id[]): void {
    const { session } = connection;
    session.identities = withIdentities(session.identities, added);
    if (session.mustAuthenticate)
      session.mustAuthenticate = !this.#parts.authentication.isAccepted(session.identities);
    this.#parts.identified(connection);
  }

  /** As ZooKeeper does: an error of its own, and the end of the connection. A session that was made for nobody ends with it. */
  #refuseAnonymous(connection: ClientConnection, { xid, op }: Packet): void {
    const { pipeline } = this.#parts;
    connection.log('Connection closed: no accepted identity', { op });
    const slot = new ReplySlot(connection, xid);
    if (connection.session.isNew && !pipeline.isReadOnly) {
      const { sessionId, identities } = slot;
      const request = { op: OpCode.closeSession, body: {} } as const;
      pipeline.submit({ sessionId, cxid: xid, identities, request }, new ReplySlot(connection, xid));
    }
    slot.isLast = true;
    slot.hasNoZxid = true;
    this.#answer(connection, slot, ErrorCode.sessionClosedRequireSaslAuth);
  }

  /** Owes a reply that is complete already. */
  #answer(connection: ClientConnection, slot: ReplySlot, error: ErrorCode): void {
    slot.complete(error, null, slot.xid === Xid.auth ? 0n : this.#parts.state.machine.lastZxid);
    connection.owe(slot);
    connection.advance();
  }
}

/** Each write carries the identities of its connection to the leader, and each ACL with `auth` stores them. */
function hasRoomFor({ session }: ClientConnection, added: readonly Id[]): boolean {
  const all = withIdentities(session.identities, added);
  let bytes = 0;
  for (const { scheme, id } of all) bytes += stringBytes(scheme) + stringBytes(id);
  return session.identities.length < MAX_IDENTITIES && bytes <= MAX_IDENTITY_BYTES;
}
