import type { ClusterMember } from '../../../core/testing/index.js';
import type { DiskImage } from '../checkers/disk-image.js';
import type { World } from '../world.js';

/** Keeps the budget of faults: until they are readmitted, at most a minority of members has a disk that is lost or damaged. */
export class DiskBudget {
  readonly #world: World;
  readonly #most: number;
  /** Their disks have been tampered with, and they have not come up to date since. */
  readonly #damaged = new Set<ClusterMember>();
  /** Their disks were tampered with at any time. */
  readonly #tampered = new Set<ClusterMember>();
  /** Reads of their disks fail: what is there is sound, but nobody can know. */
  readonly #unreadable = new Set<ClusterMember>();

  constructor(world: World) {
    this.#world = world;
    this.#most = Math.floor((world.plan.voters - 1) / 2);
  }

  /** Whether this disk may be lost now. */
  allows(member: ClusterMember): boolean {
    this.#forgetRecovered();
    // Reads can fail of more disks, the only one among them: no such disk may be lost besides.
    const least = this.#damaged.has(member) ? 0 : 1;
    return this.#damaged.size + least <= this.#most;
  }

  /** Whether the member may say that files of its disk are damaged: a file that no start needs may still be, long afterwards. */
  isSpent(member: ClusterMember): boolean {
    return this.#tampered.has(member);
  }

  damage(member: ClusterMember): void {
    this.#damaged.add(member);
    this.#tampered.add(member);
  }

  /** Reads of its disk fail until `readable`; a member that starts meanwhile takes its files for damaged, and rejoins. */
  unreadable(member: ClusterMember): void {
    const image = this.#imageOf(member);
    if (image.harm === 'sound') image.harm = 'unreadable';
    this.#unreadable.add(member);
    this.damage(member);
  }

  readable(member: ClusterMember): void {
    this.#unreadable.delete(member);
  }

  #forgetRecovered(): void {
    for (const member of this.#damaged) {
      if (!this.#hasRecovered(member)) continue;
      this.#damaged.delete(member);
      this.#imageOf(member).harm = 'sound';
    }
  }

  /** It serves again, and a voter counts again: another disk may be lost. */
  #hasRecovered(member: ClusterMember): boolean {
    const image = this.#imageOf(member);
    const isSound = image.harm === 'sound' || image.harm === 'unreadable';
    return (
      member.isServing && isSound && !this.#unreadable.has(member) && (member.isObserver || image.isCounted)
    );
  }

  #imageOf({ id }: ClusterMember): DiskImage {
    return this.#world.ghost.imageOf(id);
  }
}
