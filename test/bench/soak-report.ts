/** What an hour of work and kills has shown: what is wrong, and a section for the page of results. */
import type { BenchRun } from './bench-run.js';
import { figure, table } from './figures.js';
import { keepPicture } from './pictures.js';
import type { Section } from './results.js';
import type { Line } from './svg.js';
import { growth, type ProcessVitals, type Vitals } from './vitals.js';

/** What was seen at one moment; members that were down are missing. */
export interface Sample {
  readonly minute: number;
  readonly members: ReadonlyMap<number, ProcessVitals>;
  /** Of the process of all clients. */
  readonly own: Vitals;
  readonly dataBytes: number;
  /** Since the beginning. */
  readonly acknowledged: number;
  readonly perSecond: number;
  readonly longestGapMs: number;
}

/** While no client is there. */
interface AtRest {
  readonly members: ReadonlyMap<number, ProcessVitals>;
  readonly own: Vitals;
}

export interface SoakReport {
  readonly minutes: number;
  /** Writes in a second. */
  readonly rate: number;
  /** Null if it was not measured. */
  readonly highest: number | null;
  readonly kills: number;
  readonly leaderKills: number;
  /** The member that nobody killed in the second half. */
  readonly spared: number;
  readonly samples: readonly Sample[];
  readonly writes: {
    readonly acknowledged: number;
    readonly unknown: number;
    readonly refused: number;
    readonly reads: number;
    readonly visits: number;
    readonly complaints: readonly string[];
  };
  readonly before: AtRest;
  readonly after: AtRest;
}

const MIB = 2 ** 20;
/** Growth over the second half that is still flat: a part of the mean, or so many bytes. */
const FLAT = { resident: { part: 0.15, bytes: 24 * MIB }, heap: { part: 0.1, bytes: 4 * MIB } };
/** A log that has just been begun, a connection that is just being closed. */
const SPARE_DESCRIPTORS = 4;
const SPARE_TIMERS = 2;
/** Below so many moments a slope says nothing. */
const LEAST_SAMPLES = 6;
const COMPLAINTS_TOLD = 10;
const ROWS = 12;

/** In words; empty if all is well. */
export function findings(report: SoakReport): readonly string[] {
  const { writes, before, after } = report;
  const found = writes.complaints.slice(0, COMPLAINTS_TOLD);
  for (const { says, grown, bound } of slopes(report))
    if (grown > bound)
      found.push(
        `${says} grew by ${figure(grown / MIB)} MiB in the second half; ${figure(bound / MIB)} would be flat`,
      );
  for (const [id, first] of before.members) {
    const last = after.members.get(id);
    if (last === undefined) found.push(`member ${id} does not run at the end`);
    else {
      if (last.descriptors > first.descriptors + SPARE_DESCRIPTORS)
        found.push(`member ${id} has ${last.descriptors} descriptors, ${first.descriptors} before`);
      if (last.timers > first.timers + SPARE_TIMERS)
        found.push(`member ${id} has ${last.timers} timers, ${first.timers} before`);
    }
  }
  if (after.own.timers > before.own.timers + SPARE_TIMERS)
    found.push(`the clients' process has ${after.own.timers} timers, ${before.own.timers} before`);
  return found;
}

interface Slope {
  readonly says: string;
  /** Bytes. */
  readonly grown: number;
  readonly bound: number;
}

/** Of the processes that lived through the whole second half. */
function slopes({ samples, minutes, spared }: SoakReport): readonly Slope[] {
  const late = samples.filter(({ minute }) => minute >= minutes / 2);
  // It may have been killed shortly before.
  const pid = late.at(-1)?.members.get(spared)?.pid;
  const slope = (
    says: string,
    of: (sample: Sample) => number | undefined,
    flat: typeof FLAT.heap,
  ): Slope[] => {
    const points = late.flatMap((sample) => {
      const y = of(sample);
      return y === undefined ? [] : [{ x: sample.minute, y }];
    });
    if (points.length < LEAST_SAMPLES) return [];
    const mean = points.reduce((sum, { y }) => sum + y, 0) / points.length;
    return [{ says, grown: growth(points), bound: Math.max(flat.bytes, flat.part * mean) }];
  };
  const member = (sample: Sample): ProcessVitals | undefined => {
    const vitals = sample.members.get(spared);
    return vitals?.pid === pid ? vitals : undefined;
  };
  return [
    ...slope(`memory of member ${spared}`, (sample) => member(sample)?.residentBytes, FLAT.resident),
    ...slope(`the heap of member ${spared}`, (sample) => member(sample)?.heapBytes, FLAT.heap),
    ...slope("the heap of the clients' process", ({ own }) => own.heapBytes, FLAT.heap),
  ];
}

export function soakSection(
  report: SoakReport,
  found: readonly string[],
  pictures: BenchRun['pictures'],
): Section {
  const { minutes, rate, highest, kills, leaderKills, spared } = report;
  const share = highest === null ? '' : `, half of the ${figure(highest)} that they took at most`;
  return {
    title: 'Soak',
    about:
      `Three members for ${minutes} minutes under ${figure(rate)} writes and as many reads in a second${share}, by our own client; and a session that comes and goes each second. ` +
      `${kills} times a member was killed with SIGKILL and started again after 5 s, ${leaderKills} times the leader; member ${spared} was spared in the second half. ` +
      'The heap, which includes buffers, is what is left behind a collection of garbage.',
    commands: [`node dist/test/bench/soak.js --minutes ${minutes}`],
    body: [verdict(report, found), history(report), picture(report, pictures)].join('\n\n').trim(),
  };
}

function verdict(report: SoakReport, found: readonly string[]): string {
  const { writes, samples, before, after } = report;
  const gap = Math.max(...samples.map(({ longestGapMs }) => longestGapMs));
  const lines = [
    `${writes.acknowledged.toLocaleString('en')} writes acknowledged, ${writes.unknown.toLocaleString('en')} of unknown outcome, ${writes.refused.toLocaleString('en')} refused; ${writes.reads.toLocaleString('en')} reads, ${writes.visits.toLocaleString('en')} sessions that came and went`,
    `lost writes, stale reads and writes out of order: ${writes.complaints.length}; all members ended with the same tree`,
    `longest time without an acknowledged write: ${figure(gap)} ms`,
    ...slopes(report).map(
      ({ says, grown, bound }) =>
        `${says} over the second half: ${grown < 0 ? '−' : '+'}${figure(Math.abs(grown) / MIB)} MiB (flat is up to ${figure(bound / MIB)})`,
    ),
    ...[...before.members].map(([id, first]) => {
      const last = after.members.get(id);
      return `member ${id} without clients, before and after: descriptors ${first.descriptors} and ${last?.descriptors ?? '–'}, timers ${first.timers} and ${last?.timers ?? '–'}, heap ${figure(first.heapBytes / MIB)} and ${last === undefined ? '–' : figure(last.heapBytes / MIB)} MiB`;
    }),
    found.length === 0 ? 'nothing found' : `**found**: ${found.join('; ')}`,
  ];
  return lines.map((line) => `- ${line}`).join('\n');
}

function history({ samples, before }: SoakReport): string {
  const ids = [...before.members.keys()];
  const every = Math.max(1, Math.ceil(samples.length / ROWS));
  const rows = samples
    .filter((_, at) => (at + 1) % every === 0)
    .map(({ minute, perSecond, longestGapMs, members, own, dataBytes }) => [
      minute.toFixed(1),
      perSecond,
      longestGapMs,
      ...ids.map((id) => {
        const vitals = members.get(id);
        if (vitals === undefined) return 'down';
        return `${(vitals.residentBytes / MIB).toFixed(0)} / ${(vitals.heapBytes / MIB).toFixed(0)} / ${vitals.descriptors} / ${vitals.timers}`;
      }),
      own.heapBytes / MIB,
      dataBytes / MIB,
    ]);
  const head = ids.map((id) => `member ${id}: resident MiB / heap MiB / descriptors / timers`);
  return table([
    ['minute', 'writes /s', 'longest gap ms', ...head, 'clients, heap MiB', 'disks, MiB'],
    ...rows,
  ]);
}

function picture({ samples, before }: SoakReport, pictures: BenchRun['pictures']): string {
  const lines = (of: (vitals: ProcessVitals) => number): readonly Line[] =>
    [...before.members.keys()].map((id) => ({
      name: `member ${id}`,
      points: samples.flatMap(({ minute, members }) => {
        const vitals = members.get(id);
        return vitals === undefined ? [] : [{ x: minute, y: of(vitals) }];
      }),
    }));
  const x = { says: 'minutes', scale: 'linear' as const };
  const y = { says: 'MiB', scale: 'linear' as const };
  return keepPicture(
    { pictures },
    {
      name: 'soak',
      says: 'Memory of the members over time',
      panels: [
        { title: 'Resident', x, y, lines: lines(({ residentBytes }) => residentBytes / MIB) },
        { title: 'Heap', x, y, lines: lines(({ heapBytes }) => heapBytes / MIB) },
      ],
    },
  );
}
