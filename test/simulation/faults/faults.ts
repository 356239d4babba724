import type { CrashLoss } from '../../../core/storage/index.js';
import type { ClusterMember } from '../../../core/testing/index.js';
import type { Clock, Timer } from '../../../core/runtime/index.js';
import type { DiskImage } from '../checkers/disk-image.js';
import { between, pick, type FaultKind } from '../plan.js';
import type { World } from '../world.js';
import { aimedFaults } from './aimed-faults.js';
import { clientFaults } from './client-faults.js';
import { damageFaults } from './damage-faults.js';
import { DiskBudget } from './disk-budget.js';
import { diskFaults } from './disk-faults.js';
import { memberFaults } from './member-faults.js';
import { networkFaults } from './network-faults.js';

const KINDS: Readonly<Record<FaultKind, (parts: { world: World; faults: Faults }) => void>> = {
  ...memberFaults,
  ...networkFaults,
  ...clientFaults,
  ...diskFaults,
  ...damageFaults,
  ...aimedFaults,
};

/** Lets faults of the planned kinds strike, at moments of chance and just when a member has come into a new phase; each passes. */
export class Faults {
  readonly #world: World;
  readonly #replace: () => void;
  readonly #timers = new Set<Timer>();
  readonly #budget: DiskBudget;
  #isStriking = false;
  /** Syncs that are under way on slow disks, and how to end them. */
  readonly #syncs = new Map<Timer, () => void>();

  /** `replace` brings a new client in place of one that died. */
  constructor(world: World, replace: () => void) {
    this.#world = world;
    this.#budget = new DiskBudget(world);
    this.#replace = replace;
    for (const member of world.cluster.members) this.setSyncs(member, world.plan.syncMs);
  }

  begin(): void {
    const { faults, faultEveryMs } = this.#world.plan;
    this.#isStriking = true;
    if (faults.length === 0) return;
    this.#next();
    this.#world.phaseChanged = (_member, phase) => {
      if (phase === 'election' || this.#world.random.next() > 0.15) return;
      this.later(between(this.#world.random, 0, faultEveryMs / 5), () => this.#strike());
    };
  }

  /** No more faults; what still works badly works again. Somebody still looks after members that have failed. */
  end(): void {
    const { cluster, plan } = this.#world;
    this.#isStriking = false;
    this.#world.phaseChanged = () => undefined;
    this.#world.forgetTraps();
    this.stop();
    this.#world.forger.forge(0);
    for (const rival of this.#world.rivals) rival.leave();
    for (const member of cluster.members) {
      this.readable(member);
      void member.disk.crashAfter(Infinity);
      member.process?.startClock();
      this.setSyncs(member, plan.syncMs);
      if (member.state === 'failed') this.#judge(member);
    }
    for (const finish of this.#syncs.values()) finish();
    this.#syncs.clear();
    this.#world.note('all', 'are healed');
    cluster.heal();
    this.#supervise();
  }

  /** Nobody looks after anything any more. */
  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  /** An error of the disk may be noticed only after it is gone. */
  #supervise(): void {
    this.later(5 * this.#world.plan.tickMs, () => {
      this.#restartFailed(1);
      this.#supervise();
    });
  }

  later(ms: number, act: () => void): void {
    const timer = this.#world.cluster.clock.setTimer(ms, () => {
      this.#timers.delete(timer);
      act();
    });
    this.#timers.add(timer);
  }

  /** The leader in half of the cases, since it has most to lose. */
  victim(): ClusterMember {
    const { cluster, random } = this.#world;
    const { leader } = cluster;
    return leader !== undefined && random.next() < 0.4 ? leader : pick(random, cluster.members);
  }

  /** Somebody whose disk may be lost as well, as long as a quorum keeps what it knows; null if nobody's, or not that of `chosen`. */
  victimOfDamage(chosen?: ClusterMember): ClusterMember | null {
    const victim = chosen ?? pick(this.#world.random, this.#world.cluster.members);
    return this.#budget.allows(victim) ? victim : null;
  }

  /** Files were changed under the member, which goes on: it finds that out at its next start, or when it reads them. */
  rotten(member: ClusterMember): void {
    const image = this.#imageOf(member);
    if (image.harm !== 'wiped') image.harm = 'damaged';
    this.#budget.damage(member);
  }

  /** Reads of its disk fail until `readable`. */
  unreadable(member: ClusterMember): void {
    this.#budget.unreadable(member);
  }

  readable(member: ClusterMember): void {
    member.disk.repair();
    this.#budget.readable(member);
  }

  /** Files of a member that is down were changed; it is started after a while. */
  damaged(member: ClusterMember): void {
    const image = this.#imageOf(member);
    if (image.harm !== 'wiped') image.harm = 'damaged';
    this.#budget.damage(member);
    this.later(between(this.#world.random, 0, 10) * this.#world.plan.tickMs, () => member.start());
  }

  /** The disk is empty from now on, and sound. */
  wipe(member: ClusterMember): void {
    member.wipe();
    this.#imageOf(member).harm = 'wiped';
  }

  pair(): readonly [string, string] {
    const { cluster, random } = this.#world;
    const from = this.victim().name;
    const others = cluster.members.map(({ name }) => name).filter((name) => name !== from);
    return [from, others.length === 0 ? from : pick(random, others)];
  }

  /** Dies, and is started again after a while. */
  crash(member: ClusterMember, loss: CrashLoss, isRestarted = true): void {
    const { plan, random } = this.#world;
    if (member.state === 'running') this.#world.note(member.name, `crashes (${loss})`);
    member.crash(loss);
    if (isRestarted) this.later(between(random, 0, 20) * plan.tickMs, () => this.#start(member));
  }

  /** The power of the member fails within that operation of its disk, counted from now. */
  crashWithin(member: ClusterMember, operations: number, loss: CrashLoss): void {
    void member.disk.crashAfter(operations, loss).then(() => this.crash(member, 'keep'));
  }

  setSyncs(member: ClusterMember, ms: number): void {
    const { cluster, random } = this.#world;
    const { clock } = cluster;
    // A process that stands still does not notice that its disk is ready.
    const ofProcess: Clock = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      soon: (task) => clock.soon(task),
      setTimer: (delayMs, task) => this.#sync(member.process ?? clock, delayMs, task),
    };
    member.disk.slowSyncs(ofProcess, () => ms * random.next());
  }

  #sync(clock: Clock, delayMs: number, task: () => void): Timer {
    const done = (): void => {
      this.#syncs.delete(timer);
      task();
    };
    const timer = clock.setTimer(delayMs, done);
    const finish = (): void => {
      timer.cancel();
      clock.soon(done);
    };
    this.#syncs.set(timer, finish);
    return timer;
  }

  block(directions: readonly (readonly [string, string])[]): void {
    for (const [from, to] of directions) this.#world.cluster.network.block(from, to);
    this.mendLater(directions);
  }

  mendLater(directions: readonly (readonly [string, string])[]): void {
    const { cluster, plan, random } = this.#world;
    this.later(between(random, 2, 40) * plan.tickMs, () => {
      for (const [from, to] of directions) cluster.network.unblock(from, to);
    });
  }

  replace(): void {
    this.#replace();
  }

  #next(): void {
    const { plan, random } = this.#world;
    this.later(between(random, 0, 2 * plan.faultEveryMs), () => {
      this.#strike();
      this.#restartFailed(0.5);
      this.#next();
    });
  }

  #strike(): void {
    if (!this.#isStriking) return;
    const kind = pick(this.#world.random, this.#world.plan.faults);
    KINDS[kind]({ world: this.#world, faults: this });
  }

  /** What a supervisor does. */
  #restartFailed(probability: number): void {
    for (const member of this.#world.cluster.members) {
      if (member.state !== 'failed') continue;
      this.#judge(member);
      if (
        isCorrupt(member.failure) &&
        this.#world.random.next() < 0.3 &&
        this.victimOfDamage(member) !== null
      )
        this.#replaceDisk(member);
      if (this.#world.random.next() < probability) this.#start(member);
    }
  }

  #start(member: ClusterMember): void {
    if (member.state === 'running') return;
    this.#world.note(member.name, 'is started');
    member.start();
  }

  /** What somebody does who has read what the member says. */
  #replaceDisk(member: ClusterMember): void {
    this.#budget.damage(member);
    this.#world.note(member.name, 'is given an empty disk');
    this.wipe(member);
  }

  #imageOf({ id }: ClusterMember): DiskImage {
    return this.#world.ghost.imageOf(id);
  }

  /** A member may only fail because of its disk, and must say so. */
  #judge(member: ClusterMember): void {
    const error = member.failure;
    if (error === null) return;
    const code = 'code' in error ? error.code : undefined;
    const isDamage = isCorrupt(error) && this.#budget.isSpent(member);
    const isUnreadable = code === 'SNAPSHOT_NOT_READ_BACK' && this.#budget.isSpent(member);
    const isDisk = ['STORAGE_FAILED', 'DISK_FULL'].includes(String(code));
    if (isDamage || isUnreadable || isDisk) return;
    this.#world.referee.report(new Error(`${member.name} failed: ${error.message}`, { cause: error }));
  }
}

function isCorrupt(error: Error | null): boolean {
  return error !== null && 'code' in error && error.code === 'STORAGE_CORRUPT';
}
