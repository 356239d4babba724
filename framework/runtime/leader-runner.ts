import { LeaderLatch, RunLedger, type Hold } from '../../core/recipes/index.js';
import type { LeaderJob } from '../decorators/leader-only.js';
import type { PlannedLeaderJob } from '../plan.js';
import { Leadership } from './leadership.js';
import type { Runner, RunnerContext } from './runner.js';
import { settledBefore, settledWithin, sleep } from './waiting.js';

/**
 * After a run on election failed, how long this process leaves the leadership to others: doubling, up to the
 * longest.
 */
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 60_000;

/** What a run may take to end once its signal aborted. */
const ABORT_GRACE_MS = 1000;

/**
 * Runs one job in one process of the fleet: stands for election and, while it leads, lets a `Leadership` run it. The terms of
 * this process never overlap. A run on election that throws gives the leadership up, so that another process can try.
 *
 * In a drain a run on election is told to stop at once — it may be meant to last for ever — while one by the clock
 * may finish until the deadline.
 */
export class LeaderRunner implements Runner {
  readonly subject: string;
  readonly #planned: PlannedLeaderJob;
  readonly #instance: LeaderJob;
  readonly #context: RunnerContext;
  /** No further run starts. */
  readonly #draining = new AbortController();
  /** The run in hand is told to stop. */
  readonly #stopping = new AbortController();
  /** What is still to be told to the servers is given up. */
  readonly #closing = new AbortController();
  #standing: Promise<void> = Promise.resolve();
  #latch: LeaderLatch | undefined;
  #failures = 0;
  #hasEnded = false;

  constructor(planned: PlannedLeaderJob, instance: object, context: RunnerContext) {
    this.subject = `leader job ${planned.name}`;
    this.#planned = planned;
    this.#instance = instance as LeaderJob;
    this.#context = context;
  }

  get impediment(): string | null {
    if (this.#hasEnded) return 'does not stand for election any more';
    // Whoever leaves the leadership to others for a while, after a run that failed, does so in order.
    if (this.#latch?.isStanding === true || this.#failures > 0) return null;
    return 'does not stand for election yet';
  }

  async start(): Promise<void> {
    this.#standing = this.#stand().catch((error: unknown) => {
      this.#hasEnded = true;
      this.#context.logger.error('a leader job does not stand for election any more', {
        name: this.#planned.name,
        error,
      });
    });
  }

  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining.abort();
    if (this.#planned.schedule.kind === 'once') this.#stopping.abort();
    if (await settledBefore(deadline, this.#standing)) return;
    this.#stopping.abort();
    const { clock, logger } = this.#context;
    if (!(await settledWithin(clock, ABORT_GRACE_MS, this.#standing)))
      logger.warn('a run of a leader job goes on although its signal aborted', { name: this.#planned.name });
  }

  async close(): Promise<void> {
    this.#draining.abort();
    this.#stopping.abort();
    this.#closing.abort();
    await this.#latch?.close();
  }

  /** One latch after the other: a new one only after a failed run on election gave the last one up. */
  async #stand(): Promise<void> {
    const { client, id } = this.#context;
    while (!this.#draining.signal.aborted) {
      const latch = new LeaderLatch(client, this.#planned.name, { id });
      this.#latch = latch;
      latch.start();
      for await (const hold of latch.leaderships({ signal: this.#draining.signal })) {
        if (hold.signal.aborted) continue;
        const hasFailed = (await this.#lead(hold)) === 'failed';
        this.#failures = hasFailed ? this.#failures + 1 : 0;
        if (hasFailed) break;
      }
      if (this.#draining.signal.aborted) return;
      await latch.close();
      const backoffMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.max(0, this.#failures - 1));
      await sleep(this.#context.clock, backoffMs, this.#draining.signal);
    }
  }

  async #lead(hold: Hold): Promise<'ended' | 'failed'> {
    const { name, history: keep } = this.#planned;
    const { client, events, logger } = this.#context;
    const { fence } = hold;
    logger.info('leadership acquired', { name, fence });
    events.emit({ type: 'leader-acquired', name, fence });
    const lost = (): void => {
      logger.info('leadership ended', { name, fence, reason: hold.signal.reason });
      events.emit({ type: 'leader-lost', name, fence });
    };
    hold.signal.addEventListener('abort', lost, { once: true });
    return new Leadership({
      planned: this.#planned,
      instance: this.#instance,
      context: this.#context,
      ledger: new RunLedger(client, name, { keep }),
      hold,
      draining: this.#draining.signal,
      stopping: this.#stopping.signal,
      closing: this.#closing.signal,
    }).run();
  }
}
