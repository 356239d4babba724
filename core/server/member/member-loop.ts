import type { Clock, Logger, Timer } from '../../runtime/index.js';
import type { Peer, PeerMessage, PeerStatus } from '../../zab/index.js';
import type { ServerOptions } from '../configuration/index.js';
import type { MemberGauges, MemberProbe } from '../metrics/index.js';
import type { PeerLinks, PeerLinksHandler } from '../peers/index.js';
import type { TurnScheduler } from '../pipeline/index.js';
import type { DirectoryWatch } from './directory-watch.js';
import { ReadyEffects, type ReadyEffectsParts } from './ready-effects.js';

/** While there is no leader, time is told to the peer this often, so that an election does not wait for a tick. */
const RESTLESS_TICK_MS = 20;
/** Of a snapshot on its way in, so much may wait for the disk; beyond it the links are not read. */
const SNAPSHOT_WAITING_BYTES = 8 * 1024 * 1024;

/** Committed entries are applied for so long in one turn, unless `entriesPerTurn` is reached before. Milliseconds. */
const APPLY_MS_PER_TURN = 5;
/** Entries between two looks at the time. */
const ENTRIES_PER_LOOK = 100;

export interface MemberLoopParts extends Omit<ReadyEffectsParts, 'input'> {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly peer: Peer;
  readonly turns: TurnScheduler;
  readonly directory: DirectoryWatch;
  /** Links to the other members; null for a member that stands alone. */
  readonly links: PeerLinks | null;
  readonly probe?: MemberProbe | undefined;
  /** What the probe is given at the end of each turn. */
  readonly gauges: () => MemberGauges;
}

/**
 * The loop of a member. What has gathered since the last turn is worked off as one batch: packets are taken,
 * writes are prepared and proposed, one batch goes to the disk, what is committed is applied, and every client
 * and every other member gets one message with all that became ready for it. A turn never waits; what the disk
 * has made durable comes back as an input of a later turn.
 */
export class MemberLoop implements PeerLinksHandler {
  readonly #parts: MemberLoopParts;
  readonly #effects: ReadyEffects;
  #isRunning = false;
  #timer: Timer | null = null;
  #lastTickAt = 0;
  /** What follows from the present pause has been done. */
  #isReassured = false;
  #isRestless = true;
  #arePaused = false;

  constructor(parts: MemberLoopParts) {
    this.#parts = parts;
    this.#effects = new ReadyEffects({
      ...parts,
      input: (act) => this.#input(act),
      statusChanged: (status) => this.#statusChanged(status),
    });
  }

  start(): void {
    this.#isRunning = true;
    this.#parts.turns.start(this.#turn);
    this.#lastTickAt = this.#parts.clock.now();
    this.#tick();
  }

  /** No turn runs any more. Idempotent. */
  stop(): void {
    this.#isRunning = false;
    this.#parts.turns.stop();
    this.#parts.recounter.cancel();
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** The inputs of the links to the other members. */
  readonly connected = (peer: number, link: number): void => {
    this.#input(() => this.#parts.peer.connected(peer, link));
  };

  readonly disconnected = (peer: number, link: number): void => {
    this.#parts.snapshotsIn.disconnected(link);
    this.#input(() => this.#parts.peer.disconnected(peer, link));
  };

  readonly received = (peer: number, link: number, message: PeerMessage): void => {
    const fault = this.#faultOfSnapshot(peer, link, message);
    if (fault === null) this.#input(() => this.#parts.peer.step(peer, link, message));
    else this.#refuseSnapshot(peer, link, fault);
  };

  /** Only the snapshot of the leader that this member follows is read: nobody else may fill its memory, or have it look for a leader. */
  #faultOfSnapshot(peer: number, link: number, message: PeerMessage): string | null {
    const { snapshotsIn } = this.#parts;
    if (message.type !== 'snap' || this.#parts.peer.status().leader === peer)
      return snapshotsIn.heard(link, message);
    snapshotsIn.disconnected(link);
    return null;
  }

  /** Another member has refused the snapshot that it got from here: what this one has in memory may be damaged. */
  readonly snapshotRefused = (_peer: number): void => this.#parts.recounter.begin();

  /** Nothing of it has taken effect: the member keeps what it has, and looks for a leader again. */
  #refuseSnapshot(leader: number, link: number, fault: string): void {
    this.#parts.logger.error('Snapshot of the leader is damaged and refused', { leader, fault });
    this.#parts.links?.refuseSnapshot(leader, link, fault);
    this.disconnected(leader, link);
  }

  /** Lets the most recent follower lead; false if nobody could now. */
  transferLeadership(): boolean {
    const isUnderWay = this.#parts.peer.transferLeadership();
    this.#parts.turns.wakePeer();
    return isUnderWay;
  }

  /** A quorum has another state than this member: it leaves office, and a snapshot of the leader replaces its state. */
  stateDiverged(): void {
    this.#input(() => this.#parts.peer.stateDiverged());
  }

  #input(act: () => void): void {
    if (!this.#isRunning) return;
    try {
      act();
      this.#parts.turns.wakePeer();
    } catch (error) {
      this.#parts.failed(error);
    }
  }

  /** Returns whether another turn is needed. */
  readonly #turn = (): boolean => {
    const { clients, links, failed, probe, gauges } = this.#parts;
    try {
      this.#reassureIfPaused();
      clients.work();
      this.#runPeer();
      clients.proceed();
      clients.flush();
      links?.flush();
      this.#slowDown();
      this.#snapshotIfDue();
      probe?.turned?.(gauges());
    } catch (error) {
      failed(error);
    }
    return clients.hasWork;
  };

  /** Takes from the peer until it has nothing to do any more but entries to be applied, of which a turn has its share. */
  #runPeer(): void {
    const { peer, pipeline, turns, clock, options, snapshotsIn } = this.#parts;
    const until = clock.now() + APPLY_MS_PER_TURN;
    let left = options.entriesPerTurn;
    for (;;) {
      pipeline.flush();
      if (!turns.takePeerWork()) break;
      for (;;) {
        const ready = peer.ready(Math.min(left, ENTRIES_PER_LOOK));
        if (ready === null) break;
        this.#effects.carryOut(ready);
        left = clock.now() < until ? left - ready.committed.length : 0;
      }
    }
    snapshotsIn.settle();
    if (peer.hasCommitted) turns.wakePeer();
  }

  #statusChanged(status: PeerStatus): void {
    this.#isRestless = status.phase !== 'broadcast';
    this.#parts.statusChanged(status);
    if (this.#isRestless) this.#armTimer();
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
    const { snapshotter, snapshotsIn, state, peer } = this.#parts;
    if (!snapshotter.isDue || snapshotsIn.isReceiving) return;
    snapshotter.begin(state.machine, peer.epochsUpTo(state.machine.lastZxid));
  }

  /** This process has not run for longer than the others may wait for it, and nothing has followed from that yet. */
  get hasPaused(): boolean {
    const { clock, options } = this.#parts;
    return clock.now() - this.#lastTickAt > 2 * options.tickMs;
  }

  /**
   * After a pause another member may lead, and may have expired the sessions of clients whose packets still wait here: an
   * answer would make them believe that they live. None is given before a quorum has confirmed the leader.
   */
  #reassureIfPaused(): void {
    const { pipeline, clients, clock, logger } = this.#parts;
    if (!this.hasPaused || this.#isReassured) return;
    this.#isReassured = true;
    logger.warn('This process has paused', { ms: Math.round(clock.now() - this.#lastTickAt) });
    if (pipeline.isServing) clients.holdUntilConfirmed();
  }

  readonly #tick = (): void => {
    if (!this.#isRunning) return;
    const { clock, storage, peer, clients, recounter, directory } = this.#parts;
    const { pipeline, links, failed } = this.#parts;
    const now = clock.now();
    const isLate = this.hasPaused;
    try {
      this.#reassureIfPaused();
      this.#isReassured = false;
      this.#lastTickAt = now;
      pipeline.stamp(now);
      this.#effects.settle();
      peer.tick(now);
      links?.tick(now, isLate);
      // After a pause of this process the clients' packets still wait to be read: nobody is expired before that.
      if (!isLate) pipeline.tick(now);
      storage.proveEnd().catch(failed);
      pipeline.reap(now);
      recounter.tick(now);
      directory.tick(now);
      clients.tick(now);
    } catch (error) {
      return failed(error);
    }
    this.#parts.turns.wakePeer();
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
