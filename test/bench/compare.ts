/** Our members and Apache ZooKeeper under the same client in one run: three against three, and one against one. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolsOf, type Bench, type BenchRun } from './bench-run.js';
import { median, spread, table } from './figures.js';
import type { Section } from './results.js';
import { ScriptedEnsemble } from './scripted-ensemble.js';
import { cpuPerOperation, type LoadFigures, type Tools } from './tools.js';

interface Measurement extends LoadFigures {
  /** Of the workload. */
  readonly name: string;
  /** Of the servers. */
  readonly target: string;
}

interface Workload {
  readonly name: string;
  readonly says: string;
  /** Operations in a second, or milliseconds of one. */
  readonly kind: 'rate' | 'time';
  /** What the ratio is to reach with three members, and with one. */
  readonly goals: readonly [three: number, one: number] | null;
}

const WORKLOADS: readonly Workload[] = [
  { name: 'create-128', says: 'create 128 B', kind: 'rate', goals: [3, 1.5] },
  { name: 'create-1k', says: 'create 1 KB', kind: 'rate', goals: null },
  { name: 'set-128', says: 'set 128 B', kind: 'rate', goals: [3, 1.5] },
  { name: 'set-1k', says: 'set 1 KB', kind: 'rate', goals: [3, 1.5] },
  { name: 'get-128', says: 'get 128 B', kind: 'rate', goals: null },
  { name: 'get-1k', says: 'get 1 KB', kind: 'rate', goals: [2, 1.5] },
  { name: 'mixed-90', says: '90 % reads', kind: 'rate', goals: [4, 1.5] },
  { name: 'eseq', says: 'ephemeral-sequential create and delete', kind: 'rate', goals: [3, 1.5] },
  { name: 'set-one', says: 'one session, one outstanding: set', kind: 'time', goals: [1.25, 1.25] },
  { name: 'get-one', says: 'one session, one outstanding: get', kind: 'time', goals: [1.25, 1.25] },
  { name: 'watch-100', says: 'watch, 100 sessions all notified', kind: 'time', goals: null },
  { name: 'watch-1000', says: 'watch, 1,000 sessions all notified', kind: 'time', goals: [2, 2] },
  { name: 'lock-50', says: 'lock hand-overs, 50 sessions', kind: 'rate', goals: [2, 2] },
  { name: 'connect', says: 'sessions opened and closed', kind: 'rate', goals: [2, 2] },
];
const SIZES = [3, 1] as const;
const FULL = ['--rounds', '2', '--seconds', '3'];
/** One workload of each kind. */
const QUICK =
  '--only set-128,get-1k,set-one,lock-50 --rounds 1 --no-discard --seconds 1 --warmup 1 --tries 1 --max-other 100'.split(
    ' ',
  );

export const compare: Bench = { name: 'compare', needsTools: true, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const tools = toolsOf(run);
  const flags = run.isQuick ? QUICK : FULL;
  const parts: string[] = [];
  for (const [at, servers] of SIZES.entries()) {
    run.note(`${servers} against ${servers}`);
    const measurements = await measureSize(tools, servers, flags);
    parts.push(
      `### ${servers === 1 ? 'One member' : 'Three members'}\n\n${tableOf(measurements, (goals) => goals[at]!)}`,
    );
  }
  return {
    title: 'Compared with Apache ZooKeeper',
    about:
      'Throughput with 30 sessions × 16 outstanding requests of the raw client of the load generator, against warm servers with default ' +
      `settings, every write synced to disk (\`compare ${flags.join(' ')}\`). Rates are operations in a second, times milliseconds, both as medians ` +
      '(and from where to where); CPU is that of all servers for one operation, in microseconds. The ratio is turned so that more is ' +
      'better: 1.25 stands for a time of 0.8 ×, 2 for one of 0.5 ×.',
    commands: [`npm run bench -- --only compare${run.isQuick ? ' --quick' : ''} --tools DIR`],
    body: parts.join('\n\n'),
  };
}

async function measureSize(
  tools: Tools,
  servers: number,
  flags: readonly string[],
): Promise<readonly Measurement[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'bench-compare-'));
  const out = join(scratch, 'results.jsonl');
  try {
    const { zooKeeper, quorate } = tools;
    await using theirs =
      zooKeeper === null ? null : await ScriptedEnsemble.start(tools, zooKeeper, { servers });
    await using ours = await ScriptedEnsemble.start(tools, quorate, { servers });
    const targets = [...(theirs === null ? [] : [`zookeeper=${theirs.hosts}`]), `quorate=${ours.hosts}`];
    await tools.run(tools.script('compare'), [...flags, '--out', out, ...targets]);
    const lines = readFileSync(out, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Measurement);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function tableOf(
  measurements: readonly Measurement[],
  goalOf: (goals: readonly [number, number]) => number,
): string {
  const rows: (string | number)[][] = [
    [
      'workload',
      'unit',
      'ZooKeeper',
      'p99 ms',
      'CPU µs',
      'Quorate',
      'p99 ms',
      'CPU µs',
      'ratio',
      'goal',
      'reached',
    ],
  ];
  for (const { name, says, kind, goals } of WORKLOADS) {
    const of = (target: string): readonly Measurement[] =>
      measurements.filter((one) => one.name === name && one.target === target);
    const value = (one: Measurement): number => (kind === 'rate' ? one.ops_per_s : one.p50_us / 1000);
    const cells = (all: readonly Measurement[]): (string | number)[] =>
      all.length === 0
        ? ['–', '–', '–']
        : [
            spread(all.map(value)),
            median(all.map(({ p99_us }) => p99_us / 1000)),
            median(all.map(cpuPerOperation)),
          ];
    const [theirs, ours] = [of('zookeeper'), of('quorate')];
    if (ours.length === 0) continue;
    const quotient = theirs.length === 0 ? Number.NaN : median(ours.map(value)) / median(theirs.map(value));
    const ratio = kind === 'rate' ? quotient : 1 / quotient;
    const goal = goals === null ? null : goalOf(goals);
    rows.push([
      says,
      kind === 'rate' ? '/s' : 'ms',
      ...cells(theirs),
      ...cells(ours),
      Number.isNaN(ratio) ? '–' : `${ratio.toFixed(2)} ×`,
      goal === null ? '' : `≥ ${goal} ×`,
      goal === null || Number.isNaN(ratio) ? '' : ratio >= goal ? 'yes' : 'no',
    ]);
  }
  return table(rows);
}
