import type { ClusterMember } from '../../core/testing/index.js';
import { epochOf } from '../../core/zab/index.js';
import { check, hex } from './checkers/referee.js';
import { between, pick } from './plan.js';
import type { Waiting } from './waiting.js';
import type { World } from './world.js';

/** So long nobody may found an ensemble: three times as long as voters wait for an observer that does not answer. */
const WATCHED_TICKS = 60;

/**
 * The end of a run in which every voter loses its disk at once. What was acknowledged is then on observers alone: the voters found no
 * ensemble without it, and say why.
 */
export class TotalLoss {
  readonly #world: World;
  readonly #waiting: Waiting;

  constructor(world: World, waiting: Waiting) {
    this.#world = world;
    this.#waiting = waiting;
  }

  /** Nothing happens if no observer has a history that is known to be sound. */
  async play(): Promise<void> {
    const { cluster, plan, ghost, roles, random } = this.#world;
    roles.expectCalm(null);
    const witness = cluster.members.find((member) => this.#isWitness(member));
    if (witness === undefined) return;
    const voters = cluster.members.filter(({ isObserver }) => !isObserver);
    for (const voter of voters) {
      voter.crash('keep');
      voter.wipe();
      const image = ghost.imageOf(voter.id);

      image.harm = 'wiped';
    }
    this.#world.note('all', `voters lose their disks; ${witness.name} has a history`);
    const { epochs, end } = ghost;
    for (const voter of voters)
      cluster.clock.setTimer(between(random, 0, 10) * plan.tickMs, () => voter.start());
    // It is away for a shorter time than it is waited for.
    if (random.next() < 0.5)
      cluster.clock.setTimer(between(random, 5, 30) * plan.tickMs, () => {
        witness.crash(pick(random, ['keep', 'lose']));
        cluster.clock.setTimer(between(random, 0, 8) * plan.tickMs, () => witness.start());
      });
    await this.#waiting.pass(WATCHED_TICKS * plan.tickMs);
    // The witness may still deliver what was on its way to it, which is of the last epoch.
    check(
      ghost.epochs === epochs && epochOf(ghost.end) === epochOf(end),
      () => `an ensemble was founded though ${witness.name} has a history up to ${hex(end)}`,
    );
    await this.#waiting.until(
      () => voters.every((voter) => this.#names(voter, witness)),
      `every voter says that ${witness.name} has a history`,
    );
  }

  #isWitness({ id, isObserver, member }: ClusterMember): boolean {
    const image = this.#world.ghost.imageOf(id);
    const isSound = image.harm === 'sound';
    const transactions = this.#world.ghost.list.filter(({ txn, zxid }) => txn !== null && image.has(zxid));
    return isObserver && member !== null && isSound && transactions.length > 0;
  }

  #names({ member }: ClusterMember, witness: ClusterMember): boolean {
    return member?.health().founding?.membersWithHistory.includes(witness.id) ?? false;
  }
}
