import type { StateMachine } from '../data/index.js';
import type { Clock, Logger, Timer } from '../runtime/index.js';
import type { Storage } from '../storage/index.js';
import type { LogRead, Peer, PeerMessage, PersistRequest, PeerStatus, Ready } from '../zab/index.js';
import type { ClientService } from './client-service.js';
import type { CommittedEntries } from './committed-entries.js';
import type { MemberGauges, MemberProbe } from './member-probe.js';
import type { PeerLinks } from './peers/peer-links.js';
import type { Reaper } from './reaper.js';
import { MemberMessageError } from './requests/member-message.js';
import type { RequestService } from './requests/request-service.js';
import type { SyncService } from './requests/sync-service.js';
import type { ServerOptions } from './server-options.js';
import type { SnapshotReceiver } from './snapshot-receiver.js';
import type { SnapshotSender } from './snapshot-sender.js';
import type { Snapshotter } from './snapshotter.js';

/** While there is no leader, time is told to the peer this often, so that an election does not wait for a tick. */
const RESTLESS_TICK_MS = 20;
/** Of a snapshot on its way in, so much may wait for the disk; beyond it the links are not read. */
const SNAPSHOT_WAITING_BYTES = 8 * 1024 * 1024;

export interface MemberLoopParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly storage: Storage;
  readonly peer: Peer;
  /** The state that the committed transactions add up to; another one after a snapshot of the leader. */
  readonly machine: () => StateMachine;
  readonly replaceMachine: (machine: StateMachine) => void;
  readonly requests: RequestService;
  readonly syncs: SyncService;
  readonly clients: ClientService;
  readonly committed: CommittedEntries;
  readonly snapshotter: Snapshotter;
  readonly snapshotsOut: SnapshotSender;
  readonly snapshotsIn: SnapshotReceiver;
  readonly reaper: Reaper;
  /** Links to the other members; null for a member that stands alone. */
  readonly links: PeerLinks | null;
  /** Something broke that this member must not survive. */
  readonly failed: (error: unknown) => void;
  readonly statusChanged: (status: PeerStatus) => void;
  readonly probe?: MemberProbe | undefined;
}

/**
 * The loop of a member. What has gathered since the last turn is worked off as one batch: packets are taken,
 * writes are prepared and proposed, one batch goes to the disk, what is committed is applied, and every client
 * and every other member gets one message with all that became ready for it. A turn never waits; what the disk
 * has made durable comes back as an input of a later turn.
 */
export class MemberLoop {
  readonly #parts: MemberLoopParts;
  #isScheduled = false;
  #isTurning = false;
  #peerHasNews = true;
  #isRunning = false;
  #timer: Timer | null = null;
  #lastTickAt = 0;
  /** As it was logged last. */
  #role = '';
  /** The role in which clients are served, null while they are not. */
  #serving: string | null = null;
  #isRestless = true;
  #arePaused = false;

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

  /** The inputs of the links to the other members. */
  readonly connected = (peer: number, link: number): void => {
    this.#input(() => this.#parts.peer.connected(peer, link));
  };

  readonly disconnected = (peer: number, link: number): void => {
    this.#input(() => this.#parts.peer.disconnected(peer, link));
  };

  readonly received = (peer: number, link: number, message: PeerMessage): void => {
    this.#input(() => this.#parts.peer.step(peer, link, message));
  };

  /** Lets the most recent follower lead; false if nobody could now. */
  transferLeadership(): boolean {
    const isUnderWay = this.#parts.peer.transferLeadership();
    this.wakePeer();
    return isUnderWay;
  }

  #input(act: () => void): void {
    if (!this.#isRunning) return;
    try {
      act();
      this.wakePeer();
    } catch (error) {
      this.#parts.failed(error);
    }
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    if (!this.#isRunning) return;
    const { clients, links, syncs, machine, failed, probe } = this.#parts;
    this.#isTurning = true;
    try {
      clients.work();
      this.#runPeer();
      syncs.applied(machine().lastZxid);
      clients.settle();
      clients.flush();
      links?.flush();
      this.#slowDown();
      this.#snapshotIfDue();
      probe?.turned?.(this.#gauges());
    } catch (error) {
      failed(error);
    }
    this.#isTurning = false;
    if (clients.hasWork || this.#peerHasNews) this.wake();
  };

  #gauges(): MemberGauges {
    const { peer, clients, requests } = this.#parts;
    return {
      status: peer.status(),
      connections: clients.connectionCount,
      requests: requests.path?.length ?? 0,
    };
  }

  /** Takes from the peer until it has nothing to do any more. */
  #runPeer(): void {
    const { peer, requests } = this.#parts;
    for (;;) {
      requests.flush();
      if (!this.#peerHasNews) return;
      this.#peerHasNews = false;
      for (let ready = peer.ready(); ready !== null; ready = peer.ready()) this.#carryOut(ready);
    }
  }

  #carryOut(ready: Ready): void {
    const { committed, clients, requests, links, snapshotsOut, snapshotsIn, probe } = this.#parts;
    for (const { to, link, message } of ready.messages) {
      probe?.sent?.(to, message);
      links?.send(to, link, message);
    }
    for (const step of ready.install) snapshotsIn.carryOut(step);
    if (ready.persist !== null) this.#persist(ready.persist);
    if (ready.committed.length > 0) committed.apply(ready.committed);
    for (const { from, bytes } of ready.received) this.#receive(from, bytes);
    for (const { bytes } of ready.pings) requests.pinged(bytes);
    for (const { token, zxid } of ready.readIndexes) requests.leader?.readIndexAnswered(token, zxid);
    for (const read of ready.reads) this.#readLog(read);
    for (const step of ready.snapshots) snapshotsOut.carryOut(step);
    for (const { peer, link, reason } of ready.disconnects) links?.close(peer, link, reason);
    if (ready.status !== null) this.#statusChanged(ready.status);
    if (requests.path?.isFull === false) clients.unstall();
  }

  #persist(batch: PersistRequest): void {
    const { storage, peer, failed, replaceMachine, snapshotsIn } = this.#parts;
    const stored =
      batch.installSnapshot === undefined
        ? storage.persist(batch)
        : snapshotsIn.complete().then(replaceMachine);
    stored.then(
      () => this.#input(() => peer.persisted(batch.number)),
      (error: unknown) => failed(error),
    );
  }

  /** What another member asks, or answers. */
  #receive(from: number, bytes: Uint8Array): void {
    const { requests, links, logger } = this.#parts;
    try {
      requests.received(from, bytes);
    } catch (error) {
      if (!(error instanceof MemberMessageError)) throw error;
      logger.error('Peer link closed: a request that makes no sense', { peer: from, error });
      links?.drop(from);
    }
  }

  #readLog({ request, after, maxBytes }: LogRead): void {
    const { storage, peer, logger } = this.#parts;
    storage.readEntries(after, maxBytes).then(
      (entries) => this.#input(() => peer.entriesRead(request, entries)),
      (error: unknown) => {
        logger.warn('The log cannot be read for a learner', { error });
        this.#input(() => peer.sourceFailed(request));
      },
    );
  }

  #statusChanged(status: PeerStatus): void {
    const { logger, statusChanged } = this.#parts;
    const { state, phase, epoch, leader, lastChange } = status;
    const role = `${state} ${phase} ${epoch} ${leader}`;
    if (role !== this.#role)
      logger.info('Role changed', { state, phase, epoch, leader, because: lastChange });
    this.#role = role;
    this.#isRestless = phase !== 'broadcast';
    const serving = status.isServing ? `${state} ${leader} in ${epoch}` : null;
    if (serving !== this.#serving) {
      if (this.#serving !== null) this.#stopServing();
      this.#serving = serving;
      if (serving !== null) this.#parts.requests.begin(status);
    }
    statusChanged(status);
    if (this.#isRestless) this.#armTimer();
  }

  /** Whatever is under way for a client has an unknown outcome from here on. */
  #stopServing(): void {
    const { requests, syncs, clients } = this.#parts;
    requests.end();
    syncs.clear();
    clients.cutAll();
  }

  /** A leader that sends a snapshot faster than the disk takes it is not listened to for a while. */
  #slowDown(): void {
    const { links, snapshotsIn } = this.#parts;
    const isTooMuch = snapshotsIn.waitingBytes > SNAPSHOT_WAITING_BYTES;
    if (isTooMuch === this.#arePaused) return;
    this.#arePaused = isTooMuch;
    if (isTooMuch) links?.pause();
    else links?.resume();
  }

  #snapshotIfDue(): void {
    const { snapshotter, snapshotsIn, machine, peer } = this.#parts;
    if (!snapshotter.isDue || snapshotsIn.isReceiving) return;
    snapshotter.begin(machine(), peer.epochsUpTo(machine().lastZxid));
  }

  readonly #tick = (): void => {
    if (!this.#isRunning) return;
    const { clock, options, peer, clients, reaper, requests, links, failed } = this.#parts;
    const now = clock.now();
    const isLate = now - this.#lastTickAt > 2 * options.tickMs;
    this.#lastTickAt = now;
    try {
      requests.stamp(now);
      peer.tick(now);
      links?.tick(now, isLate);
      // After a pause of this process the clients' packets still wait to be read: nobody is expired before that.
      if (!isLate) requests.tick(now);
      reaper.tick(now);
      clients.tick(now);
    } catch (error) {
      return failed(error);
    }
    this.wakePeer();
    this.#armTimer();
  };

  #armTimer(): void {
    const { clock, options } = this.#parts;
    const halfTickMs = options.tickMs / 2;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(
      this.#isRestless ? Math.min(RESTLESS_TICK_MS, halfTickMs) : halfTickMs,
      this.#tick,
    );
  }
}
