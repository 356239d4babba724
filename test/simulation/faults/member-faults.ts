import type { CrashLoss } from '../../../core/storage/index.js';
import { between, isGentle, pick } from '../plan.js';
import type { World } from '../world.js';
import type { Faults } from './faults.js';

/** What happens to the process and the machine of a member. */
export const memberFaults = {
  crash({ world, faults }) {
    faults.crash(faults.victim(), lossOf(world));
  },

  /** Dies between two outputs of one turn, or in the midst of something that its disk does. */
  crashPoint({ world, faults }) {
    const { random } = world;
    const member = faults.victim();
    const steps = 1 + Math.floor(random.next() * 40);
    const loss = lossOf(world);
    if (random.next() < 0.5) {
      world.setTrap(member.id, steps, () => faults.crash(member, loss));
    } else {
      faults.crashWithin(member, steps, loss);
    }
  },

  crashAll({ world, faults }) {
    for (const member of world.cluster.members) faults.crash(member, lossOf(world));
  },

  pause({ world, faults }) {
    const { tickMs } = world.plan;
    const member = faults.victim();
    world.note(member.name, 'is paused');
    member.pause();
    faults.later(between(world.random, 1, 20) * tickMs, () => {
      world.note(member.name, 'goes on');
      member.resume();
    });
  },

  wallClock({ world, faults }) {
    const ms = Math.floor(between(world.random, -1, 1) * 3_600_000);
    const member = faults.victim();
    world.note(member.name, `has its wall clock moved by ${ms} ms`);
    member.jumpWall(ms);
  },

  /** Its monotonic clock stands still, as on a virtual machine that was moved: no timer fires, messages come and go. */
  clockStop({ world, faults }) {
    const member = faults.victim();
    const { process } = member;
    if (process === null) return;
    world.note(member.name, 'has a clock that stands still');
    process.stopClock();
    faults.later(between(world.random, 2, 30) * world.plan.tickMs, () => process.startClock());
  },

  /** In order, as for a new version; where nothing worse happens, one after the other, as the operators' manual has it. */
  restart({ world, faults }) {
    const member = faults.victim();
    if (isGentle(world.plan) && !(world.isWhole && world.isSpare(member))) return;
    world.note(member.name, 'is stopped in order');
    void member.stop().then(
      () => faults.later(between(world.random, 0, 10) * world.plan.tickMs, () => member.start()),
      (error: unknown) => world.referee.report(error),
    );
  },
} satisfies Record<string, (parts: { world: World; faults: Faults }) => void>;

function lossOf({ random }: World): CrashLoss {
  return pick(random, ['keep', 'lose', 'random', 'random']);
}
