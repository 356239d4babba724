import type { Constructor } from '../constructor.js';
import { recordDeclaration } from '../declarations.js';

/** Milliseconds, or a whole number with a unit: `500ms`, `30s`, `5m`, `1h`, `7d`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** When the one leader runs: once on election, again and again, or by the calendar. */
export type LeaderOnlyOptions = { readonly name: string } & (
  | { readonly every?: undefined; readonly cron?: undefined; readonly timezone?: undefined }
  | {
      /** From one start to the next; the first run is on election. A run that takes longer delays the next. */
      readonly every: Duration;
      readonly cron?: undefined;
      readonly timezone?: undefined;
    }
  | {
      /** Five fields, or six with the seconds first. */
      readonly cron: string;
      /** IANA name; left out: the time zone of the process. */
      readonly timezone?: string | undefined;
      readonly every?: undefined;
    }
);

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
  /** 1 for the first run of this leadership. */
  readonly count: number;
  /** The moment the run was due: of the calendar, of the interval, or of the election. */
  readonly scheduledAt: Date;
}

/** What a class under `@LeaderOnly` has. */
export interface LeaderJob {
  run(context: LeaderContext): unknown;
}

/** Declares a class whose `run` is called in one process of the fleet only. Runs never overlap. */
export function LeaderOnly(options: LeaderOnlyOptions): (target: Constructor<LeaderJob>) => void {
  return (target) => recordDeclaration(target, { kind: 'leader-only', options });
}
