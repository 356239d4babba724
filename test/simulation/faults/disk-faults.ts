import { between, isGentle, pick } from '../plan.js';
import type { World } from '../world.js';
import type { Faults } from './faults.js';

/** Longer than any run. */
const NEVER_MS = 1e9;

/** What a disk does that works badly; its files stay as they are. */
export const diskFaults = {
  slowDisk({ world, faults }) {
    const { random, plan } = world;
    const member = faults.victim();
    const ms = (isGentle(plan) ? 1 : pick(random, [1, 5, 20])) * plan.tickMs;
    world.note(member.name, `has syncs of up to ${ms} ms`);
    faults.setSyncs(member, ms);
    faults.later(between(random, 3, 30) * plan.tickMs, () => faults.setSyncs(member, plan.syncMs));
  },

  /** No sync ever ends, until the machine is restarted, or the disk is repaired at the end. */
  diskHang({ world, faults }) {
    const { random, plan } = world;
    const member = faults.victim();
    world.note(member.name, 'has a disk that hangs');
    faults.setSyncs(member, NEVER_MS);
    if (random.next() < 0.3) return;
    faults.later(between(random, 3, 30) * plan.tickMs, () => {
      faults.setSyncs(member, plan.syncMs);
      faults.crash(member, 'random');
    });
  },

  /** Once, or until somebody looks at the disk. */
  diskError({ world, faults }) {
    const { random, plan } = world;
    const member = faults.victim();
    const operation = pick(random, ['sync', 'sync', 'write', 'rename', 'syncDirectory'] as const);
    const times = pick(random, [1, 1000]);
    world.note(member.name, `has a disk that fails to ${operation}${times > 1 ? ' for ever' : ''}`);
    member.disk.fail({ operation, times, after: Math.floor(random.next() * 10) });
    faults.later(between(random, 3, 20) * plan.tickMs, () => member.disk.repair());
  },

  /** Of a member that runs, for a learner that lags behind, or of one that starts. */
  readError({ world, faults }) {
    const { random, plan, ghost } = world;
    const member = faults.victim();
    const isAlone = world.cluster.members.length === 1;
    // A voter that took its directory for damaged beside empty ones waits for somebody who knows that there never was an ensemble.
    if (plan.mode === 'founding' && ghost.epochs === 0) return;
    if (!isAlone && faults.victimOfDamage(member) === null) return;
    const times = pick(random, [1, 1, 1000]);
    const after = Math.floor(random.next() * 5);
    // What describes a file lies on the disk as well: without it the file cannot be opened.
    const operation = pick(random, ['read', 'read', 'open'] as const);
    world.note(member.name, `has a disk that fails to ${operation}${times > 1 ? ' for ever' : ''}`);
    member.disk.fail({ operation, times, after });
    faults.unreadable(member);
    if (random.next() < 0.5) faults.crash(member, 'random');
    faults.later(between(random, 3, 40) * plan.tickMs, () => faults.readable(member));
  },

  diskFull({ world, faults }) {
    const { random, plan } = world;
    const member = faults.victim();
    world.note(member.name, 'has next to no space left on its disk');
    member.disk.capacityBytes = member.disk.usedBytes + Math.floor(random.next() * 2000);
    faults.later(between(random, 3, 30) * plan.tickMs, () => (member.disk.capacityBytes = Infinity));
  },
} satisfies Record<string, (parts: { world: World; faults: Faults }) => void>;
