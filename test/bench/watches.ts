/** Very many watches: how fast they are set, and how fast they fire. */
import { connect, type Client } from '../../core/client/index.js';
import { EnsembleProcess } from '../process/ensemble-process.js';
import type { Bench, BenchRun } from './bench-run.js';
import { connectMany } from './client-load.js';
import { short, table } from './figures.js';
import { residentBytesOf } from './machine.js';
import { keepPicture } from './pictures.js';
import type { Section } from './results.js';
import type { Axis } from './svg.js';

const SESSIONS = 10;
const COUNTS = { full: [1_000, 10_000, 100_000], quick: [100, 1_000] };
const MIB = 2 ** 20;
/** Requests of one session that are under way. */
const BATCH = 1000;

interface Measurement {
  readonly count: number;
  readonly setPerSecond: number;
  readonly firedPerSecond: number;
  readonly firedMs: number;
  readonly mib: number;
}

export const watches: Bench = { name: 'watches', needsTools: false, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const measured: Measurement[] = [];
  for (const count of run.isQuick ? COUNTS.quick : COUNTS.full) {
    run.note(short(count));
    await using ensemble = await EnsembleProcess.start({ voters: 3, flags: ['--log-level', 'warn'] });
    measured.push(await measureCount(ensemble, count));
  }
  const ticks = measured.map(({ count }) => count);
  const x: Axis = { says: 'watches', scale: 'log', ticks, label: short };
  const line = (name: string, y: (one: Measurement) => number) => ({
    name,
    points: measured.map((one) => ({ x: one.count, y: y(one) })),
  });
  const panels = [
    {
      title: 'Watches in a second',
      x,
      y: { says: 'in a second', scale: 'log' as const },
      lines: [line('set', (one) => one.setPerSecond), line('fired', (one) => one.firedPerSecond)],
    },
    {
      title: 'Until all have fired',
      x,
      y: { says: 'milliseconds', scale: 'log' as const },
      lines: [line('fired', (one) => one.firedMs)],
    },
  ];
  const rows = measured.map(({ count, setPerSecond, firedPerSecond, firedMs, mib }) => [
    short(count),
    setPerSecond,
    firedPerSecond,
    firedMs,
    mib,
  ]);
  return {
    title: 'Watches',
    about:
      `Three members; ${SESSIONS} sessions of our own client, in one process, each watch the data of as many znodes as makes up the number together, ` +
      'and then every znode is set once by another session. Memory is what members grew by, all together, while the watches were set.',
    commands: [`npm run bench -- --only watches${run.isQuick ? ' --quick' : ''}`],
    body:
      table([['watches', 'set, /s', 'fired, /s', 'until all have fired, ms', 'memory, MiB'], ...rows]) +
      keepPicture(run, { name: 'watches', says: 'Watches set and fired', panels }),
  };
}

async function measureCount(ensemble: EnsembleProcess, count: number): Promise<Measurement> {
  const hosts = ensemble.ids.map((id) => `127.0.0.1:${ensemble.portOf(id)}`);
  const resident = (): number =>
    ensemble.ids.reduce((sum, id) => sum + residentBytesOf(ensemble.member(id).pid), 0);
  await using writer = await connect(ensemble.url());
  const znodes = Array.from({ length: count / SESSIONS }, (_, index) => `/watched/n${index}`);
  await writer.create('/watched');
  await inBatches(znodes, (path) => writer.create(path, 'before'));
  const clients = await connectMany(hosts, SESSIONS);
  await Promise.all(clients.map((client) => client.sync('/')));
  let fired = 0;
  let allFired = (): void => undefined;
  const firing = new Promise<void>((resolve) => (allFired = resolve));
  const watch = (): void => void (++fired === count && allFired());

  const memory = resident();
  const setAt = performance.now();
  await Promise.all(
    clients.map((client: Client) => inBatches(znodes, (path) => client.getData(path, { watch }))),
  );
  const setMs = performance.now() - setAt;
  const mib = (resident() - memory) / MIB;

  const fireAt = performance.now();
  await inBatches(znodes, (path) => writer.setData(path, 'after'));
  await firing;
  const firedMs = performance.now() - fireAt;
  await Promise.all(clients.map((client) => client.close()));
  return {
    count,
    setPerSecond: (1000 * count) / setMs,
    firedPerSecond: (1000 * count) / firedMs,
    firedMs,
    mib,
  };
}

async function inBatches(
  paths: readonly string[],
  operate: (path: string) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < paths.length; from += BATCH)
    await Promise.all(paths.slice(from, from + BATCH).map(operate));
}
