import { SeededRandom, type Random } from '../../../core/runtime/index.js';
import type { PeerLimits } from '../../../core/zab/index.js';
import { Ghost, SimulationFailure } from './ghost.js';
import { SimulatedMember, type World } from './simulated-member.js';
import { SimulatedNetwork } from './simulated-network.js';
import { VirtualTime } from './virtual-time.js';

export interface Shape {
  readonly voters: number;
  readonly observers: number;
  readonly limits?: Partial<PeerLimits>;
}

export const TICK_MS = 100;
const DIAL_EVERY_MS = 40;

/**
 * A whole ensemble in one process, driven by one seed: peers over simulated disks and links, with a checker that
 * sees everything. First any fault may strike, then all is healed and progress is demanded.
 */
export class SimulatedCluster {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: SimulatedNetwork;
  readonly ghost: Ghost;
  readonly members: readonly SimulatedMember[];
  readonly #byId = new Map<number, SimulatedMember>();
  readonly world: World;
  #lastPayload = 0;

  constructor(seed: number, { voters, observers, limits }: Shape) {
    this.random = new SeededRandom(seed);
    this.network = new SimulatedNetwork(this.time, this.random, this.#byId);
    const voterIds = Array.from({ length: voters }, (_, index) => index + 1);
    const observerIds = Array.from({ length: observers }, (_, index) => voters + index + 1);
    const members: SimulatedMember[] = [];
    this.ghost = new Ghost(members);
    this.members = members;
    const { time, random, network, ghost } = this;
    this.world = { time, random, network, ghost, isFaulty: true, phaseChanged: () => {} };
    const watch = (id: number): ReturnType<Ghost['watchDisk']> => ghost.watchDisk(id);
    for (const id of [...voterIds, ...observerIds]) {
      const config = {
        id,
        voters: voterIds,
        observers: observerIds,
        tickMs: TICK_MS,
        seed: seed * 1000 + id,
      };
      const member = new SimulatedMember(
        this.world,
        limits === undefined ? config : { ...config, limits },
        watch,
      );
      members.push(member);
      this.#byId.set(id, member);
    }
    this.#dialAgain();
  }

  member(id: number): SimulatedMember {
    return this.#byId.get(id)!;
  }

  startAll(): void {
    for (const member of this.members) member.start();
  }

  /** Runs for so many virtual milliseconds. */
  run(ms: number): void {
    const untilMs = this.time.nowMs + ms;
    while (this.time.step(untilMs));
  }

  /** Runs until `holds`; fails after `limitMs`. */
  runUntil(holds: () => boolean, what: string, limitMs = 30_000): void {
    const untilMs = this.time.nowMs + limitMs;
    while (!holds()) {
      if (!this.time.step(untilMs))
        throw new SimulationFailure(`not within ${limitMs} ms: ${what}\n${this.describe()}`);
    }
  }

  leader(): SimulatedMember | undefined {
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

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random.next() * choices.length)]!;
  }

  /** No more faults: everybody runs, links and disks are fast. */
  heal(): void {
    this.world.phaseChanged = () => {};
    this.world.isFaulty = false;
    this.network.heal();
    this.network.latencyMs = 5;
    this.network.forgedVotes = 0;
    for (const member of this.members) {
      member.diskLatencyMs = 3;
      member.start();
    }
  }

  /** Demands that everybody serves and has applied the same, everything; then that new proposals get everywhere. */
  demandProgress(): void {
    this.runUntil(() => this.isSettled(), 'everybody serves and has applied everything');
    const before = this.ghost.length;
    for (let round = 0; round < 3; round++) {
      this.propose();
      this.leader()?.askReadIndex();
      this.run(20);
    }
    this.runUntil(
      () => this.isSettled() && this.ghost.length > before,
      'new proposals are applied everywhere',
    );
  }

  /** Whether one more voter may lose its disk and still leave a quorum that remembers. */
  get canLoseDisk(): boolean {
    const voters = this.members.filter(({ isVoter }) => isVoter);
    const forgetful = voters.filter(({ disk }) => disk.rejoining !== null);
    return 2 * (voters.length - forgetful.length - 1) > voters.length;
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
