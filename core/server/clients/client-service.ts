import { ErrorCode, OpCode, type Id, type JuteReader } from '../../protocol/index.js';
import type { Clock, Logger, Random } from '../../runtime/index.js';
import { CloseCode, type Connection } from '../../transport/index.js';
import type { Accounts, SecretRing, ServerOptions } from '../configuration/index.js';
import { Refusals, Traffic } from '../metrics/index.js';
import type { AppliedEntry, Outcome, TurnScheduler } from '../pipeline/index.js';
import type { ReplicatedState } from '../state/index.js';
import { Admission } from './admission.js';
import { AttachedSessions } from './attached-sessions.js';
import { Authentication } from './authentication.js';
import { REFUSALS, SessionRequest, type ClientPipeline, type ClientToken } from './client-token.js';
import { ClientConnection, type ConnectionHost } from './connection/client-connection.js';
import { CHECKS_PER_TIMEOUT } from './connection/connection-output.js';
import { ReceivedBytes } from './connection/received-bytes.js';
import type { ReplySlot } from './connection/reply-slot.js';
import { ShareGroups } from './connection/share-group.js';
import type { SharedResources } from './connection/shared-resources.js';
import { WaitingOutput } from './connection/waiting-output.js';
import { WriteShares } from './connection/write-shares.js';
import { WriterPool } from './connection/writer-pool.js';
import { Handshake } from './handshake.js';
import { LocalRequests } from './local-requests.js';
import { PendingSyncs } from './pending-syncs.js';
import { RequestRouter } from './request-router.js';
import { SessionPasswords } from './session-passwords.js';
import { WatchService } from './watch-service.js';

export interface ClientServiceParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Known to every member of the ensemble and to nobody else: proves session passwords. */
  readonly secret: SecretRing;
  /** Users that may prove who they are. Default: no list of them, and SASL is off. */
  readonly accounts?: Accounts | undefined;
  readonly state: ReplicatedState;
  readonly pipeline: ClientPipeline;
  readonly turns: TurnScheduler;
}

/** All the clients that are connected here: takes them in, has their requests processed, flushes what they get. */
export class ClientService implements ConnectionHost {
  readonly traffic = new Traffic();
  readonly refusals = new Refusals();
  readonly sessions = new AttachedSessions();
  readonly syncs = new PendingSyncs();
  readonly watches: WatchService;
  readonly #parts: ClientServiceParts;
  readonly #shared: SharedResources;
  readonly #handshake: Handshake;
  readonly #local: LocalRequests;
  readonly #admission: Admission;
  readonly #authentication: Authentication;
  readonly #connections = new Set<ClientConnection>();
  readonly #groups = new ShareGroups<ClientConnection>();
  /** Those whose session is not established yet, in order of their coming. */
  readonly #unestablished = new Set<ClientConnection>();
  #toFlush: ClientConnection[] = [];
  #isAccepting = true;
  /** Nothing is answered for the time being. */
  #isHeld = false;

  constructor(parts: ClientServiceParts) {
    const { options, pipeline, state } = parts;
    this.#parts = parts;
    this.watches = new WatchService(options);
    this.#shared = {
      ...parts,
      limits: options,
      writers: new WriterPool(),
      traffic: this.traffic,
      receivedBytes: new ReceivedBytes(),
      waitingOutput: new WaitingOutput(),
      writeShares: new WriteShares(),
    };
    this.#handshake = new Handshake({
      ...parts,
      sessions: this.sessions,
      passwords: new SessionPasswords(parts.secret, () => parts.state.identity),
    });
    this.#local = new LocalRequests({
      state,
      watches: this.watches,
      limits: options,
      waitingOutput: this.#shared.waitingOutput,
      refusals: this.refusals,
    });
    const authentication = new Authentication(options, parts.accounts);
    this.#authentication = authentication;
    const { random } = parts;
    const { listNamesPerTurn } = options;
    const router = new RequestRouter({
      authentication,
      pipeline,
      state,
      random,
      listNamesPerTurn,
      identified: (connection) => this.#regroup(connection),
    });
    this.#admission = new Admission({ ...parts, router });
  }

  get connections(): ReadonlySet<ClientConnection> {
    return this.#connections;
  }

  /** Those that have a session here. Looks at all of them. */
  get establishedCount(): number {
    let count = 0;
    for (const { state } of this.#connections) if (state === 'established') count += 1;
    return count;
  }

  /** Bytes of packets of all connections that were received and are not processed yet. */
  get heldBytes(): number {
    return this.#shared.receivedBytes.bytes;
  }

  /** Bytes that were written to clients and that they have not taken in. */
  get waitingBytes(): number {
    return this.#shared.waitingOutput.bytes;
  }

  /** `identities`: who the client has proved to be already. */
  accept(transport: Connection, identities: readonly Id[]): void {
    const { options, logger } = this.#parts;
    const isFull = this.#connections.size >= options.maxConnections;
    if (isFull || !this.#isAccepting || !this.#handshake.isOpen) {
      const text = isFull ? 'too many connections' : 'this member does not serve now';
      if (isFull) logger.warn('Connection refused: limit reached', { remote: transport.remoteAddress });
      transport.handle({ message: () => undefined, closed: () => undefined });
      return transport.close({ code: isFull ? CloseCode.policyViolation : CloseCode.goingAway, text });
    }
    const rights = this.#authentication.withRights(identities);
    const connection = new ClientConnection(transport, this, this.#shared, rights);
    const { isRequired } = this.#authentication;
    const { session } = connection;
    session.mustAuthenticate = isRequired && !this.#authentication.isAccepted(session.identities);
    connection.group = this.#groups.join(this.#authentication.shareKey(session.identities));
    this.#connections.add(connection);
    this.#unestablished.add(connection);
    connection.open();
  }

  /** Takes no more connections and no more requests; what is owed is still answered. */
  stopTaking(): void {
    this.#isAccepting = false;
    this.#admission.stop();
  }

  /** The next turn has something to do for them. */
  get hasWork(): boolean {
    return (
      !this.#isHeld && (this.#admission.hasWork || this.#toFlush.length > 0 || this.watches.table.isRemoving)
    );
  }

  /** Answers nothing until a quorum has confirmed the leader: what this member knows may be long out of date. */
  holdUntilConfirmed(): void {
    this.#isHeld = true;
    this.#parts.pipeline.confirm(null);
  }

  /** Has requests processed that have arrived, up to a bound for each connection. */
  work(): void {
    if (!this.#isHeld) this.#admission.work();
  }

  /** An entry was applied: watches fire, whoever asked for it is answered, and the connection of a session that ended is closed. */
  applied({ applied, token }: AppliedEntry<ClientToken>): void {
    this.watches.fire(applied.zxid, applied.changes);
    if (token instanceof SessionRequest) this.#sessionCreated(applied, token);
    else if (token !== null) this.#complete(applied, token);
    const { op, sessionId } = applied.txn;
    if (op !== OpCode.closeSession) return;
    const connection = this.sessions.connectionOf(sessionId);
    if (connection !== undefined && connection !== token?.connection) {
      connection.end({ code: CloseCode.normal, text: 'session closed' });
    }
  }

  /** An outcome of the pipeline that belongs to no entry. */
  settled(outcome: Exclude<Outcome<ClientToken>, { readonly type: 'stateDiffers' }>): void {
    switch (outcome.type) {
      case 'refused':
        return outcome.token.connection.cut(REFUSALS[outcome.reason]);
      case 'resumed':
        if (outcome.token instanceof SessionRequest)
          this.#handshake.resumed(outcome.token, outcome.timeoutMs);
        return;
      case 'confirmed':
        if (outcome.token === null) this.#release();
        else if (!(outcome.token instanceof SessionRequest))
          this.syncs.confirmed(outcome.token, outcome.zxid);
        return;
      case 'moved':
        return this.sessions.connectionOf(outcome.sessionId)?.cut(REFUSALS.moved);
    }
  }

  /** The leader has handed over and never proposes these requests. */
  neverProposed(tokens: readonly ClientToken[]): void {
    for (const token of tokens) if (!(token instanceof SessionRequest)) token.mayTakeEffect = false;
  }

  /** The state has moved on in this turn: answers syncs, and looks at those who wait for a session. */
  proceed(): void {
    this.syncs.applied(this.#parts.state.machine.lastZxid);
    this.#handshake.proceed();
    if (this.watches.removeSome()) this.#parts.turns.wake();
  }

  /** If there is room again for writes that had to wait, they are processed. */
  unstall(): void {
    this.#admission.unstall();
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

  /** Ends connections without a connect request or a session in time, and those that take nothing in. */
  tick(now: number): void {
    const { handshakeMs, minSessionMs } = this.#parts.options;
    for (const connection of this.#unestablished) {
      if (now - connection.acceptedAt < handshakeMs) break;
      this.#unestablished.delete(connection);
      if (connection.state === 'established') continue;
      const isSilent = connection.state === 'greeting';
      connection.cut(
        isSilent ? 'Connection closed: no connect request received' : 'Connection closed: no session in time',
      );
    }
    for (const connection of this.#connections) {
      if (connection.session.mustAuthenticate && now - connection.acceptedAt >= handshakeMs) {
        connection.cut('Connection closed: no accepted identity in time');
        continue;
      }
      const timeoutMs = Math.max(connection.session.timeoutMs, minSessionMs);
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
    this.syncs.clear();
    this.#handshake.suspend();
    for (const connection of this.#connections) connection.dismiss(text);
  }

  /** Cuts every connection off, since the member serves no more: nothing that is still owed may be told. */
  cutAll(): void {
    this.syncs.clear();
    this.#handshake.suspend();
    // Those who have been sent away while nothing was to be answered are not told why.
    if (this.#isHeld) for (const connection of this.#toFlush.splice(0)) connection.abandon();
    this.#isHeld = false;
    for (const connection of this.#connections) connection.abandon();
  }

  greet(connection: ClientConnection, packet: JuteReader): void {
    this.#handshake.greet(connection, packet);
    if (connection.state === 'established') this.#unestablished.delete(connection);
  }

  heard(connection: ClientConnection): boolean {
    return this.#parts.pipeline.touch(connection.session.id);
  }

  wake(connection: ClientConnection): void {
    this.#admission.wake(connection);
  }

  flushLater(connection: ClientConnection): void {
    if (connection.isFlushPending) return;
    connection.isFlushPending = true;
    this.#toFlush.push(connection);
    this.#parts.turns.wake();
  }

  answer(slot: ReplySlot): boolean {
    try {
      return this.#local.answer(slot);
    } catch (error) {
      this.#parts.logger.error('Request failed by a fault of this member', { error, op: slot.request?.op });
      slot.complete(ErrorCode.marshallingError, null, this.#parts.state.machine.lastZxid);
      return true;
    }
  }

  gone(connection: ClientConnection): void {
    const { id } = connection.session;
    this.#groups.leave(connection.group);
    this.#connections.delete(connection);
    this.#unestablished.delete(connection);
    this.watches.table.removeAll(connection);
    if (id !== 0n) this.sessions.detach(id, connection);
  }

  /** The client has proved who it is. */
  #regroup(connection: ClientConnection): void {
    const before = connection.group;
    connection.group = this.#groups.join(this.#authentication.shareKey(connection.session.identities));
    this.#groups.leave(before);
  }

  #release(): void {
    this.#isHeld = false;
    this.#parts.turns.wake();
  }

  #complete(applied: AppliedEntry<ClientToken>['applied'], slot: ReplySlot): void {
    const { connection } = slot;
    if (connection.state === 'ended') return;
    const reply = this.#parts.state.machine.replyTo(applied);
    // A multi that failed has a reply that tells of each operation, under a header that says ok.
    slot.complete(reply === null ? applied.error : ErrorCode.ok, reply, applied.zxid);
    connection.completed();
  }

  #sessionCreated(applied: AppliedEntry<ClientToken>['applied'], request: SessionRequest): void {
    const { sessionId } = applied.txn;
    if (applied.error === ErrorCode.ok) this.#parts.pipeline.touch(sessionId);
    this.#handshake.created(request, sessionId, applied.error);
    this.#unestablished.delete(request.connection);
  }
}
