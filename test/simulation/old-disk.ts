import type { ClusterMember } from '../../core/testing/index.js';
import { check, hex } from './checkers/referee.js';
import { between, isEpochEverUsedUp, pick } from './plan.js';
import type { Waiting } from './waiting.js';
import type { World } from './world.js';

/** A voter whose disk is believed to be lost can be spared. */
const FEWEST_VOTERS = 3;

/**
 * A voter loses its disk and is readmitted with an empty one; later the lost disk is put back. Nothing on it tells that it is old, so
 * its member counts at once, with promises and a log of long ago. While a leader that a quorum of the others follows stays, that does no
 * harm: the member is brought up to date. Until an ensemble knows the directories of its members, an operator must not put a disk
 * back while the others have no leader, and the simulator does not either.
 */
export class OldDisk {
  readonly #world: World;
  readonly #waiting: Waiting;

  constructor(world: World, waiting: Waiting) {
    this.#world = world;
    this.#waiting = waiting;
  }

  /** The ensemble is whole, before and after it. */
  async play(): Promise<void> {
    const { cluster, plan, ghost, roles } = this.#world;
    if (plan.voters < FEWEST_VOTERS || isEpochEverUsedUp(plan)) return;
    roles.expectCalm(null);
    const member = this.#victim();
    const files = await this.#loseDisk(member);
    await this.#waiting.until(() => this.#world.isWhole, `${member.name} is readmitted with an empty disk`);
    if (this.#world.random.next() < 0.5) await this.#replaceLeader();
    await this.#waiting.pass(between(this.#world.random, 1, 20) * plan.tickMs);

    const image = ghost.imageOf(member.id);
    member.crash('keep');
    member.wipe();
    for (const [name, content] of files) member.disk.replace(name, content);
    image.harm = 'old';
    this.#world.note(member.name, `gets its old disk back, which ends before ${hex(image.last)}`);
    const others = cluster.members.filter((other) => other !== member);
    await this.#waiting.until(() => others.every(({ isServing }) => isServing), 'the others serve');
    const { end } = ghost;
    member.start();
    await this.#waiting.until(() => this.#world.isWhole, `${member.name} serves with its old disk`);
    check(image.has(end), () => `${member.name} serves with its old disk, but lacks ${hex(end)}`);
    image.harm = 'sound';
  }

  #victim(): ClusterMember {
    const { cluster, random } = this.#world;
    const voters = cluster.members.filter(({ isObserver }) => !isObserver);
    return cluster.leader !== undefined && random.next() < 0.5 ? cluster.leader : pick(random, voters);
  }

  /** What the lost disk held. In half of the cases the others have not all of it, or it has not all of theirs. */
  async #loseDisk(member: ClusterMember): Promise<ReadonlyMap<string, Uint8Array>> {
    const { cluster, plan, ghost, random } = this.#world;
    const others = cluster.members.filter((other) => other !== member).map(({ name }) => name);
    if (random.next() < 0.5) {
      cluster.network.partition([member.name], others);
      await this.#waiting.pass(between(random, 0, 5) * plan.tickMs);
    }
    member.crash('keep');
    const files = new Map(member.disk.names().map((name) => [name, member.disk.contentOf(name)]));
    member.wipe();
    ghost.imageOf(member.id).harm = 'wiped';
    this.#world.note(member.name, 'loses its disk, which will come back');
    cluster.network.heal();
    member.start();
    return files;
  }

  async #replaceLeader(): Promise<void> {
    const { leader } = this.#world.cluster;
    if (leader === undefined) return;
    leader.crash('keep');
    await this.#waiting.pass(this.#world.plan.tickMs);
    leader.start();
    await this.#waiting.until(() => this.#world.isWhole, 'every member serves after the loss of the leader');
  }
}
