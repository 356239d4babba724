import { between, pick } from '../plan.js';
import type { World } from '../world.js';
import type { Faults } from './faults.js';

/** What happens to the lines between members, and to those of clients. */
export const networkFaults = {
  partition({ world, faults }) {
    const { network, members } = world.cluster;
    const names = members.map(({ name }) => name);
    const isAlone = world.random.next() < 0.4;
    const left = isAlone ? [faults.victim().name] : names.filter(() => world.random.next() < 0.5);
    const right = names.filter((name) => !left.includes(name));
    world.note('net', `is cut between ${left.join()} and ${right.join()}`);
    network.partition(left, right);
    if (world.random.next() < 0.3) for (const a of left) for (const b of right) network.reset(a, b);
    faults.mendLater(crossing(left, right));
  },

  /** One voter keeps most of its links, the others hardly any, so that it may have to lead; in half of the cases it lags behind before. */
  hub({ world, faults }) {
    const { random, cluster, plan } = world;
    const voters = cluster.members.filter(({ isObserver }) => !isObserver).map(({ name }) => name);
    const hub = pick(random, voters);
    if (random.next() < 0.5) return keepLinksOf(hub, voters, { world, faults, kept: 0.75, ofOthers: 0.15 });
    const others = voters.filter((name) => name !== hub);
    world.note('net', `is cut between ${hub} and ${others.join()}`);
    cluster.network.partition([hub], others);
    faults.later(between(random, 1, 5) * plan.tickMs, () => {
      for (const [from, to] of crossing([hub], others)) cluster.network.unblock(from, to);
      // A leader that still serves would bring the hub up to date.
      if (cluster.leader !== undefined && cluster.leader.name !== hub) faults.crash(cluster.leader, 'keep');
      keepLinksOf(hub, voters, { world, faults, kept: 1, ofOthers: 0 });
    });
  },

  /** Votes are changed on their way, for a while in which somebody has to be elected. */
  forgedVotes({ world, faults }) {
    const { random, plan, forger, cluster } = world;
    const share = pick(random, [0.3, 1]);
    forger.forge(share);
    world.note('net', `forges ${share * 100} % of the votes`);
    if (cluster.leader !== undefined && random.next() < 0.5) faults.crash(cluster.leader, 'random');
    faults.later(between(random, 5, 30) * plan.tickMs, () => forger.forge(0));
  },

  /** In one direction only, or between two that others still reach. */
  oneWay({ world, faults }) {
    const [from, to] = faults.pair();
    world.note('net', `lets nothing through from ${from} to ${to}`);
    world.cluster.network.block(from, to);
    faults.mendLater([[from, to]]);
  },

  flap({ world, faults }) {
    const { network } = world.cluster;
    const [a, b] = faults.pair();
    world.note('net', `flaps between ${a} and ${b}`);
    const times = 2 + Math.floor(world.random.next() * 5);
    for (let time = 0; time < times; time++) {
      faults.later(2 * time * world.plan.tickMs, () => network.block(a, b));
      faults.later((2 * time + 1) * world.plan.tickMs, () => network.unblock(a, b));
    }
  },

  reset({ world, faults }) {
    const [a, b] = faults.pair();
    const isHalf = world.random.next() < 0.4;
    world.note('net', `breaks connections of ${a} and ${b}${isHalf ? `, and tells only ${a}` : ''}`);
    if (isHalf) world.cluster.network.halfOpen(a, b);
    else world.cluster.network.reset(a, b);
  },

  slowLine({ world, faults }) {
    const { network } = world.cluster;
    const { random, plan } = world;
    const [from, to] = faults.pair();
    const quality = {
      latencyMs: between(random, 0, 3) * plan.tickMs,
      jitterMs: plan.tickMs,
      bytesPerMs: pick(random, [1, 10, Infinity]),
    };
    world.note('net', `is slow from ${from} to ${to}`);
    network.setLineQuality(from, to, quality);
    const { latencyMs, jitterMs } = plan;
    faults.later(between(random, 2, 30) * plan.tickMs, () =>
      network.setLineQuality(from, to, { latencyMs, jitterMs, bytesPerMs: Infinity }),
    );
  },

  clientLine({ world, faults }) {
    const { network, members } = world.cluster;
    const { random } = world;
    const actor = pick(random, world.actors);
    const member = pick(random, members).name;
    const kind = pick(random, ['reset', 'halfOpen', 'deaf', 'mute', 'cutOff'] as const);
    world.note(actor.name, `has its line to ${member} ${kind}`);
    if (kind === 'reset') network.reset(actor.name, member);
    else if (kind === 'halfOpen') network.halfOpen(actor.name, member);
    else if (kind === 'deaf') faults.block([[member, actor.name]]);
    else if (kind === 'mute') faults.block([[actor.name, member]]);
    else
      faults.block(
        crossing(
          [actor.name],
          members.map(({ name }) => name),
        ),
      );
  },
} satisfies Record<string, (parts: { world: World; faults: Faults }) => void>;

/** Cuts the other links between the voters for a while; `kept` and `ofOthers`: the share of links that stay. */
function keepLinksOf(
  hub: string,
  voters: readonly string[],
  parts: { world: World; faults: Faults; kept: number; ofOthers: number },
): void {
  const { world, faults, kept, ofOthers } = parts;
  const { network } = world.cluster;
  const pairs = voters.flatMap((a, index) => voters.slice(index + 1).map((b) => [a, b] as const));
  const cut = pairs.filter(([a, b]) => world.random.next() >= (a === hub || b === hub ? kept : ofOthers));
  world.note('net', `keeps most links of ${hub}; cut: ${cut.map((pair) => pair.join(' and ')).join(', ')}`);
  for (const [a, b] of cut) {
    network.partition([a], [b]);
    network.reset(a, b);
  }
  faults.mendLater(cut.flatMap(([a, b]) => crossing([a], [b])));
}

function crossing(left: readonly string[], right: readonly string[]): readonly (readonly [string, string])[] {
  return left.flatMap((a) =>
    right.flatMap((b): readonly (readonly [string, string])[] => [
      [a, b],
      [b, a],
    ]),
  );
}
