import { SeededRandom, type Random } from '../../../core/runtime/index.js';
import type { PeerLimits } from '../../../core/zab/index.js';
import { Ghost } from '../../simulation/checkers/ghost.js';
import { Referee } from '../../simulation/checkers/referee.js';
import { DrivenPeer, type World } from './driven-peer.js';
import { NOTHING_APPLIED } from './peer-disk.js';
import { PeerNetwork } from './peer-network.js';
import { VirtualTime } from './virtual-time.js';

export interface Shape {
  readonly voters: number;
  readonly observers: number;
  readonly limits?: Partial<PeerLimits>;
}

export const TICK_MS = 100;
const DIAL_EVERY_MS = 40;

/**
 * Several peers, and nothing of a member around them, for tests that play thousands of small ensembles: every graph of links, every
 * step of a founding. A test says itself what happens; faults of chance are the simulator's (`test/simulation`), whose checkers
 * of Zab look on here too.
 */
export class PeerCluster {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: PeerNetwork;
  readonly referee = new Referee();
  readonly ghost: Ghost;
  readonly members: readonly DrivenPeer[];
  readonly #byId = new Map<number, DrivenPeer>();
  #lastPayload = 0;

  constructor(seed: number, { voters, observers, limits }: Shape) {
    this.random = new SeededRandom(seed);
    this.network = new PeerNetwork(this.time, this.random, this.#byId);
    this.ghost = new Ghost({
      referee: this.referee,
      emptyDigest: NOTHING_APPLIED.digest,
      onDelivered: () => undefined,
      decode: () => null,
    });
    const { time, random, network, ghost, referee } = this;
    const world: World = { time, random, network, ghost, referee };
    const voterIds = Array.from({ length: voters }, (_, index) => index + 1);
    const observerIds = Array.from({ length: observers }, (_, index) => voters + index + 1);
    this.members = [...voterIds, ...observerIds].map((id) => {
      ghost.register(id, `m${id}`, id <= voters);
      const config = {
        id,
        voters: voterIds,
        observers: observerIds,
        tickMs: TICK_MS,
        seed: seed * 1000 + id,
      };
      return new DrivenPeer(world, limits === undefined ? config : { ...config, limits });
    });
    for (const member of this.members) this.#byId.set(member.id, member);
    this.#dialAgain();
  }

  member(id: number): DrivenPeer {
    return this.#byId.get(id)!;
  }

  startAll(): void {
    for (const member of this.members) member.start();
  }

  /** Lets so many virtual milliseconds pass. */
  run(ms: number): void {
    const untilMs = this.time.nowMs + ms;
    while (this.step(untilMs));
  }

  /** Lets the next event happen; false if there is none up to `untilMs`. Throws what the checkers have found. */
  step(untilMs: number): boolean {
    const hasHappened = this.time.step(untilMs);
    if (this.referee.finding !== null) throw this.referee.finding;
    return hasHappened;
  }

  /** Runs until `holds`; fails after `limitMs`. */
  runUntil(holds: () => boolean, what: string, limitMs = 30_000): void {
    const untilMs = this.time.nowMs + limitMs;
    while (!holds()) {
      if (!this.step(untilMs)) throw new Error(`not within ${limitMs} ms: ${what}\n${this.describe()}`);
    }
  }

  leader(): DrivenPeer | undefined {
    return this.members.find((member) => member.status()?.isEstablishedLeader === true);
  }

  /** Proposes through whoever believes to lead. */
  propose(bytes = 1 + Math.floor(this.random.next() * 24)): void {
    for (const member of this.members) {
      const payload = new Uint8Array(bytes + 4);
      new DataView(payload.buffer).setUint32(0, (this.#lastPayload += 1));
      member.propose(payload);
    }
  }

  /** Every link is whole, and every member runs. */
  heal(): void {
    this.network.heal();
    this.startAll();
  }

  /** Demands that everybody serves and has applied the same, everything; then that new proposals get everywhere. */
  demandProgress(): void {
    this.runUntil(() => this.isSettled(), 'everybody serves and has applied everything');
    const before = this.ghost.list.length;
    for (let round = 0; round < 3; round++) {
      this.propose();
      this.run(20);
    }
    this.runUntil(
      () => this.isSettled() && this.ghost.list.length > before,
      'new proposals are applied everywhere',
    );
  }

  isSettled(): boolean {
    const leader = this.leader()?.status();
    if (leader?.admits !== true) return false;
    return this.members.every((member) => {
      const status = member.status();
      return (
        status?.isServing === true &&
        !status.isRejoining &&
        status.epoch === leader.epoch &&
        status.delivered === leader.lastProposed
      );
    });
  }

  describe(): string {
    return this.members
      .map((member) => {
        const status = member.status();
        if (status === null) return `${member.id}: down`;
        const { state, phase, leader, epoch, lastProposed, delivered, lastChange } = status;
        return `${member.id}: ${state} ${phase} leader ${leader} epoch ${epoch} last ${lastProposed.toString(16)} delivered ${delivered.toString(16)} accepted ${member.disk.acceptedEpoch} (${lastChange})`;
      })
      .join('\n');
  }

  #dialAgain(): void {
    this.network.dial();
    this.time.after(DIAL_EVERY_MS, () => this.#dialAgain());
  }
}
