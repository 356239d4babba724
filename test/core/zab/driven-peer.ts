import type { Random } from '../../../core/runtime/index.js';
import {
  Peer,
  type Entry,
  type PeerConfig,
  type PeerMessage,
  type PeerStatus,
  type Ready,
  type SnapshotStep,
} from '../../../core/zab/index.js';
import type { Ghost } from '../../simulation/checkers/ghost.js';
import type { Referee } from '../../simulation/checkers/referee.js';
import { PeerDisk, type AppliedState, type StagedSnapshot } from './peer-disk.js';
import type { NetworkMember, PeerNetwork } from './peer-network.js';
import type { VirtualTime } from './virtual-time.js';

/** What the peers of one cluster share. */
export interface World {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: PeerNetwork;
  readonly ghost: Ghost;
  readonly referee: Referee;
}

const TICK_EVERY_MS = 25;
const DISK_MS = 3;

/**
 * One peer with a disk and a network, without a member around it: carries out its Readys, each in an order of chance. Between a
 * crash and the next start there is no peer.
 */
export class DrivenPeer implements NetworkMember {
  readonly id: number;
  readonly isVoter: boolean;
  readonly disk: PeerDisk;
  readonly #world: World;
  readonly #config: PeerConfig;
  #applied: AppliedState;
  peer: Peer | null = null;
  #incarnation = 0;
  #isSyncing = false;
  #staged: { install: number; epochs: StagedSnapshot['epochs']; zxid: bigint; bytes: number[] } | null = null;
  readonly #openSnapshots = new Map<number, { bytes: Uint8Array; offset: number }>();

  constructor(world: World, config: PeerConfig) {
    this.#world = world;
    this.#config = config;
    this.id = config.id;
    this.isVoter = config.voters.includes(config.id);
    this.disk = new PeerDisk(world.ghost.imageOf(config.id), world.referee);
    this.#applied = this.disk.snapshot.state;
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
    this.#isSyncing = false;
    this.#staged = null;
    this.#openSnapshots.clear();
    this.#applied = this.disk.snapshot.state;
    const restored = this.disk.recover();
    this.#world.referee.watch(() => this.#world.ghost.started(this.id, this.#applied));
    this.peer = new Peer({ ...this.#config, seed: this.#config.seed + this.#incarnation }, restored);
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
    if (how === 'wiped') disk.wipe();
    else disk.damage(Math.floor(this.#world.random.next() * disk.log.length));
  }

  connected(peer: number, link: number): void {
    this.#input((self) => self.connected(peer, link));
  }

  disconnected(peer: number, link: number): void {
    this.#input((self) => self.disconnected(peer, link));
  }

  received(peer: number, link: number, message: PeerMessage): void {
    this.#input((self) => self.step(peer, link, message));
  }

  /** Proposes if this member leads. */
  propose(payload: Uint8Array): void {
    this.#input((peer) => {
      if (!peer.status().admits) return;
      const zxid = peer.propose(payload);
      this.#world.referee.watch(() => this.#world.ghost.proposed(this.id, zxid, payload));
    });
  }

  transferLeadership(): void {
    this.#input((peer) => peer.transferLeadership());
  }

  /** Everything that happens to the peer goes through here; nothing happens to one that has died. */
  #input(act: (peer: Peer) => void): void {
    const { peer } = this;
    if (peer === null) return;
    act(peer);
    for (let ready = peer.ready(); ready !== null; ready = peer.ready()) this.#carryOut(ready);
    const gauges = { status: peer.status(), connections: 0 };
    this.#world.referee.watch(() => this.#world.ghost.turned(this.id, gauges));
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
      parts.splice(Math.floor(this.#world.random.next() * parts.length), 1)[0]!();
    }
  }

  #send(ready: Ready): void {
    const { network, ghost, referee } = this.#world;
    for (const { to, link, message } of ready.messages) {
      referee.watch(() => ghost.sent(this.id, message));
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
    this.#later(random.next() * DISK_MS, () => {
      this.#isSyncing = false;
      this.#input((peer) => {
        const done = this.disk.sync(1 + Math.floor(random.next() * 4));
        if (this.disk.hasPending) this.#sync();
        if (done === null) return;
        if (done.installed !== null) this.#load(done.installed);
        peer.persisted(done.number);
      });
    });
  }

  #load({ state, zxid }: StagedSnapshot): void {
    if (state.lastZxid !== zxid) throw new Error('a snapshot is not of the zxid that was announced');
    this.#applied = state;
    this.#world.referee.watch(() => this.#world.ghost.installed(this.id, state));
  }

  #apply(ready: Ready): void {
    const { ghost, referee } = this.#world;
    for (const entry of ready.committed) {
      this.#applied = advance(this.#applied, entry);
      referee.watch(() => ghost.applied(this.id, entry, this.#applied));
    }
  }

  #read(ready: Ready): void {
    const { random } = this.#world;
    for (const { request, after, maxBytes } of ready.reads) {
      this.#later(random.next() * 20, () => {
        const entries = this.disk.read(after, maxBytes);
        this.#input((peer) => peer.entriesRead(request, entries));
      });
    }
    for (const step of ready.snapshots) this.#later(random.next() * 10, () => this.#readSnapshot(step));
  }

  #readSnapshot(step: SnapshotStep): void {
    const { request } = step;
    if (step.type === 'close') this.#openSnapshots.delete(request);
    else if (step.type === 'open') {
      const zxid = this.#applied.lastZxid;
      this.#openSnapshots.set(request, { bytes: encodeState(this.#applied), offset: 0 });
      this.#input((peer) => peer.snapshotOpened(request, zxid));
    } else {
      const open = this.#openSnapshots.get(request);
      if (open === undefined || open.offset >= open.bytes.length) return;
      const bytes = open.bytes.slice(open.offset, (open.offset += 5));
      const isLast = open.offset >= open.bytes.length;
      this.#input((peer) => peer.snapshotRead(request, bytes, isLast));
    }
  }

  #tickAgain(incarnation: number): void {
    this.#world.time.after(TICK_EVERY_MS * (0.5 + this.#world.random.next()), () => {
      if (this.#incarnation !== incarnation || this.peer === null) return;
      this.#input((peer) => peer.tick(this.#world.time.nowMs));
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

function advance({ digest }: AppliedState, { zxid, payload }: Entry): AppliedState {
  let mixed = Math.imul(Number(digest) ^ Number(zxid & 0xffffffffn), 0x01000193) ^ Number(zxid >> 32n);
  for (const byte of payload) mixed = Math.imul(mixed ^ byte, 0x01000193);
  return { lastZxid: zxid, digest: BigInt(mixed) };
}

function encodeState({ lastZxid, digest }: AppliedState): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([String(lastZxid), String(digest)]));
}

function decodeState(bytes: Uint8Array): AppliedState {
  const [lastZxid, digest] = JSON.parse(new TextDecoder().decode(bytes)) as [string, string];
  return { lastZxid: BigInt(lastZxid), digest: BigInt(digest) };
}
