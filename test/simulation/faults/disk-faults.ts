import { between, pick } from '../plan.js';
import type { World } from '../world.js';
import type { Faults } from './faults.js';

/** What happens to the disk of a member. */
export const diskFaults = {
  slowDisk({ world, faults }) {
    const { random, plan } = world;
    const member = faults.victim();
    const ms = pick(random, [1, 5, 20]) * plan.tickMs;
    world.note(member.name, `has syncs of up to ${ms} ms`);
    faults.setSyncs(member, ms);
    faults.later(between(random, 3, 30) * plan.tickMs, () => faults.setSyncs(member, plan.syncMs));
  },

  /** Once, or until somebody looks at the disk. */
  diskError({ world, faults }) {
    const { random, plan } = world;
    const member = faults.victim();
    const operation = pick(random, ['sync', 'sync', 'write', 'rename', 'open', 'syncDirectory'] as const);
    const times = pick(random, [1, 1000]);
    world.note(member.name, `has a disk that fails to ${operation}${times > 1 ? ' for ever' : ''}`);
    member.disk.fail({ operation, times, after: Math.floor(random.next() * 10) });
    faults.later(between(random, 3, 20) * plan.tickMs, () => member.disk.repair());
  },

  diskFull({ world, faults }) {
    const { random, plan } = world;
    const member = faults.victim();
    world.note(member.name, 'has next to no space left on its disk');
    member.disk.capacityBytes = member.disk.usedBytes + Math.floor(random.next() * 2000);
    faults.later(between(random, 3, 30) * plan.tickMs, () => (member.disk.capacityBytes = Infinity));
  },

  /** Something flips a bit of what a member has long acknowledged. Of few members at a time: that many may be lost. */
  damage({ world, faults }) {
    const member = faults.victimOfDamage();
    if (member === null) return;
    faults.crash(member, 'keep', false);
    const { random } = world;
    const files = member.disk.names();
    const name = pick(random, files);
    const { length } = member.disk.contentOf(name);
    if (length === 0) return;
    const offset = Math.floor(random.next() * length);
    world.note(member.name, `has a bit flipped in ${name} at ${offset}`);
    member.disk.flipBit(name, offset, Math.floor(random.next() * 8));
    faults.damaged(member);
  },

  /** A member comes back with an empty disk. */
  amnesia({ world, faults }) {
    const member = faults.victimOfDamage();
    if (member === null) return;
    faults.crash(member, 'keep', false);
    world.note(member.name, 'loses its disk');
    member.wipe();
    faults.damaged(member);
  },
} satisfies Record<string, (parts: { world: World; faults: Faults }) => void>;
