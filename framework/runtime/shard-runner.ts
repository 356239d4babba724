import { ShardAssignment, type OwnedShard } from '../../core/recipes/index.js';
import type { ShardedTask } from '../decorators/sharded.js';
import type { PlannedShards } from '../plan.js';
import type { Runner, RunnerContext } from './runner.js';
import { settledBefore } from './waiting.js';

/** Takes part in the division of one set of shards, and runs the class once for each that this process owns. */
export class ShardRunner implements Runner {
  readonly subject: string;
  readonly #planned: PlannedShards;
  readonly #instance: ShardedTask;
  readonly #context: RunnerContext;
  readonly #assignment: ShardAssignment;

  constructor(planned: PlannedShards, instance: object, context: RunnerContext) {
    const { name, shards, rejoinMs } = planned;
    this.subject = `shards of ${name}`;
    this.#planned = planned;
    this.#instance = instance as ShardedTask;
    this.#context = context;
    this.#assignment = new ShardAssignment(context.client, name, (owned) => this.#run(owned), {
      shards,
      rejoinMs,
      id: context.id,
    });
  }

  get impediment(): string | null {
    const { state, members } = this.#assignment;
    if (state === 'closed') return 'does not take part in the division any more';
    return members.isRegistered ? null : 'does not take part in the division yet';
  }

  async start(): Promise<void> {
    this.#assignment.start();
  }

  /** A run is meant to last: all are asked to end at once, and have until the deadline. */
  async drain(deadline: AbortSignal): Promise<void> {
    if (await settledBefore(deadline, this.#assignment.close())) return;
    const { name } = this.#planned;
    this.#context.logger.warn('tasks of shards go on although their signals aborted', { name });
  }

  /** What has not obeyed by now loses its shard with the session. */
  async close(): Promise<void> {
    void this.#assignment.close();
  }

  async #run(owned: OwnedShard): Promise<void> {
    const { events, logger } = this.#context;
    const { name } = this.#planned;
    const { shard, fence, signal } = owned;
    events.emit({ type: 'shard-acquired', name, shard, fence });
    const lost = (): void => {
      logger.info('a shard is let go', { name, shard, fence, reason: signal.reason });
      events.emit({ type: 'shard-lost', name, shard, fence });
    };
    signal.addEventListener('abort', lost, { once: true });
    try {
      await this.#instance.run(owned);
    } catch (error) {
      if (!(signal.aborted && error === signal.reason))
        events.emit({ type: 'shard-failed', name, shard, fence, error });
      throw error;
    }
  }
}
