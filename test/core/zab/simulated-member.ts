import type { Random } from '../../../core/runtime/index.js';
import {
  Peer,
  type PeerConfig,
  type PeerMessage,
  type PeerStatus,
  type Ready,
  type SnapshotStep,
} from '../../../core/zab/index.js';
import type { Ghost } from './ghost.js';
import { SimulatedDisk, type AppliedState, type StagedSnapshot } from './simulated-disk.js';
import type { NetworkMember, SimulatedNetwork } from './simulated-network.js';
import type { VirtualTime } from './virtual-time.js';

/** Thrown to end a member in the middle of what it does. */
class Crash extends Error {}

export interface World {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly ghost: Ghost;
  /** Faults stop when the cluster is healed. */
  isFaulty: boolean;
  /** Somebody has come into another phase: a good moment to strike. */
  phaseChanged: (member: SimulatedMember, status: PeerStatus) => void;
}

const TICK_EVERY_MS = 25;

/** The shell around one peer: carries out its Readys over a simulated disk and network, and can die at any point. */
export class SimulatedMember implements NetworkMember {
  readonly id: number;
  readonly isVoter: boolean;
  readonly disk: SimulatedDisk;
  readonly #world: World;
  readonly #config: PeerConfig;
  applied: AppliedState;
  peer: Peer | null = null;
  diskLatencyMs = 3;
  /** Until then nothing gets to the peer. */
  #pausedUntilMs = 0;
  #backlog: ((peer: Peer) => void)[] = [];
  #incarnation = 0;
  #startedAtMs = 0;
  #isSyncing = false;
  #lastProposed = 0n;
  #lastPhase = '';
  #staged: { install: number; epochs: StagedSnapshot['epochs']; zxid: bigint; bytes: number[] } | null = null;
  readonly #openSnapshots = new Map<number, { bytes: Uint8Array; offset: number }>();
  readonly #questions = new Map<number, bigint>();
  #lastToken = 0;
  readonly #inbox = new Map<number, number>();
  #lastSent = 0;
  readIndexesAnswered = 0;
  snapshotsInstalled = 0;

  constructor(world: World, config: PeerConfig, watch: (id: number) => ReturnType<Ghost['watchDisk']>) {
    this.#world = world;
    this.#config = config;
    this.id = config.id;
    this.isVoter = config.voters.includes(config.id);
    this.disk = new SimulatedDisk(watch(config.id));
    this.applied = this.disk.snapshot.state;
  }

  isRunning(): boolean {
    return this.peer !== null;
  }

  status(): PeerStatus | null {
    return this.peer?.status() ?? null;
  }

  start(): void {
    if (this.peer !== null) return;
    this.#incarnation += 1;
    this.#startedAtMs = this.#world.time.nowMs;
    this.#isSyncing = false;
    this.#backlog = [];
    this.#staged = null;
    this.#openSnapshots.clear();
    this.#questions.clear();
    this.#inbox.clear();
    this.applied = this.disk.snapshot.state;
    this.#lastProposed = this.disk.last;
    this.peer = new Peer(
      { ...this.#config, seed: this.#config.seed + this.#incarnation },
      this.disk.recover(),
    );
    this.#tickAgain(this.#incarnation);
  }

  /** Dies now: all in memory and what was not synced is gone, but for what chance has saved. */
  crash(): void {
    if (this.peer === null) return;
    this.peer = null;
    this.disk.crash(Math.floor(this.#world.random.next() * (this.disk.pendingOperations + 1)));
    this.#world.network.crash(this.id);
  }

  /** Dies, and its disk is wiped, or has lost its end. */
  loseDisk(how: 'wiped' | 'damaged'): void {
    this.crash();
    const { disk } = this;
    this.#world.ghost.losesDisk(this);
    if (how === 'wiped') disk.wipe();
    else disk.damage(Math.floor(this.#world.random.next() * disk.log.length));
  }

  pause(ms: number): void {
    this.#pausedUntilMs = this.#world.time.nowMs + ms;
  }

  connected(peer: number, link: number): void {
    this.input((self) => self.connected(peer, link));
  }

  disconnected(peer: number, link: number): void {
    this.input((self) => self.disconnected(peer, link));
  }

  received(peer: number, link: number, message: PeerMessage): void {
    this.input((self) => self.step(peer, link, message));
  }

  /** Proposes if this member leads. */
  propose(payload: Uint8Array): void {
    if (this.peer?.status().admits !== true) return;
    this.input((peer) => {
      if (!peer.status().admits) return;
      const announced = peer.nextZxid();
      const zxid = peer.propose(payload);
      if (zxid !== announced) throw new Error('a proposal got another zxid than was announced');
      this.#world.ghost.proposed(this.id, zxid, payload);
    });
  }

  askReadIndex(): void {
    this.input((peer) => {
      const token = (this.#lastToken += 1);
      if (peer.readIndex(token)) this.#questions.set(token, this.#world.ghost.end);
    });
  }

  /** Sends numbered application messages, of which none may overtake another. */
  chat(): void {
    this.input((peer) => {
      const { state } = peer.status();
      const bytes = new Uint8Array(new Float64Array([(this.#lastSent += 1), this.#startedAtMs]).buffer);
      if (state !== 'leading') peer.sendToLeader(bytes);
      else for (const { id } of peer.learners()) peer.sendToLearner(id, bytes);
    });
  }

  saveSnapshot(): void {
    this.input((peer) => {
      if (this.disk.hasPending || this.applied.zxid === 0n) return;
      this.disk.saveSnapshot(this.applied, peer.epochsUpTo(this.applied.zxid));
      peer.snapshotTaken(this.applied.zxid);
      if (this.#world.random.next() < 0.7) this.disk.purge(this.applied.zxid);
    });
  }

  transferLeadership(): void {
    this.input((peer) => peer.transferLeadership());
  }

  failStorage(): void {
    this.input((peer) => peer.storageFailed());
    this.#later(50, () => {
      this.crash();
      if (!this.#world.isFaulty) this.start();
    });
  }

  /** Everything that happens to the peer goes through here: later if it is paused, not at all if it has died. */
  input(act: (peer: Peer) => void): void {
    const incarnation = this.#incarnation;
    const { time } = this.#world;
    if (this.peer === null) return;
    if (time.nowMs < this.#pausedUntilMs || this.#backlog.length > 0) {
      if (this.#backlog.push(act) === 1)
        time.after(this.#pausedUntilMs - time.nowMs, () => this.#resume(incarnation));
      return;
    }
    this.#act(act);
  }

  /** What has come during a pause is heard now, in its order. */
  #resume(incarnation: number): void {
    if (this.#incarnation !== incarnation) return;
    const { time } = this.#world;
    const leftMs = this.#pausedUntilMs - time.nowMs;
    if (leftMs > 0) return time.after(leftMs, () => this.#resume(incarnation));
    for (const act of this.#backlog.splice(0)) this.#act(act);
  }

  #act(act: (peer: Peer) => void): void {
    if (this.peer === null) return;
    try {
      act(this.peer);
      for (let ready = this.peer.ready(); ready !== null; ready = this.peer.ready()) this.#carryOut(ready);
      this.#check(this.peer.status());
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.crash();
    }
  }

  /** The parts of a Ready in an order of chance, as its contract allows. */
  #carryOut(ready: Ready): void {
    const parts = [
      () => this.#persist(ready),
      () => this.#send(ready),
      () => this.#apply(ready),
      () => this.#read(ready),
    ];
    while (parts.length > 0) {
      if (this.#world.isFaulty && this.#world.random.next() < 0.0005) throw new Crash();
      parts.splice(Math.floor(this.#world.random.next() * parts.length), 1)[0]!();
    }
  }

  #send(ready: Ready): void {
    const { network, ghost } = this.#world;
    for (const { to, link, message } of ready.messages) {
      ghost.checkMessage(this, message);
      network.send(this.id, to, link, message);
    }
    for (const { peer, link } of ready.disconnects) network.reset(this.id, peer, link);
  }

  #persist(ready: Ready): void {
    for (const step of ready.install) {
      if (step.type === 'begin') this.#staged = { ...step, bytes: [] };
      else if (step.type === 'abort') this.#staged = null;
      else this.#staged!.bytes.push(...step.bytes);
    }
    if (ready.persist === null) return;
    this.disk.write(ready.persist, this.#takeStaged(ready.persist.installSnapshot?.install));
    this.#sync();
  }

  #takeStaged(install: number | undefined): StagedSnapshot | null {
    if (install === undefined) return null;
    const staged = this.#staged!;
    if (staged.install !== install) throw new Error('another snapshot is staged than is to be installed');
    this.#staged = null;
    return { zxid: staged.zxid, epochs: staged.epochs, state: decodeState(Uint8Array.from(staged.bytes)) };
  }

  /** One sync at a time; it covers what was written before it began, or less. */
  #sync(): void {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    const { random } = this.#world;
    this.#later(random.next() * this.diskLatencyMs, () => {
      this.#isSyncing = false;
      this.input((peer) => {
        const done = this.disk.sync(1 + Math.floor(random.next() * 4));
        if (this.disk.hasPending) this.#sync();
        if (done === null) return;
        if (done.installed !== null) this.#load(done.installed);
        peer.persisted(done.number);
      });
    });
  }

  #load({ state, zxid }: StagedSnapshot): void {
    if (state.zxid !== zxid) throw new Error('a snapshot is not of the zxid that was announced');
    this.#world.ghost.checkSnapshot(this.id, state);
    this.applied = state;
    this.snapshotsInstalled += 1;
  }

  #apply(ready: Ready): void {
    const { ghost } = this.#world;
    for (const entry of ready.committed) this.applied = ghost.delivered(this, entry);
    for (const { token, zxid } of ready.readIndexes) {
      ghost.checkReadIndex(this.id, zxid, this.#questions.get(token)!);
      this.readIndexesAnswered += 1;
    }
    for (const { from, bytes } of ready.received) {
      const [number, sender] = new Float64Array(Uint8Array.from(bytes).buffer);
      const order = number! + sender! * 1e6;
      if (order <= (this.#inbox.get(from) ?? 0))
        throw new Error(
          `an application message came out of order: ${from} to ${this.id}, ${order} behind ${this.#inbox.get(from)}`,
        );
      this.#inbox.set(from, order);
    }
  }

  #read(ready: Ready): void {
    const { random } = this.#world;
    for (const { request, after, maxBytes } of ready.reads) {
      this.#later(random.next() * 20, () => {
        const entries = this.disk.read(after, maxBytes);
        this.input((peer) => peer.entriesRead(request, entries));
      });
    }
    for (const step of ready.snapshots) this.#later(random.next() * 10, () => this.#readSnapshot(step));
  }

  #readSnapshot(step: SnapshotStep): void {
    const { request } = step;
    if (step.type === 'close') this.#openSnapshots.delete(request);
    else if (step.type === 'open') {
      const zxid = this.applied.zxid;
      this.#openSnapshots.set(request, { bytes: encodeState(this.applied), offset: 0 });
      this.input((peer) => peer.snapshotOpened(request, zxid));
    } else {
      const open = this.#openSnapshots.get(request);
      if (open === undefined || open.offset >= open.bytes.length) return;
      const bytes = open.bytes.slice(open.offset, (open.offset += 5));
      const isLast = open.offset >= open.bytes.length;
      this.input((peer) => peer.snapshotRead(request, bytes, isLast));
    }
  }

  #check(status: PeerStatus): void {
    this.#world.ghost.checkStatus(this, status, this.#lastProposed);
    this.#lastProposed = status.lastProposed;
    const phase = `${status.state} ${status.phase}`;
    if (phase === this.#lastPhase) return;
    this.#lastPhase = phase;
    this.#world.phaseChanged(this, status);
  }

  #tickAgain(incarnation: number): void {
    this.#world.time.after(TICK_EVERY_MS * (0.5 + this.#world.random.next()), () => {
      if (this.#incarnation !== incarnation || this.peer === null) return;
      if (this.#world.time.nowMs >= this.#pausedUntilMs)
        this.input((peer) => peer.tick(this.#world.time.nowMs));
      this.#tickAgain(incarnation);
    });
  }

  #later(ms: number, run: () => void): void {
    const incarnation = this.#incarnation;
    this.#world.time.after(ms, () => {
      if (this.#incarnation === incarnation && this.peer !== null) run();
    });
  }
}

function encodeState({ zxid, count, hash }: AppliedState): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ zxid: String(zxid), count, hash }));
}

function decodeState(bytes: Uint8Array): AppliedState {
  const { zxid, count, hash } = JSON.parse(new TextDecoder().decode(bytes)) as {
    zxid: string;
    count: number;
    hash: number;
  };
  return { zxid: BigInt(zxid), count, hash };
}
