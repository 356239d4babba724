import type { ClusterMember } from '../../../core/testing/index.js';
import { between, pick } from '../plan.js';
import type { World } from '../world.js';
import type { Faults } from './faults.js';

/** Most ticks for which a member that lost its disk is waited for. */
const MOST_TICKS = 60;

/** Faults that each alone would do no harm, aimed so that they meet. */
export const aimedFaults = {
  /**
   * A voter lags behind, another one loses its disk, and when that one counts again, or before, the leader crashes, which may be
   * the only one that has what was acknowledged.
   */
  lagAndLoss({ world, faults }) {
    const { random, plan, cluster } = world;
    const { leader } = cluster;
    const others = cluster.members.filter((member) => !member.isObserver && member !== leader);
    if (leader === undefined || others.length < 2) return;
    const [loser, lagging] = pick(random, [others.slice(0, 2), others.slice(-2).reverse()]) as [
      ClusterMember,
      ClusterMember,
    ];
    delay(leader, { lagging, loser }, { world, faults });
    faults.later(between(random, 1, 10) * plan.tickMs, () => {
      if (faults.victimOfDamage(loser) === null) return;
      faults.crash(loser, 'keep', false);
      world.note(loser.name, 'loses its disk');
      faults.wipe(loser);
      faults.damaged(loser);
      const isPatient = random.next() < 0.7;
      whenCounted(loser, isPatient ? MOST_TICKS : between(random, 0, 5), { world, faults }, () =>
        faults.crash(leader, pick(random, ['keep', 'lose', 'random'])),
      );
    });
  },
} satisfies Record<string, (parts: { world: World; faults: Faults }) => void>;

/** The lines from the leader to both are so slow that they do not keep up; or the one that lags is stopped for a while. */
function delay(
  leader: ClusterMember,
  { lagging, loser }: { readonly lagging: ClusterMember; readonly loser: ClusterMember },
  { world, faults }: { readonly world: World; readonly faults: Faults },
): void {
  const { random, plan, cluster } = world;
  const { latencyMs, jitterMs, tickMs } = plan;
  const bytesPerMs = pick(random, [1, 5, 20]);
  world.note('net', `is slow from ${leader.name} to ${lagging.name} and ${loser.name}`);
  for (const { name } of [lagging, loser]) {
    cluster.network.setLineQuality(leader.name, name, { latencyMs, jitterMs, bytesPerMs });
    faults.later(between(random, 20, 60) * tickMs, () =>
      cluster.network.setLineQuality(leader.name, name, { latencyMs, jitterMs, bytesPerMs: Infinity }),
    );
  }
  if (random.next() < 0.5) return;
  faults.crash(lagging, 'keep', false);
  faults.later(between(random, 2, 20) * tickMs, () => lagging.start());
}

/** Calls `then` once the member counts again, or after so many ticks. */
function whenCounted(
  member: ClusterMember,
  ticks: number,
  parts: { readonly world: World; readonly faults: Faults },
  then: () => void,
): void {
  const { world, faults } = parts;
  if (ticks <= 0 || world.ghost.imageOf(member.id).isCounted) return then();
  faults.later(world.plan.tickMs, () => whenCounted(member, ticks - 1, parts, then));
}
