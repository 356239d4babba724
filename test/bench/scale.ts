/** Throughput and latency against the number of znodes, sessions and members, and the size of data: tables and pictures. */
import { toolsOf, type Bench, type BenchRun } from './bench-run.js';
import { short, table } from './figures.js';
import { keepPicture } from './pictures.js';
import type { Section } from './results.js';
import { ScriptedEnsemble } from './scripted-ensemble.js';
import type { Axis, Line, Panel } from './svg.js';
import { cpuPerOperation, type LoadFigures, type Tools } from './tools.js';

/** One load of the generator. */
interface Workload {
  readonly name: string;
  readonly flags: readonly string[];
}

/** What is varied, at one value. */
interface Point {
  readonly x: number;
  readonly label: string;
  readonly servers: number;
  readonly observers?: number;
  /** Loaded before anything is measured. */
  readonly fill?: readonly string[];
  readonly workloads: readonly Workload[];
}

/** What is varied. */
interface Variation {
  /** Of the picture's file. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly axis: Pick<Axis, 'says' | 'scale'>;
  readonly points: readonly Point[];
}

const SEVERAL = ['--sessions', '30', '--pipeline', '16'];
const RATES = ['set', 'get', 'mixed'] as const;
const FULL = ['--seconds', '8', '--warmup', '3'];
const TRIES = 3;
const QUICK = ['--seconds', '1', '--warmup', '1'];

export const scale: Bench = { name: 'scale', needsTools: true, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const tools = toolsOf(run);
  const parts: string[] = [];
  for (const variation of variations(run.isQuick)) {
    run.note(variation.title);
    parts.push(await measureVariation(tools, variation, run));
  }
  return {
    title: 'Scale',
    about:
      'What the load generator measures on our members with default settings, every write synced to disk; three members, 30 sessions × 16 outstanding ' +
      'requests of 128 bytes where nothing else is said. CPU is that of all members for one operation, in microseconds.',
    commands: [`npm run bench -- --only scale${run.isQuick ? ' --quick' : ''} --tools DIR`],
    body: parts.join('\n\n'),
  };
}

function variations(isQuick: boolean): readonly Variation[] {
  return [znodes(isQuick), sessions(isQuick), watches(isQuick), members(isQuick), payloads(isQuick)];
}

function znodes(isQuick: boolean): Variation {
  const counts = isQuick ? [1_000, 10_000] : [10_000, 100_000, 1_000_000];
  return {
    name: 'znodes',
    title: 'By the number of znodes',
    about: 'Znodes of 100 bytes; sets and gets go to any of them, creates come beside them.',
    axis: { says: 'znodes', scale: 'log' },
    points: counts.map((count) => {
      const held = ['--root', '/filled', '--keys', String(count), '--size', '100'];
      return {
        x: count,
        label: short(count),
        servers: 3,
        fill: ['--workload', 'fill', '--keep', ...held],
        workloads: [
          { name: 'set', flags: ['--workload', 'set', '--reuse', ...held, ...SEVERAL] },
          { name: 'get', flags: ['--workload', 'get', '--reuse', ...held, ...SEVERAL] },
          { name: 'create', flags: ['--workload', 'create', '--size', '100', ...SEVERAL] },
        ],
      };
    }),
  };
}

function sessions(isQuick: boolean): Variation {
  const counts = isQuick ? [30, 300] : [30, 100, 1_000, 10_000];
  return {
    name: 'sessions',
    title: 'By the number of sessions',
    about: 'Each with one outstanding request.',
    axis: { says: 'sessions', scale: 'log' },
    points: counts.map((count) => ({
      x: count,
      label: short(count),
      servers: 3,
      workloads: RATES.map((name) => ({
        name,
        flags: ['--workload', name, '--sessions', String(count), '--pipeline', '1'],
      })),
    })),
  };
}

function watches(isQuick: boolean): Variation {
  const counts = isQuick ? [10, 100] : [10, 100, 1_000, 10_000];
  return {
    name: 'watch-sessions',
    title: 'By the number of sessions that watch one znode',
    about: 'Rates are notifications in a second, times from the set until the last session was notified.',
    axis: { says: 'sessions that watch', scale: 'log' },
    points: counts.map((count) => ({
      x: count,
      label: short(count),
      servers: 3,
      workloads: [{ name: 'watch', flags: ['--workload', 'watch', '--sessions', String(count)] }],
    })),
  };
}

function members(isQuick: boolean): Variation {
  const shapes = [
    { servers: 1, observers: 0 },
    { servers: 3, observers: 0 },
    ...(isQuick ? [] : [{ servers: 5, observers: 0 }]),
    { servers: 5, observers: 2 },
  ];
  return {
    name: 'members',
    title: 'By the number of members',
    about:
      'All on the cores of this one machine, which they share with the clients: what more members cost, not what they bring on machines of their own. ' +
      '3 + 2 are three voters and two observers.',
    axis: { says: 'members', scale: 'linear' },
    points: shapes.map(({ servers, observers }, at) => ({
      x: at + 1,
      label: observers === 0 ? String(servers) : `${servers - observers} + ${observers}`,
      servers,
      observers,
      workloads: RATES.map((name) => ({ name, flags: ['--workload', name, ...SEVERAL] })),
    })),
  };
}

function payloads(isQuick: boolean): Variation {
  const sizes = isQuick ? [100, 100_000] : [100, 1_000, 10_000, 100_000, 1_000_000];
  const labels = new Map([
    [100, '100 B'],
    [1_000, '1 KB'],
    [10_000, '10 KB'],
    [100_000, '100 KB'],
    [1_000_000, '1 MB'],
  ]);
  return {
    name: 'payload',
    title: 'By the size of data',
    about: '8 sessions × 4 outstanding requests, 100 znodes.',
    axis: { says: 'data of a znode', scale: 'log' },
    points: sizes.map((size) => ({
      x: size,
      label: labels.get(size)!,
      servers: 3,
      workloads: (['set', 'get'] as const).map((name) => ({
        name,
        flags: `--workload ${name} --sessions 8 --pipeline 4 --keys 100 --size ${size}`.split(' '),
      })),
    })),
  };
}

interface Measurement {
  readonly point: Point;
  readonly workload: string;
  /** Null if the load failed again and again. */
  readonly figures: LoadFigures | null;
}

async function measureVariation(tools: Tools, variation: Variation, run: BenchRun): Promise<string> {
  const { name, title, about, points } = variation;
  const measurements: Measurement[] = [];
  for (const point of points) {
    run.note(`${title}: ${point.label}`);
    measurements.push(...(await measurePoint(tools, point, run.isQuick ? QUICK : FULL)));
  }
  const rows: (string | number)[][] = [
    [variation.axis.says, 'operation', '/s', 'p50 ms', 'p99 ms', 'max ms', 'CPU µs'],
    ...measurements.map(({ point, workload, figures }) => [point.label, workload, ...cells(figures)]),
  ];
  const image = keepPicture(run, { name, says: title, panels: panels(variation, measurements) });
  return `### ${title}\n\n${about}\n\n${table(rows)}${image}`;
}

function cells(figures: LoadFigures | null): (string | number)[] {
  if (figures === null) return ['failed', '–', '–', '–', '–'];
  const { ops_per_s, p50_us, p99_us, max_us } = figures;
  return [ops_per_s, p50_us / 1000, p99_us / 1000, max_us / 1000, cpuPerOperation(figures)];
}

async function measurePoint(
  tools: Tools,
  { servers, observers = 0, fill, workloads, ...point }: Point,
  timing: readonly string[],
): Promise<readonly Measurement[]> {
  await using ensemble = await ScriptedEnsemble.start(tools, tools.quorate, { servers, observers });
  if (fill !== undefined) await tools.load(ensemble.hosts, fill);
  const measurements: Measurement[] = [];
  for (const { name, flags } of workloads) {
    const figures = await loadOnceMore(tools, ensemble.hosts, [...flags, ...timing]);
    measurements.push({ point: { ...point, servers, workloads }, workload: name, figures });
  }
  return measurements;
}

/** The generator gives up at the first connection that is lost, as one may be on a machine that other work keeps busy. */
async function loadOnceMore(
  tools: Tools,
  hosts: string,
  flags: readonly string[],
): Promise<LoadFigures | null> {
  for (let left = TRIES; left > 0; left--) {
    try {
      return await tools.load(hosts, flags);
    } catch (error) {
      console.error(`${error instanceof Error ? error.message : String(error)}; ${left - 1} tries left`);
    }
  }
  return null;
}

function panels({ axis, points }: Variation, measurements: readonly Measurement[]): readonly Panel[] {
  const x: Axis = {
    ...axis,
    ticks: points.map((point) => point.x),
    label: (value) => points.find((point) => point.x === value)?.label ?? '',
  };
  const lines = (y: (figures: LoadFigures) => number): readonly Line[] =>
    [...new Set(measurements.map(({ workload }) => workload))].map((workload) => ({
      name: workload,
      points: measurements
        .filter((one) => one.workload === workload)
        .flatMap(({ point, figures }) => (figures === null ? [] : [{ x: point.x, y: y(figures) }])),
    }));
  return [
    {
      title: 'Throughput',
      x,
      y: { says: 'operations in a second', scale: 'log' },
      lines: lines(({ ops_per_s }) => ops_per_s),
    },
    {
      title: 'p99',
      x,
      y: { says: 'milliseconds', scale: 'log' },
      lines: lines(({ p99_us }) => p99_us / 1000),
    },
  ];
}
