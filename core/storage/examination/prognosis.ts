import { IDENTITY_FILE, LOG_END_FILE, type HistoryFile } from '../file-name.js';
import type { LogSurvey } from './log-survey.js';
import type { Survey } from './survey.js';

/** What can be kept of a directory, and what that leaves out. */
export interface Prognosis {
  /** The member is as it was at this zxid once everything else is set aside. */
  readonly soundUpTo: bigint;
  /** Something at least as far was here once; what lies between may have been acknowledged. */
  readonly knownUpTo: bigint;
  /**
   * Entries or promises on which others may rely are gone, or may be. False only if what is kept is known to hold everything that
   * was here: judged by what the files show, not by why a start fails.
   */
  readonly isLoss: boolean;
  readonly plan: RepairPlan;
}

/**
 * *none*: nothing to do · *trim*: the log is kept up to a place, the rest of it set aside · *snapshot*: only
 * the newest snapshot is kept, without a log · *everything*: nothing can be kept.
 */
export type RepairPlan =
  | { readonly type: 'none' }
  | {
      readonly type: 'trim';
      readonly aside: readonly HistoryFile[];
      /** The file whose sound beginning is kept. */
      readonly cut: { readonly file: HistoryFile; readonly offset: number } | null;
    }
  | { readonly type: 'snapshot'; readonly file: HistoryFile }
  | { readonly type: 'everything' };

/** What could be done about a directory. */
export function prognose(survey: Survey): Prognosis {
  const { snapshots, logs, damagedFiles, refusal, identity } = survey;
  const knownUpTo = highest([
    survey.end?.zxid ?? 0n,
    ...snapshots.map(({ file }) => file.zxid),
    ...logs.map(({ end }) => end.zxid),
    ...logs.map(({ prevZxid }) => prevZxid ?? 0n),
  ]);
  const isHarmed = damagedFiles.length > 0 || [...snapshots, ...logs].some(({ damage }) => damage !== null);
  if (!isHarmed && refusal === null) {
    return { soundUpTo: knownUpTo, knownUpTo, isLoss: false, plan: { type: 'none' } };
  }
  const kept = identity === null ? { soundUpTo: 0n, plan: { type: 'everything' as const } } : keep(survey);
  // Where only a snapshot can be kept, the log that led to it is gone, and what followed is unknown.
  const isComplete = kept.plan.type === 'trim' && kept.soundUpTo >= knownUpTo && isEndKnown(survey);
  return { ...kept, knownUpTo, isLoss: !isComplete };
}

/**
 * True if nothing can have been here beyond the zxids that the files show. The identity can be written again, for nobody relies on
 * it. A damaged snapshot, or a log file that later files continue, shows by its place how far it went. What stood behind the damage
 * of the last log file is unknown, and so is what a promise was that cannot be read. Without `end-of-log` it is unknown whether later
 * files of the log, or later records of the last one, are missing.
 */
function isEndKnown({ promises, end, historyRefusal, snapshots, logs, damagedFiles }: Survey): boolean {
  if (promises === null || historyRefusal === undefined) return false;
  if (damagedFiles.some(({ name }) => name === LOG_END_FILE)) return false;
  // Without its identity nothing shows that the directory is one of 0.1.0, which has no such file.
  if (end === null && damagedFiles.some(({ name }) => name === IDENTITY_FILE)) return false;
  if (logs.at(-1)?.damage != null) return false;
  if (historyRefusal === null) return true;
  const damaged = [...snapshots, ...logs].filter(({ damage }) => damage !== null);
  return damaged.some(({ file }) => file.name === historyRefusal.fields.file);
}

/** The newest snapshot that is whole, and what of the log continues it without a gap. */
function keep({ snapshots, logs }: Survey): Pick<Prognosis, 'soundUpTo' | 'plan'> {
  const whole = snapshots.filter(({ damage }) => damage === null);
  const newest = whole.at(-1);
  const base = newest?.file.zxid ?? 0n;
  const anchor = logs.findLastIndex(({ prevZxid }) => prevZxid !== null && prevZxid <= base);
  const last = anchor < 0 ? -1 : endOfRun(logs, anchor);
  const soundUpTo = logs[last]?.end.zxid ?? 0n;
  if (last < 0 || soundUpTo < base) {
    const standsAlone = newest?.header?.standsAlone === true && logs.length === 0;
    if (standsAlone)
      return { soundUpTo: base, plan: { type: 'trim', aside: damagedOf(snapshots), cut: null } };
    return newest === undefined
      ? { soundUpTo: 0n, plan: { type: 'everything' } }
      : { soundUpTo: base, plan: { type: 'snapshot', file: newest.file } };
  }
  const first = startOfRun(logs, anchor);
  const end = logs[last]!;
  const isCut = end.damage !== null && end.records > 0;
  const keptLogs = logs.slice(first, end.damage !== null && !isCut ? last : last + 1);
  const aside = [
    ...damagedOf(snapshots),
    // From the newest on, so that a crash meanwhile leaves no gap.
    ...logs
      .filter((log) => !keptLogs.includes(log))
      .map(({ file }) => file)
      .reverse(),
  ];
  const cut = isCut ? { file: end.file, offset: end.end.offset } : null;
  return { soundUpTo, plan: { type: 'trim', aside, cut } };
}

/** The last file that sound records reach into. */
function endOfRun(logs: readonly LogSurvey[], anchor: number): number {
  let last = anchor;
  while (logs[last]!.damage === null && logs[last + 1]?.prevZxid === logs[last]!.end.zxid) last += 1;
  return last;
}

/** The first file from which everything is sound up to the anchor. */
function startOfRun(logs: readonly LogSurvey[], anchor: number): number {
  let first = anchor;
  while (first > 0 && logs[first - 1]!.damage === null && logs[first - 1]!.end.zxid === logs[first]!.prevZxid)
    first -= 1;
  return first;
}

function damagedOf(files: Survey['snapshots']): HistoryFile[] {
  return files.filter(({ damage }) => damage !== null).map(({ file }) => file);
}

function highest(zxids: readonly bigint[]): bigint {
  return zxids.reduce((max, zxid) => (zxid > max ? zxid : max), 0n);
}
