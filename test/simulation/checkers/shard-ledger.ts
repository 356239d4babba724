import { HoldLostError, type OwnedShard, type ShardAssignment } from '../../../core/recipes/index.js';
import { check, hex } from './referee.js';

/** Who does the task of a shard, as far as it matters here. */
export interface Tasker {
  readonly name: string;
  readonly process: { readonly state: 'running' | 'paused' | 'dead' };
}

interface Task {
  readonly owner: Tasker;
  readonly owned: OwnedShard;
}

/**
 * The tasks of shards. Of the one that begins, nobody living still does another that could count as the owner's: it has ended,
 * or its owner was told before that the shard is lost. That is what a hand-over promises where clocks are right and nobody
 * stands still; what is in one process promises it always, and without the exception.
 */
export class ShardLedger {
  readonly #isFair: boolean;
  readonly #tasks = new Map<number, Set<Task>>();
  readonly #fences = new Map<number, bigint>();
  #begun = 0;

  /** `isFair`: clocks agree and no client is ever paused. */
  constructor({ isFair }: { readonly isFair: boolean }) {
    this.#isFair = isFair;
  }

  get begun(): number {
    return this.#begun;
  }

  /** A task begins. What is returned is to be called when it has ended. */
  begins(owner: Tasker, owned: OwnedShard): () => void {
    const { shard, fence } = owned;
    this.#begun += 1;
    check(
      !owned.signal.aborted,
      () => `${owner.name} begins shard ${shard}, which it is to let go of already`,
    );
    const last = this.#fences.get(shard) ?? 0n;
    check(
      fence > last || !this.#isFair,
      () => `${owner.name} begins shard ${shard} with fence ${hex(fence)}, behind ${hex(last)}`,
    );
    const tasks = this.#tasks.get(shard) ?? new Set();
    for (const task of tasks) this.#compare(task, { owner, owned });
    const task = { owner, owned };
    this.#tasks.set(shard, tasks.add(task));
    if (fence > last) this.#fences.set(shard, fence);
    return () => tasks.delete(task);
  }

  #compare(before: Task, { owner, owned: { shard } }: Task): void {
    check(before.owner !== owner, () => `${owner.name} does shard ${shard} twice at a time`);
    if (!this.#isFair || before.owner.process.state === 'dead') return;
    const { signal, lost } = before.owned;
    check(
      signal.aborted && lost.reason instanceof HoldLostError,
      () =>
        `${owner.name} begins shard ${shard} while ${before.owner.name} ${signal.aborted ? 'is letting go of it' : 'owns it'}, though all clocks are right`,
    );
  }
}

/** Whether each shard is owned by one of those, and nobody owns two more than another; also if there is nobody. */
export function areDivided(
  assignments: readonly Pick<ShardAssignment, 'shards' | 'owned' | 'state'>[],
): boolean {
  const started = assignments.filter(({ state }) => state === 'started');
  const [first] = started;
  if (first === undefined) return true;
  const counts = started.map(({ owned }) => owned.size);
  const owned = new Set(started.flatMap((assignment) => [...assignment.owned.keys()]));
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total === first.shards && owned.size === total && Math.max(...counts) - Math.min(...counts) <= 1;
}
