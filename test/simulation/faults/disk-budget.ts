import type { CrashLoss } from '../../../core/storage/index.js';
import type { ClusterMember } from '../../../core/testing/index.js';
import type { DiskImage } from '../checkers/disk-image.js';
import type { World } from '../world.js';

/**
 * Keeps the budget of faults: until they are readmitted, at most a minority of members has a disk that is lost or damaged. Where
 * progress is demanded, members count too whose power has failed while they wrote: a log with an ambiguous end beside a lost disk
 * makes an ensemble wait for an operator (`core/zab/ambiguous-end.ts`).
 */
export class DiskBudget {
  readonly #world: World;
  readonly #most: number;
  /** Their disks have been tampered with, and they have not come up to date since. */
  readonly #damaged = new Set<ClusterMember>();
  /** Their disks were tampered with at any time. */
  readonly #tampered = new Set<ClusterMember>();
  /** Reads of their disks fail: what is there is sound, but nobody can know. */
  readonly #unreadable = new Set<ClusterMember>();
  /** Their power has failed while they wrote, or is about to, and they have not served since. */
  readonly #uncertain = new Set<ClusterMember>();
  /** Those of them whose power fails within an operation of the disk to come. */
  readonly #armed = new Set<ClusterMember>();

  constructor(world: World) {
    this.#world = world;
    this.#most = Math.floor((world.plan.voters - 1) / 2);
  }

  /** Whether this disk may be lost now. */
  allows(member: ClusterMember): boolean {
    this.#forgetRecovered();
    if (!this.#demandsProgress) return this.#damaged.has(member) || this.#damaged.size < this.#most;
    return new Set([...this.#damaged, ...this.#uncertain, member]).size <= this.#most;
  }

  /** Whether the member may say that files of its disk are damaged: a file that no start needs may still be, long afterwards. */
  isSpent(member: ClusterMember): boolean {
    return this.#tampered.has(member);
  }

  /** What a power failure of the member may take now. */
  lossOf(member: ClusterMember, loss: CrashLoss): CrashLoss {
    if (loss !== 'random' || member.isObserver) return loss;
    this.#forgetRecovered();
    if (this.#demandsProgress && this.#damaged.size > 0 && !this.allows(member)) return 'lose';
    this.#uncertain.add(member);
    return loss;
  }

  /** Its power fails within an operation of its disk to come. */
  arm(member: ClusterMember): void {
    this.#armed.add(member);
  }

  disarm(member: ClusterMember): void {
    this.#armed.delete(member);
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

  get #demandsProgress(): boolean {
    return this.#world.plan.mode !== 'safety';
  }

  #forgetRecovered(): void {
    for (const member of this.#damaged) {
      if (!this.#hasRecovered(member)) continue;
      this.#damaged.delete(member);
      this.#imageOf(member).harm = 'sound';
    }
    for (const member of this.#uncertain)
      if (member.isServing && !this.#armed.has(member)) this.#uncertain.delete(member);
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
