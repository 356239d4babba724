/** Memory of a server and the time that its start takes, empty and with znodes. */
import { toolsOf, type Bench, type BenchRun } from './bench-run.js';
import { median, short, spread, table } from './figures.js';
import type { Section } from './results.js';
import type { LoadFigures, Tools } from './tools.js';

interface Repetition {
  readonly start_ms: number;
  readonly restart_ms: number;
  /** Of each server. */
  readonly idle_mb: readonly number[];
  readonly loaded_mb: readonly number[];
  readonly restarted_mb: readonly number[];
  readonly fill: LoadFigures;
}

interface Column {
  readonly znodes: number;
  readonly results: readonly Repetition[];
}

interface Row {
  readonly says: string;
  readonly of: (repetition: Repetition) => readonly number[];
  /** That the ratio is to stay below. */
  readonly goal: number | null;
}

const ROWS: readonly Row[] = [
  { says: 'start, ms', of: ({ start_ms }) => [start_ms], goal: null },
  { says: 'restart with the znodes, ms', of: ({ restart_ms }) => [restart_ms], goal: 0.5 },
  { says: 'resident idle, MB', of: ({ idle_mb }) => idle_mb, goal: null },
  { says: 'resident with the znodes, MB', of: ({ loaded_mb }) => loaded_mb, goal: 0.6 },
  { says: 'resident after the restart, MB', of: ({ restarted_mb }) => restarted_mb, goal: null },
  { says: 'creates while they are loaded, /s', of: ({ fill }) => [fill.ops_per_s], goal: null },
];
const SERVERS = [3, 1];
const LOADS = {
  full: [
    { znodes: 100_000, repetitions: 3 },
    { znodes: 1_000_000, repetitions: 1 },
  ],
  quick: [{ znodes: 100_000, repetitions: 1 }],
};

export const footprint: Bench = { name: 'footprint', needsTools: true, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const tools = toolsOf(run);
  const loads = run.isQuick ? LOADS.quick : LOADS.full;
  const parts: string[] = [];
  for (const servers of SERVERS) {
    const columnsOf = async (script: string | null): Promise<readonly Column[] | null> => {
      if (script === null) return null;
      run.note(`${servers} of ${script === tools.quorate ? 'Quorate' : 'ZooKeeper'}`);
      const columns: Column[] = [];
      for (const load of loads) columns.push(...(await columnsFor(tools, script, { servers, ...load })));
      return columns;
    };
    const theirs = await columnsOf(tools.zooKeeper);
    const ours = (await columnsOf(tools.quorate))!;
    parts.push(`### ${servers === 1 ? 'One server' : `${servers} servers`}\n\n${tableOf(ours, theirs)}`);
  }
  return {
    title: 'Memory, start and restart',
    about:
      'Znodes of 100 bytes; memory is what is resident of each server, 5 s after the load. A start ends when every server has taken a write. ' +
      `Default settings, fresh directories, medians (and from where to where) of ${loads.map(({ znodes, repetitions }) => `${repetitions} with ${short(znodes)} znodes`).join(' and ')}. A ratio below 1 is in our favour.`,
    commands: [`npm run bench -- --only footprint${run.isQuick ? ' --quick' : ''} --tools DIR`],
    body: parts.join('\n\n'),
  };
}

async function columnsFor(
  tools: Tools,
  script: string,
  setting: {
    readonly servers: number;
    readonly znodes: number;
    readonly repetitions: number;
  },
): Promise<readonly Column[]> {
  const flags = ['--servers', setting.servers, '--reps', setting.repetitions, '--znodes', setting.znodes];
  const output = await tools.run(tools.script('footprint'), [script, ...flags.map(String), '--json']);
  return (JSON.parse(output) as { readonly columns: readonly Column[] }).columns;
}

function tableOf(ours: readonly Column[], theirs: readonly Column[] | null): string {
  const rows: string[][] = [['znodes', 'figure', 'ZooKeeper', 'Quorate', 'ratio', 'goal', 'reached']];
  for (const [at, column] of ours.entries()) {
    for (const { says, of, goal } of ROWS) {
      const own = column.results.flatMap(of);
      const other = theirs?.[at]?.results.flatMap(of);
      const ratio = other === undefined ? null : median(own) / median(other);
      rows.push([
        short(column.znodes),
        says,
        other === undefined ? '–' : spread(other),
        spread(own),
        ratio === null ? '–' : `${ratio.toFixed(2)} ×`,
        goal === null ? '' : `≤ ${goal} ×`,
        goal === null || ratio === null ? '' : ratio <= goal ? 'yes' : 'no',
      ]);
    }
  }
  return table(rows);
}
