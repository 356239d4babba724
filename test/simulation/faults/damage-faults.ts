import type { Random } from '../../../core/runtime/index.js';
import type { ClusterMember, MemoryDisk } from '../../../core/testing/index.js';
import { epochOf } from '../../../core/zab/index.js';
import { between, pick } from '../plan.js';
import type { World } from '../world.js';
import type { Faults } from './faults.js';

/** What a disk loses or damages as one piece. */
const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
/** Blocks at the end of the log at which damage is aimed. */
const LAST_BLOCKS = 3;

/** What happens to the files of a member: what was there is lost, wholly or in part. */
export const damageFaults = {
  /** A bit flips in any file of a member that is down. */
  damage({ world, faults }) {
    const member = faults.victimOfDamage();
    if (member === null) return;
    faults.crash(member, 'keep', false);
    const { random } = world;
    const name = pickSound(member, member.disk.names(), world);
    if (name === undefined) return member.start();
    const offset = Math.floor(random.next() * member.disk.contentOf(name).length);
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
    const name = pickSound(member, disk.names(), world);
    if (name === undefined) return;
    const offset = Math.floor(random.next() * usedBytes(disk.contentOf(name)));
    const image = world.ghost.imageOf(member.id);
    // A power failure in the midst of the next write could take what shows that the last one was there.
    if (name === newestLogOf(disk) && !image.isEndRecorded) faults.crash(member, 'keep');
    hurt(disk, name, { offset, random, note: (what) => world.note(member.name, what) });
    faults.rotten(member);
  },

  /** The last blocks of the newest file of the log are damaged while the member is down, or that file is cut short. */
  tailDamage({ world, faults }) {
    const member = faults.victimOfDamage();
    if (member === null) return;
    faults.crash(member, 'keep', false);
    const { random } = world;
    const { disk } = member;
    const newest = newestLogOf(disk);
    const name = pickSound(member, newest === undefined ? [] : [newest], world);
    if (name === undefined) return member.start();
    const content = disk.contentOf(name);
    const lastBlock = Math.floor((usedBytes(content) - 1) / BLOCK_BYTES);
    const block = Math.max(0, lastBlock - Math.floor(random.next() * LAST_BLOCKS));
    const room = Math.min(BLOCK_BYTES, content.length - block * BLOCK_BYTES);
    const offset = block * BLOCK_BYTES + Math.floor(random.next() * room);
    if (random.next() < 0.2) {
      world.note(member.name, `has ${name} cut to ${offset} bytes`);
      disk.replace(name, content.subarray(0, offset));
    } else hurt(disk, name, { offset, random, note: (what) => world.note(member.name, what) });
    faults.damaged(member);
  },

  /** A single file is removed, emptied or renamed while the member is down. Without all of its small files a disk would be a new one. */
  missingFile({ world, faults }) {
    const member = faults.victimOfDamage();
    if (member === null || world.ghost.imageOf(member.id).harm !== 'sound') return;
    faults.crash(member, 'keep', false);
    const { random } = world;
    const { disk } = member;
    const name = pickFile(disk, random);
    if (name === undefined) return member.start();
    const content = disk.contentOf(name);
    const act = pick(random, ['removed', 'emptied', 'renamed'] as const);
    world.note(member.name, `has ${name} ${act}`);
    if (act === 'emptied') disk.replace(name, new Uint8Array(0));
    else disk.forget(name);
    if (act === 'renamed') disk.replace(otherName(name, random), content);
    faults.damaged(member);
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
      const isKnownToBeOld =
        name !== newestLogOf(member.disk) && epochOf(world.ghost.imageOf(member.id).last) > acceptedEpoch;
      if (!isKnownToBeOld) return member.start();
      world.note(member.name, `has ${name} as it once was`);
      member.disk.replace(name, content);
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

function newestLogOf(disk: MemoryDisk): string | undefined {
  return disk.names().findLast((name) => name.startsWith('log-') && !name.includes('.'));
}

/**
 * One of these files that is not empty. The newest file of the log only while nothing else has happened to the disk: damage to its
 * last records and to the mark that shows that they were there is taken for an append that never ended.
 */
function pickSound({ id, disk }: ClusterMember, names: readonly string[], world: World): string | undefined {
  const isTouched = world.ghost.imageOf(id).harm !== 'sound';
  const newest = newestLogOf(disk);
  const chosen = names.filter(
    (name) => usedBytes(disk.contentOf(name)) > 0 && !(isTouched && name === newest),
  );
  return chosen.length === 0 ? undefined : pick(world.random, chosen);
}

/** Each kind of file as often as any other, however many there are of it; the newest file of the log is a kind. */
function pickFile(disk: MemoryDisk, random: Random): string | undefined {
  const newest = newestLogOf(disk);
  const names = disk.names().filter((name) => !name.includes('.') && !name.includes('/'));
  const kindOf = (name: string): string => (name === newest ? 'newest' : (/^[a-z]+/.exec(name)?.[0] ?? name));
  const kinds = [...new Set(names.map(kindOf))];
  if (kinds.length === 0) return undefined;
  const kind = pick(random, kinds);
  return pick(
    random,
    names.filter((name) => kindOf(name) === kind),
  );
}

/** A copy that somebody made by hand, or a name that belongs to another part of the history. */
function otherName(name: string, random: Random): string {
  const isOfHistory = /^(log|snapshot)-/.test(name);
  if (!isOfHistory || random.next() < 0.5) return `${name}.old`;
  return name.slice(0, -1) + (name.endsWith('7') ? '8' : '7');
}

/** Damages what one block of the disk holds, at most: a bit, a sector or the whole block, by zeros or by anything. */
function hurt(
  disk: MemoryDisk,
  name: string,
  {
    offset,
    random,
    note,
  }: { readonly offset: number; readonly random: Random; readonly note: (what: string) => void },
): void {
  const bytes = pick(random, [0, 0, SECTOR_BYTES, BLOCK_BYTES]);
  if (bytes === 0) {
    note(`has a bit flipped in ${name} at ${offset}`);
    return disk.flipBit(name, offset, Math.floor(random.next() * 8));
  }
  const isZero = random.next() < 0.5;
  const from = offset - (offset % bytes);
  note(`has ${bytes} bytes ${isZero ? 'zeroed' : 'overwritten'} in ${name} at ${from}`);
  const content = Uint8Array.from(disk.contentOf(name));
  const piece = content.subarray(from, from + bytes);
  for (let index = 0; index < piece.length; index++)
    piece[index] = isZero ? 0 : Math.floor(random.next() * 256);
  disk.overwrite(name, from, piece);
}

/** Without the zeros of preallocation. */
function usedBytes(content: Uint8Array): number {
  return content.findLastIndex((byte) => byte !== 0) + 1;
}
