import { LeaderLatch, type Hold } from '../../core/recipes/index.js';
import type { LeaderJob } from '../decorators/leader-only.js';
import type { PlannedLeaderJob } from '../plan.js';
import type { Runner, RunnerContext } from './runner.js';
import { aborted, settledBefore, settledWithin, sleep } from './waiting.js';

/** Wall time may be set while a run is waited for, so it is looked at again at least this often. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * After a run on election failed, how long this process leaves the leadership to others: doubling, up to the
 * longest.
 */
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 60_000;

/** What a run may take to end once its signal aborted. */
const ABORT_GRACE_MS = 1000;

/**
 * Runs one job in one process of the fleet: stands for election and, while it leads, runs when the schedule says
 * so. Runs never overlap, neither with each other nor with those of an earlier leadership of this process. What a
 * run throws is an event and a log line. A run on election that throws gives the leadership up, so that another
 * process can try.
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
  #standing: Promise<void> = Promise.resolve();
  #latch: LeaderLatch | undefined;
  #failures = 0;

  constructor(planned: PlannedLeaderJob, instance: object, context: RunnerContext) {
    this.subject = `leader job ${planned.name}`;
    this.#planned = planned;
    this.#instance = instance as LeaderJob;
    this.#context = context;
  }

  async start(): Promise<void> {
    this.#standing = this.#stand().catch((error: unknown) => {
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
    const { name } = this.#planned;
    const { events, logger } = this.#context;
    const { fence } = hold;
    logger.info('leadership acquired', { name, fence });
    events.emit({ type: 'leader-acquired', name, fence });
    const lost = (): void => {
      logger.info('leadership ended', { name, fence, reason: hold.signal.reason });
      events.emit({ type: 'leader-lost', name, fence });
    };
    hold.signal.addEventListener('abort', lost, { once: true });
    return this.#runBySchedule(hold);
  }

  #runBySchedule(hold: Hold): Promise<'ended' | 'failed'> {
    const { schedule } = this.#planned;
    /** No further run under this leadership. */
    const over = AbortSignal.any([hold.signal, this.#draining.signal]);
    if (schedule.kind === 'once') return this.#runOnce(hold, over);
    if (schedule.kind === 'every') return this.#runEvery(schedule.intervalMs, hold, over);
    return this.#runByCalendar(schedule.next, hold, over);
  }

  async #runOnce(hold: Hold, over: AbortSignal): Promise<'ended' | 'failed'> {
    const isDone = await this.#run(hold, this.#context.clock.wall(), 1);
    if (!isDone && !over.aborted) return 'failed';
    await aborted(over);
    return 'ended';
  }

  async #runEvery(intervalMs: number, hold: Hold, over: AbortSignal): Promise<'ended'> {
    const { clock } = this.#context;
    for (let count = 1; !over.aborted; count++) {
      const startedAt = clock.now();
      await this.#run(hold, clock.wall(), count);
      await sleep(clock, Math.max(0, startedAt + intervalMs - clock.now()), over);
    }
    return 'ended';
  }

  async #runByCalendar(
    next: (wallMs: number) => number | null,
    hold: Hold,
    over: AbortSignal,
  ): Promise<'ended'> {
    const { clock } = this.#context;
    let due = next(clock.wall());
    for (let count = 1; due !== null && (await this.#sleepUntil(due, over)); count++) {
      await this.#run(hold, due, count);
      // What fell due during the run is left out.
      due = next(Math.max(due, clock.wall()));
    }
    if (due === null) await aborted(over);
    return 'ended';
  }

  async #sleepUntil(wallMs: number, over: AbortSignal): Promise<boolean> {
    const { clock } = this.#context;
    for (let rest = wallMs - clock.wall(); rest > 0; rest = wallMs - clock.wall()) {
      if (!(await sleep(clock, Math.min(rest, LONGEST_SLEEP_MS), over))) return false;
    }
    return !over.aborted;
  }

  async #run(hold: Hold, scheduledMs: number, count: number): Promise<boolean> {
    const { clock, events, logger } = this.#context;
    const { name } = this.#planned;
    const scheduledAt = new Date(scheduledMs);
    const signal = AbortSignal.any([hold.signal, this.#stopping.signal]);
    const startedAt = clock.now();
    try {
      await this.#instance.run({ signal, fence: hold.fence, occurrence: { count, scheduledAt } });
      events.emit({ type: 'run-done', name, scheduledAt, durationMs: clock.now() - startedAt });
      return true;
    } catch (error) {
      // Throwing the signal's own reason is how well-behaved code answers to it.
      if (signal.aborted && error === signal.reason) return true;
      logger.error('a run of a leader job failed', { name, scheduledAt, error });
      events.emit({ type: 'run-failed', name, scheduledAt, error });
      return false;
    }
  }
}
