import type { StateMachine } from '../data/index.js';
import { ErrorCode, OpCode } from '../protocol/index.js';
import type { Clock, Logger, Timer } from '../runtime/index.js';
import type { Storage } from '../storage/index.js';
import type { Peer, PeerStatus, Ready } from '../zab/index.js';
import type { ClientConnection } from './client-connection.js';
import type { ClientService } from './client-service.js';
import type { CommittedEntries } from './committed-entries.js';
import type { EpochHistory } from './epoch-history.js';
import type { Reaper } from './reaper.js';
import type { ReplySlot } from './reply-slot.js';
import type { ServerOptions } from './server-options.js';
import type { SessionService } from './session-service.js';
import type { Snapshotter } from './snapshotter.js';
import type { WritePipeline } from './write-pipeline.js';

/** Most sessions whose end is proposed in one tick. */
const EXPIRED_PER_TICK = 2_000;

export interface MemberLoopParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly storage: Storage;
  readonly peer: Peer;
  readonly machine: StateMachine;
  readonly epochs: EpochHistory;
  readonly sessions: SessionService;
  readonly pipeline: WritePipeline;
  readonly clients: ClientService;
  readonly committed: CommittedEntries;
  readonly snapshotter: Snapshotter;
  readonly reaper: Reaper;
  /** Something broke that this member must not survive. */
  readonly failed: (error: unknown) => void;
  /** Client service has begun, or ended. */
  readonly servingChanged: (isServing: boolean) => void;
}

interface PendingSync {
  readonly connection: ClientConnection;
  readonly slot: ReplySlot;
  readonly path: string;
  /** What has to be applied first; null while the leader is being asked. */
  zxid: bigint | null;
}

/**
 * The loop of a member. What has gathered since the last turn is worked off as one batch: packets are taken,
 * writes are prepared and proposed, one batch goes to the disk, what is committed is applied, and every client
 * gets one message with all that became ready for it. A turn never waits; what the disk has made durable
 * comes back as an input of a later turn.
 */
export class MemberLoop {
  readonly #parts: MemberLoopParts;
  readonly #syncs = new Map<number, PendingSync>();
  #nextSync = 1;
  #isScheduled = false;
  #isTurning = false;
  #peerHasNews = true;
  #isRunning = false;
  #timer: Timer | null = null;
  #lastTickAt = 0;

  constructor(parts: MemberLoopParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#isRunning = true;
    this.#lastTickAt = this.#parts.clock.now();
    this.#tick();
  }

  /** No turn runs any more. Idempotent. */
  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** There is something to do for the clients. What a turn itself brings about is seen to at its end. */
  readonly wake = (): void => {
    if (this.#isScheduled || this.#isTurning || !this.#isRunning) return;
    this.#isScheduled = true;
    this.#parts.clock.soon(this.#turn);
  };

  /** The peer has been given something, so that it may have something to do. */
  readonly wakePeer = (): void => {
    this.#peerHasNews = true;
    this.wake();
  };

  /** Completes the slot once everything is applied that had been acknowledged to anybody when this was called. */
  sync(connection: ClientConnection, slot: ReplySlot, path: string): void {
    const token = this.#nextSync++;
    if (!this.#parts.peer.readIndex(token)) {
      return connection.cut('Connection closed: this member does not lead any more');
    }
    this.#syncs.set(token, { connection, slot, path, zxid: null });
    this.wakePeer();
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    if (!this.#isRunning) return;
    const { clients, failed } = this.#parts;
    this.#isTurning = true;
    try {
      clients.work();
      this.#runPeer();
      this.#completeSyncs();
      clients.flush();
      this.#snapshotIfDue();
    } catch (error) {
      failed(error);
    }
    this.#isTurning = false;
    if (clients.hasWork || this.#peerHasNews) this.wake();
  };

  /** Takes from the peer until it has nothing to do any more. */
  #runPeer(): void {
    if (!this.#peerHasNews) return;
    this.#peerHasNews = false;
    const { peer } = this.#parts;
    for (let ready = peer.ready(); ready !== null; ready = peer.ready()) this.#carryOut(ready);
  }

  #carryOut(ready: Ready): void {
    const { committed, clients, pipeline } = this.#parts;
    if (ready.persist !== null) this.#persist(ready.persist);
    if (ready.committed.length > 0) committed.apply(ready.committed);
    for (const { token, zxid } of ready.readIndexes) {
      const sync = this.#syncs.get(token);
      if (sync !== undefined) sync.zxid = zxid;
    }
    if (ready.status !== null) this.#statusChanged(ready.status);
    if (!pipeline.isFull) clients.unstall();
  }

  #persist(batch: NonNullable<Ready['persist']>): void {
    const { storage, peer, failed } = this.#parts;
    storage.persist(batch).then(
      () => {
        peer.persisted(batch.number);
        this.wakePeer();
      },
      (error: unknown) => failed(error),
    );
  }

  #statusChanged(status: PeerStatus): void {
    const { pipeline, sessions, machine, clients, clock, logger, servingChanged } = this.#parts;
    logger.info('Role changed', { state: status.state, phase: status.phase, epoch: status.epoch });
    if (status.isEstablishedLeader === pipeline.isOpen) return;
    if (status.isEstablishedLeader) {
      sessions.lead(machine.sessions, clock.now());
      pipeline.open(machine);
    } else {
      pipeline.close();
      this.#syncs.clear();
      clients.cutAll();
    }
    servingChanged(pipeline.isOpen);
  }

  #completeSyncs(): void {
    if (this.#syncs.size === 0) return;
    const { lastZxid } = this.#parts.machine;
    for (const [token, { zxid, slot, connection, path }] of this.#syncs) {
      if (zxid === null || zxid > lastZxid) continue;
      this.#syncs.delete(token);
      slot.complete(ErrorCode.ok, { op: OpCode.sync, body: { path } }, lastZxid);
      if (connection.state === 'established') connection.completed();
    }
  }

  #snapshotIfDue(): void {
    const { snapshotter, machine, epochs } = this.#parts;
    if (snapshotter.isDue) snapshotter.begin(machine, epochs.upTo(machine.lastZxid));
  }

  readonly #tick = (): void => {
    if (!this.#isRunning) return;
    const { clock, options, peer, clients, reaper, failed } = this.#parts;
    const now = clock.now();
    const isLate = now - this.#lastTickAt > 2 * options.tickMs;
    this.#lastTickAt = now;
    try {
      peer.tick(now);
      // After a pause of this process the clients' packets still wait to be read: nobody is expired before that.
      if (!isLate) this.#expireSessions(now);
      reaper.tick(now);
      clients.tick(now);
    } catch (error) {
      return failed(error);
    }
    this.wakePeer();
    this.#timer = clock.setTimer(options.tickMs / 2, this.#tick);
  };

  #expireSessions(now: number): void {
    const { pipeline, sessions, logger } = this.#parts;
    if (!pipeline.isOpen) return;
    for (const sessionId of sessions.expired(now, EXPIRED_PER_TICK)) {
      if (pipeline.isFull) return;
      logger.info('Session expired', { session: `0x${BigInt.asUintN(64, sessionId).toString(16)}` });
      const origin = { sessionId, cxid: 0, identities: [], connection: null, slot: null };
      if (pipeline.propose({ op: OpCode.closeSession, body: {} }, origin)) sessions.setClosing(sessionId);
    }
  }
}
