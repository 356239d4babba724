import type { Delivered } from './ghost.js';
import { check, hex } from './referee.js';
import { parentOf, type TreeModel } from './tree-model.js';

/** Jobs of a queue: what was enqueued gets done, at least once; and nothing is done that nobody asked for. */
export class JobLedger {
  readonly #enqueued = new Set<string>();
  /** Those whose enqueuing nobody knows the outcome of. */
  readonly #perhaps = new Set<string>();
  /** Those that were begun before their enqueuing was acknowledged. */
  readonly #early = new Set<string>();
  readonly #done = new Map<string, number>();
  readonly #fences = new Map<string, bigint>();

  get enqueued(): number {
    return this.#enqueued.size;
  }

  /** Values that were acknowledged and that nobody has done. */
  get left(): readonly string[] {
    return [...this.#enqueued].filter((value) => !this.#done.has(value));
  }

  /** Done more than once. */
  get repeated(): number {
    return [...this.#done.values()].filter((times) => times > 1).length;
  }

  tried(value: string): void {
    this.#perhaps.add(value);
  }

  acknowledged(value: string): void {
    this.#enqueued.add(value);
  }

  /** A worker has begun: with a higher fence than whoever had it before. */
  begun(value: string, fence: bigint): void {
    check(this.#perhaps.has(value), () => `the job ${value} was begun, which nobody enqueued`);
    if (!this.#enqueued.has(value)) this.#early.add(value);
    const before = this.#fences.get(value) ?? 0n;
    check(fence > before, () => `the job ${value} is begun with fence ${fence}, behind ${before}`);
    this.#fences.set(value, fence);
  }

  /** A claim is removed by its own session alone: who settles a job by somebody else's claim comes too late. */
  delivered({ zxid, txn }: Delivered, model: TreeModel): void {
    if (txn?.outcome.type !== 'multi') return;
    for (const { outcome } of txn.outcome.parts) {
      if (outcome.type !== 'delete' || !parentOf(outcome.path).endsWith('/claims')) continue;
      const owner = model.before(outcome.path, zxid)?.owner ?? txn.sessionId;
      check(
        owner === txn.sessionId,
        () =>
          `session ${hex(txn.sessionId)} removes the claim ${outcome.path} of ${hex(owner)} at ${hex(zxid)}`,
      );
    }
  }

  /**
   * The servers took a completion: that of whoever had the job last. Nothing is said of a job that was begun before its enqueuing was
   * acknowledged: it may have been added a second time after it was done.
   */
  completed(value: string, fence: bigint): void {
    if (this.#early.has(value)) return;
    const last = this.#fences.get(value) ?? 0n;
    check(fence >= last, () => `the job ${value} was completed with fence ${fence}, after ${last} had begun`);
  }

  done(value: string): void {
    this.#done.set(value, (this.#done.get(value) ?? 0) + 1);
  }
}
