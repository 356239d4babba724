import { Cron } from 'croner';
import type { Duration, LeaderOnlyOptions } from '../decorators/leader-only.js';

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
  /** On election, then from start to start. */
  | { readonly kind: 'every'; readonly intervalMs: number }
  | {
      readonly kind: 'cron';
      /** The first moment of the calendar after `wallMs`; null when there is none any more. */
      readonly next: (wallMs: number) => number | null;
    };

/**
 * Reads the schedule of a declaration.
 * @throws Error saying what is wrong with the pattern, the time zone or the interval.
 */
export function scheduleOf({ every, cron, timezone }: LeaderOnlyOptions): Schedule {
  if (every !== undefined) return { kind: 'every', intervalMs: durationMs(every) };
  if (cron === undefined) return { kind: 'once' };
  // Croner is the calculator only: without a function it sets no timer of its own.
  const calendar = new Cron(cron, { mode: '5-or-6-parts', ...(timezone === undefined ? {} : { timezone }) });
  const next = (wallMs: number): number | null => calendar.nextRun(new Date(wallMs))?.getTime() ?? null;
  next(0);
  return { kind: 'cron', next };
}
