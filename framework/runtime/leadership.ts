import {
  describeFailure,
  type ClaimedRun,
  type Due,
  type Hold,
  type RunLedger,
} from '../../core/recipes/index.js';
import type { LeaderJob, OverlappingRuns } from '../decorators/leader-only.js';
import type { PlannedLeaderJob } from '../plan.js';
import type { RunnerContext } from './runner.js';
import { lastMoments, type Schedule } from './schedule.js';
import { aborted, sleep } from './waiting.js';

/** Wall time may be set while a run is waited for, so it is looked at again at least this often. */
const LONGEST_SLEEP_MS = 60_000;

/** How many moments that came during a run may wait for its end. */
const MOST_WAITING = 100;

export interface LeadershipParts {
  readonly planned: PlannedLeaderJob;
  readonly instance: LeaderJob;
  readonly context: RunnerContext;
  readonly ledger: RunLedger;
  readonly hold: Hold;
  /** No further run starts. */
  readonly draining: AbortSignal;
  /** Runs in hand are told to stop. */
  readonly stopping: AbortSignal;
  /** Nobody waits any longer for the end of a run to be written down. */
  readonly closing: AbortSignal;
}

type Kind<K extends Schedule['kind']> = Extract<Schedule, { readonly kind: K }>;

/**
 * One term of one leader: runs the job when the schedule, or somebody, says so. Every run is claimed before it begins, so that
 * it takes place in this term or in another or not at all, never twice. What a run throws is an event, a log line and its
 * outcome in the history.
 */
export class Leadership {
  readonly #parts: LeadershipParts;
  /** No further run in this term. */
  readonly #over: AbortSignal;
  readonly #inHand = new Set<Promise<unknown>>();
  /** What must not overlap goes one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
    this.#over = AbortSignal.any([parts.hold.signal, parts.draining]);
  }

  /** Resolves when the term is over and nothing is in hand; 'failed' if a run on election failed, so that another should try. */
  async run(): Promise<'ended' | 'failed'> {
    const asked = this.#serveTriggers();
    try {
      await this.#settlePredecessors();
      return await this.#runBySchedule();
    } finally {
      await asked;
      while (this.#inHand.size > 0) await Promise.allSettled(this.#inHand);
    }
  }

  async #settlePredecessors(): Promise<void> {
    try {
      await this.#parts.ledger.settle(this.#parts.hold);
    } catch (error) {
      if (!this.#over.aborted)
        this.#refused('the runs of earlier leaders could not be looked through', error);
    }
  }

  async #runBySchedule(): Promise<'ended' | 'failed'> {
    const { schedule } = this.#parts.planned;
    switch (schedule.kind) {
      case 'once':
        return this.#runOnce();
      case 'every':
        await this.#runEvery(schedule);
        break;
      case 'cron':
        await this.#runByCalendar(schedule);
        break;
    }
    await aborted(this.#over);
    return 'ended';
  }

  async #runOnce(): Promise<'ended' | 'failed'> {
    const scheduledAt = this.#parts.context.clock.wall();
    const outcome = await this.#start({ kind: 'election', scheduledAt }, 'wait');
    if (outcome === 'failed' && !this.#over.aborted) {
      this.#giveUp();
      return 'failed';
    }
    await aborted(this.#over);
    return 'ended';
  }

  async #runEvery({ intervalMs, overlap }: Kind<'every'>): Promise<void> {
    const { clock } = this.#parts.context;
    const last = await this.#lastDue();
    // A clock that was set back is not to stop the job for long.
    const restMs = last === null ? 0 : Math.min(intervalMs, last + intervalMs - clock.wall());
    let dueAt = clock.now() + Math.max(0, restMs);
    while (await sleep(clock, Math.max(0, dueAt - clock.now()), this.#over)) {
      const run = this.#start({ kind: 'scheduled', scheduledAt: clock.wall(), isOfCalendar: false }, overlap);
      if (overlap !== 'allow') await run;
      dueAt += intervalMs;
      const lateMs = clock.now() - dueAt;
      if (lateMs > 0 && overlap !== 'skip') dueAt = clock.now();
      if (lateMs > 0 && overlap === 'skip') dueAt += Math.ceil(lateMs / intervalMs) * intervalMs;
    }
  }

  async #runByCalendar({ next, missed, overlap }: Kind<'cron'>): Promise<void> {
    const { clock } = this.#parts.context;
    const last = await this.#lastDue();
    const now = clock.wall();
    if (last !== null) await this.#makeUpFor(last, now, { next, missed });
    let due = next(overlap === 'wait' ? now : Math.max(now, clock.wall()));
    while (due !== null && (await this.#sleepUntil(due))) {
      const run = this.#start({ kind: 'scheduled', scheduledAt: due }, overlap);
      if (overlap !== 'allow') await run;
      due = this.#after(due, { next, overlap });
    }
  }

  async #makeUpFor(
    last: number,
    now: number,
    { next, missed }: Pick<Kind<'cron'>, 'next' | 'missed'>,
  ): Promise<void> {
    const first = next(last);
    if (first === null || first > now) return;
    const moments = lastMoments(next, last, now, missed);
    const { events, logger } = this.#parts.context;
    const { name } = this.#parts.planned;
    const since = new Date(first);
    logger.info('moments passed while nobody led', { name, since, madeUpFor: moments.length });
    events.emit({ type: 'runs-missed', name, since, madeUpFor: moments.length });
    for (const scheduledAt of moments) {
      if (this.#over.aborted) return;
      await this.#start({ kind: 'missed', scheduledAt }, 'wait');
    }
  }

  /** The next moment; what fell due during a run is left out, unless it may wait. */
  #after(due: number, { next, overlap }: Pick<Kind<'cron'>, 'next' | 'overlap'>): number | null {
    const now = this.#parts.context.clock.wall();
    const following = next(due);
    if (following === null || following > now) return following;
    if (overlap === 'wait') return lastMoments(next, due, now, MOST_WAITING)[0] ?? following;
    this.#skipped(following, 'overlap');
    return next(Math.max(due, now));
  }

  async #sleepUntil(wallMs: number): Promise<boolean> {
    const { clock } = this.#parts.context;
    for (let rest = wallMs - clock.wall(); rest > 0; rest = wallMs - clock.wall()) {
      if (!(await sleep(clock, Math.min(rest, LONGEST_SLEEP_MS), this.#over))) return false;
    }
    return !this.#over.aborted;
  }

  async #serveTriggers(): Promise<void> {
    const { ledger } = this.#parts;
    const begun = new Set<string>();
    try {
      for await (const triggers of ledger.triggers(this.#over)) {
        for (const trigger of triggers) {
          if (begun.has(trigger)) continue;
          begun.add(trigger);
          const scheduledAt = this.#parts.context.clock.wall();
          void this.#start({ kind: 'triggered', scheduledAt, trigger }, this.#overlapOfTriggers());
        }
        for (const trigger of begun) if (!triggers.includes(trigger)) begun.delete(trigger);
      }
    } catch (error) {
      if (!this.#over.aborted) this.#refused('runs that were asked for cannot be looked up', error);
    }
  }

  #overlapOfTriggers(): OverlappingRuns {
    const { schedule } = this.#parts.planned;
    return schedule.kind !== 'once' && schedule.overlap === 'allow' ? 'allow' : 'wait';
  }

  /** Null: it was not run. Rejects never. */
  #start(due: Due, overlap: OverlappingRuns): Promise<'done' | 'failed' | null> {
    const run = overlap === 'allow' ? this.#take(due) : this.#last.then(() => this.#take(due));
    if (overlap !== 'allow') this.#last = run;
    this.#inHand.add(run);
    void run.finally(() => this.#inHand.delete(run));
    return run;
  }

  async #take(due: Due): Promise<'done' | 'failed' | null> {
    if (this.#over.aborted) return null;
    const { ledger, hold, context } = this.#parts;
    try {
      const claimed = await ledger.claim(hold, due, context.id);
      if (claimed !== null) return await this.#carryOut(claimed);
      if (due.kind !== 'triggered') this.#skipped(due.scheduledAt, 'taken');
    } catch (error) {
      if (!this.#over.aborted) this.#failed(due.scheduledAt, error);
    }
    return null;
  }

  async #carryOut(claimed: ClaimedRun): Promise<'done' | 'failed' | null> {
    const { instance, hold, stopping, context, planned } = this.#parts;
    const { clock, events } = context;
    const { kind, scheduledAt: dueMs } = claimed.record;
    const scheduledAt = new Date(dueMs);
    const signal = AbortSignal.any([hold.signal, stopping]);
    const startedAt = clock.now();
    if (signal.aborted) {
      // The stop, or the loss, came while the claim was on its way: the job would never hear of it.
      this.#writeDown(claimed, { outcome: 'aborted', durationMs: 0 });
      return null;
    }
    const id = claimed.path.slice(claimed.path.lastIndexOf('/') + 1);
    const occurrence = { id, kind, count: ++this.#count, scheduledAt };
    events.emit({ type: 'run-started', name: planned.name, scheduledAt, kind });
    try {
      await instance.run({ signal, fence: hold.fence, occurrence });
    } catch (error) {
      const durationMs = clock.now() - startedAt;
      // Throwing the signal's own reason is how well-behaved code answers to it.
      if (!(signal.aborted && error === signal.reason)) {
        this.#failed(dueMs, error);
        this.#writeDown(claimed, { outcome: 'failed', durationMs, error: describeFailure(error) });
        return 'failed';
      }
    }
    const durationMs = clock.now() - startedAt;
    this.#writeDown(claimed, { outcome: signal.aborted ? 'aborted' : 'done', durationMs });
    events.emit({ type: 'run-done', name: planned.name, scheduledAt, durationMs });
    return 'done';
  }

  /** The next run does not wait for it, the end of the term does. */
  #writeDown(claimed: ClaimedRun, end: Parameters<RunLedger['finish']>[1]): void {
    const { ledger, closing } = this.#parts;
    const writing = ledger.finish(claimed, end, closing).catch((error: unknown) => {
      if (!closing.aborted) this.#refused('the end of a run could not be written down', error);
    });
    this.#inHand.add(writing);
    void writing.finally(() => this.#inHand.delete(writing));
  }

  #giveUp(): void {
    void this.#parts.hold.release().catch(() => undefined);
  }

  async #lastDue(): Promise<number | null> {
    try {
      return await this.#parts.ledger.lastDue({ signal: this.#over });
    } catch (error) {
      if (!this.#over.aborted) this.#refused('the last run could not be looked up', error);
      return null;
    }
  }

  #failed(dueMs: number, error: unknown): void {
    const { events, logger } = this.#parts.context;
    const { name } = this.#parts.planned;
    const scheduledAt = new Date(dueMs);
    logger.error('a run of a leader job failed', { name, scheduledAt, error });
    events.emit({ type: 'run-failed', name, scheduledAt, error });
  }

  #skipped(dueMs: number, reason: 'overlap' | 'taken'): void {
    const { events, logger } = this.#parts.context;
    const { name } = this.#parts.planned;
    const scheduledAt = new Date(dueMs);
    logger.info('a run of a leader job was left out', { name, scheduledAt, reason });
    events.emit({ type: 'run-skipped', name, scheduledAt, reason });
  }

  #refused(what: string, error: unknown): void {
    this.#parts.context.logger.warn(what, { name: this.#parts.planned.name, error });
  }
}
