import { Cron } from 'croner';
import type { Duration, LeaderOnlyOptions, MissedRuns, OverlappingRuns } from '../decorators/leader-only.js';

/** More missed runs than that nobody wants at once. */
const MOST_MISSED = 1000;

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Milliseconds of a duration.
 * @throws RangeError when it is neither a positive number nor a whole number with a unit.
 */
export function durationMs(duration: Duration): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(String(duration));
  const ms = match === null ? Number(duration) : Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  if (typeof duration === 'string' && match === null)
    throw new RangeError(
      `'${duration}' is no duration: write a number of milliseconds, or '30s', '5m', '1h'`,
    );
  if (!(ms > 0 && Number.isFinite(ms))) throw new RangeError(`a duration is above zero, not ${duration}`);
  return ms;
}

/** When runs are due, in wall time. */
export type Schedule =
  /** Once, on election. */
  | { readonly kind: 'once' }
  /** From start to start. */
  | { readonly kind: 'every'; readonly intervalMs: number; readonly overlap: OverlappingRuns }
  | {
      readonly kind: 'cron';
      readonly next: NextMoment;
      /** How many of the moments that passed while nobody led are made up for: the last ones. */
      readonly missed: number;
      readonly overlap: OverlappingRuns;
    };

/** The first moment of the calendar after `wallMs`; null when there is none any more. */
export type NextMoment = (wallMs: number) => number | null;

/**
 * Reads the schedule of a declaration.
 * @throws Error saying what is wrong with the pattern, the time zone, the interval or a policy.
 */
export function scheduleOf({ every, cron, timezone, missed, overlap }: LeaderOnlyOptions): Schedule {
  if (overlap !== undefined && !['skip', 'wait', 'allow'].includes(overlap))
    throw new RangeError(`overlap is 'skip', 'wait' or 'allow', not ${overlap as string}`);
  if (every !== undefined)
    return { kind: 'every', intervalMs: durationMs(every), overlap: overlap ?? 'wait' };
  if (cron === undefined) return { kind: 'once' };
  // Croner is the calculator only: without a function it sets no timer of its own.
  const calendar = new Cron(cron, { mode: '5-or-6-parts', ...(timezone === undefined ? {} : { timezone }) });
  const next: NextMoment = (wallMs) => calendar.nextRun(new Date(wallMs))?.getTime() ?? null;
  next(0);
  return { kind: 'cron', next, missed: missedLimit(missed), overlap: overlap ?? 'skip' };
}

function missedLimit(missed: MissedRuns | undefined): number {
  if (missed === undefined || missed === 'skip') return 0;
  if (missed === 'once') return 1;
  const { all } = missed;
  if (!Number.isSafeInteger(all) || all < 1 || all > MOST_MISSED)
    throw new RangeError(`missed: all is a whole number from 1 to ${MOST_MISSED}, not ${all}`);
  return all;
}

/** The first window that is looked through for missed moments; each further one is twice as long. */
const FIRST_WINDOW_MS = 60_000;

/**
 * The last moments of a calendar after `fromMs` and up to `untilMs`, at most `limit`, oldest first. Takes as many steps as there
 * are moments to be given, and not as many as have passed.
 */
export function lastMoments(next: NextMoment, fromMs: number, untilMs: number, limit: number): number[] {
  if (limit === 0) return [];
  for (let windowMs = FIRST_WINDOW_MS; ; windowMs *= 2) {
    const startMs = Math.max(fromMs, untilMs - windowMs);
    const moments = momentsBetween(next, startMs, untilMs, limit);
    if (moments.length >= limit || startMs === fromMs) return moments;
  }
}

/** The last `limit` of them. */
function momentsBetween(next: NextMoment, fromMs: number, untilMs: number, limit: number): number[] {
  const moments: number[] = [];
  for (let moment = next(fromMs); moment !== null && moment <= untilMs; moment = next(moment)) {
    moments.push(moment);
    if (moments.length > limit) moments.shift();
  }
  return moments;
}
