import type { Constructor } from '../constructor.js';
import type { RunKind } from '../../core/recipes/index.js';
import { recordDeclaration } from '../declarations.js';

/** Milliseconds, or a whole number with a unit: `500ms`, `30s`, `5m`, `1h`, `7d`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** What becomes of moments of the calendar that passed while nobody led. */
export type MissedRuns =
  /** They are left out. */
  | 'skip'
  /** One run makes up for all of them, for the last of them. */
  | 'once'
  /** The last so many of them are run, in their order. */
  | { readonly all: number };

/**
 * What becomes of a moment that comes while a run is in hand: it is left out, waits until the run has ended, or runs beside
 * it.
 */
export type OverlappingRuns = 'skip' | 'wait' | 'allow';

interface CommonOptions {
  readonly name: string;
  /** How many of the last runs are kept for those who ask; 20 if left out. */
  readonly history?: number | undefined;
}

interface OnElection extends CommonOptions {
  readonly every?: undefined;
  readonly cron?: undefined;
  readonly timezone?: undefined;
  readonly missed?: undefined;
  readonly overlap?: undefined;
}

interface ByInterval extends CommonOptions {
  /** From one start to the next, over changes of leader too; the very first run is on election. */
  readonly every: Duration;
  readonly cron?: undefined;
  readonly timezone?: undefined;
  readonly missed?: undefined;
  /** `wait` if left out: a run that takes longer delays the next. */
  readonly overlap?: OverlappingRuns | undefined;
}

interface ByCalendar extends CommonOptions {
  /** Five fields, or six with the seconds first. */
  readonly cron: string;
  /** IANA name; left out: the time zone of the process. */
  readonly timezone?: string | undefined;
  readonly every?: undefined;
  /** `skip` if left out. */
  readonly missed?: MissedRuns | undefined;
  /** `skip` if left out. */
  readonly overlap?: OverlappingRuns | undefined;
}

/** When the one leader runs: once on election, again and again, or by the calendar. */
export type LeaderOnlyOptions = OnElection | ByInterval | ByCalendar;

/** What a leader's run is given. */
export interface LeaderContext {
  /** Aborts before any other process can lead, and when the application stops. */
  readonly signal: AbortSignal;
  /** Grows from one leadership to the next: whatever the run writes to can refuse an older one. */
  readonly fence: bigint;
  /** What this run stands for. */
  readonly occurrence: Occurrence;
}

export interface Occurrence {
  /** Names this run among all of this job; in `LeaderJobs.history` too. */
  readonly id: string;
  /** Why it runs. */
  readonly kind: RunKind;
  /** 1 for the first run of this leadership. */
  readonly count: number;
  /** The moment the run was due: of the calendar, of the interval, or of the election. */
  readonly scheduledAt: Date;
}

/** What a class under `@LeaderOnly` has. */
export interface LeaderJob {
  run(context: LeaderContext): unknown;
}

/**
 * Declares a class whose `run` is called in one process of the fleet only. Each run is taken by a transaction that checks that
 * the leadership is still held, so that it takes place at most once in the fleet, whatever happens to leaders.
 */
export function LeaderOnly(options: LeaderOnlyOptions): (target: Constructor<LeaderJob>) => void {
  return (target) => recordDeclaration(target, { kind: 'leader-only', options });
}
