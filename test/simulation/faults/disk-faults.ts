import type { MemoryDisk } from '../../../core/testing/index.js';
import { epochOf } from '../../../core/zab/index.js';
import { between, isGentle, pick } from '../plan.js';
import type { World } from '../world.js';
import type { Faults } from './faults.js';

/** Of the newest log, only what stands in front of that share is sure to have something behind it that proves it. */
/** Longer than any run. */
const NEVER_MS = 1e9;
const PROVEN_SHARE = 0.25;

/** What happens to the disk of a member. */
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
    const operation = pick(random, ['sync', 'sync', 'write', 'rename', 'open', 'syncDirectory'] as const);
    const times = pick(random, [1, 1000]);
    world.note(member.name, `has a disk that fails to ${operation}${times > 1 ? ' for ever' : ''}`);
    member.disk.fail({ operation, times, after: Math.floor(random.next() * 10) });
    faults.later(between(random, 3, 20) * plan.tickMs, () => member.disk.repair());
  },

  /** Of a member that runs, for a learner that lags behind, or of one that starts. */
  readError({ world, faults }) {
    const { random, plan } = world;
    const member = faults.victim();
    const isAlone = world.cluster.members.length === 1;
    if (!isAlone && faults.victimOfDamage(member) === null) return;
    const times = pick(random, [1, 1, 1000]);
    const after = Math.floor(random.next() * 5);
    world.note(member.name, `has a disk that fails to be read${times > 1 ? ' for ever' : ''}`);
    member.disk.fail({ operation: 'read', times, after });
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

  /** Something flips a bit of what a member has long acknowledged. Of few members at a time: that many may be lost. */
  damage({ world, faults }) {
    const member = faults.victimOfDamage();
    if (member === null) return;
    faults.crash(member, 'keep', false);
    const { random } = world;
    const files = member.disk.names();
    if (files.length === 0) return;
    const name = pick(random, files);
    const { length } = member.disk.contentOf(name);
    if (length === 0) return;
    const offset = Math.floor(random.next() * length);
    world.note(member.name, `has a bit flipped in ${name} at ${offset}`);
    member.disk.flipBit(name, offset, Math.floor(random.next() * 8));
    faults.damaged(member);
  },

  /** A block of a file that is in use turns to zeros, or a bit of it flips: the member serves on, but never what is wrong. */
  rot({ world, faults }) {
    const member = faults.victimOfDamage();
    if (member === null) return;
    const { random } = world;
    const { disk } = member;
    const names = disk.names();
    const newestLog = names.findLast((name) => name.startsWith('log-'));
    if (names.length === 0) return;
    const name = pick(random, names);
    const share = name === newestLog ? PROVEN_SHARE : 1;
    const offset = Math.floor(random.next() * share * usedBytes(disk.contentOf(name)));
    const bytes = pick(random, [0, 16, 512]);
    const isLeft = name !== newestLog || bytes < offset;
    if (!isLeft || disk.contentOf(name).length === 0) return;
    world.note(
      member.name,
      `has ${bytes === 0 ? 'a bit flipped' : `${bytes} bytes zeroed`} in ${name} at ${offset}`,
    );
    if (bytes === 0) disk.flipBit(name, offset, Math.floor(random.next() * 8));
    else zero(disk, name, { offset, bytes });
    faults.rotten(member);
  },

  /** A file comes back as it once was. */
  staleFile({ world, faults }) {
    const { random, plan } = world;
    const chosen = pick(random, world.cluster.members);
    const names = chosen.disk.names();
    if (names.length === 0) return;
    const name = pick(random, names);
    const content = chosen.disk.contentOf(name);
    const { acceptedEpoch } = world.ghost.imageOf(chosen.id);
    faults.later(between(random, 1, 20) * plan.tickMs, () => {
      const member = faults.victimOfDamage(chosen);
      if (member === null) return;
      faults.crash(member, 'keep', false);
      // Nothing tells a log that ends sooner, or a promise that was superseded since, from one that was never longer.
      const newestLog = member.disk.names().findLast((other) => other.startsWith('log-'));
      const isKnownToBeOld =
        name !== newestLog && epochOf(world.ghost.imageOf(member.id).last) > acceptedEpoch;
      if (isKnownToBeOld) {
        world.note(member.name, `has ${name} as it once was`);
        member.disk.replace(name, content);
      }
      faults.damaged(member);
    });
  },

  /** A member comes back with an empty disk. */
  amnesia({ world, faults }) {
    const member = faults.victimOfDamage();
    if (member === null) return;
    faults.crash(member, 'keep', false);
    world.note(member.name, 'loses its disk');
    faults.wipe(member);
    faults.damaged(member);
  },
} satisfies Record<string, (parts: { world: World; faults: Faults }) => void>;

/** Without the zeros of preallocation. */
function usedBytes(content: Uint8Array): number {
  return content.findLastIndex((byte) => byte !== 0) + 1;
}

function zero(
  disk: MemoryDisk,
  name: string,
  { offset, bytes }: { readonly offset: number; readonly bytes: number },
): void {
  disk
    .contentOf(name)
    .subarray(offset, offset + bytes)
    .forEach((byte, index) => {
      for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) disk.flipBit(name, offset + index, bit);
    });
}
