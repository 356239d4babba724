/** How long the reads and writes of a quiet client take while others flood the same server with writes. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect, type Client } from '../../core/client/index.js';
import { toolsOf, type Bench, type BenchRun } from './bench-run.js';
import { sleep } from './client-load.js';
import { quantile, table } from './figures.js';
import type { Section } from './results.js';
import { ScriptedEnsemble } from './scripted-ensemble.js';
import type { Tools } from './tools.js';

const PROGRAM = fileURLToPath(new URL('programs/flood.js', import.meta.url));
const FLOODING = 100;
const MEASURED_MS = { full: 20_000, quick: 3_000 };
const BETWEEN_MS = 20;
const READ_GOAL_MS = 20;
/** A write may take so many times what it takes without the flood. */
const WRITE_GOAL = 5;

interface Latencies {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
}

export const fairness: Bench = { name: 'fairness', needsTools: true, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const tools = toolsOf(run);
  const rows: (string | number)[][] = [
    ['', 'reads p50 ms', 'p99 ms', 'writes p50 ms', 'p99 ms', 'sets of the flood /s', 'goal', 'reached'],
  ];
  const { zooKeeper, quorate } = tools;
  for (const [name, script] of [
    ['ZooKeeper', zooKeeper],
    ['Quorate', quorate],
  ] as const) {
    if (script === null) continue;
    run.note(name);
    const { quiet, flooded, perSecond } = await measureServer(tools, script, run);
    const readP99 = quantile(flooded.reads, 0.99);
    const ratio = quantile(flooded.writes, 0.99) / quantile(quiet.writes, 0.99);
    const isReached = readP99 <= READ_GOAL_MS && ratio <= WRITE_GOAL;
    const goal = `reads ≤ ${READ_GOAL_MS} ms, writes ≤ ${WRITE_GOAL} ×`;
    const isOurs = script === quorate;
    rows.push([`${name}, nothing else`, ...cells(quiet), '', '', '']);
    rows.push([
      `${name}, ${FLOODING} flooding connections`,
      ...cells(flooded),
      perSecond,
      isOurs ? goal : '',
      isOurs ? (isReached ? 'yes' : 'no') : '',
    ]);
  }
  return {
    title: 'Fairness',
    about:
      `One server; ${FLOODING} connections of another process set a znode of 100 bytes, each with 200 requests under way. A client with one request at a time ` +
      'gets a znode, and another one sets one. The goal is for p99 beside the flood; that of writes is a multiple of p99 without it.',
    commands: [`npm run bench -- --only fairness${run.isQuick ? ' --quick' : ''} --tools DIR`],
    body: table(rows),
  };
}

function cells({ reads, writes }: Latencies): number[] {
  return [quantile(reads, 0.5), quantile(reads, 0.99), quantile(writes, 0.5), quantile(writes, 0.99)];
}

async function measureServer(
  tools: Tools,
  script: string,
  run: BenchRun,
): Promise<{ readonly quiet: Latencies; readonly flooded: Latencies; readonly perSecond: number }> {
  const ms = run.isQuick ? MEASURED_MS.quick : MEASURED_MS.full;
  await using server = await ScriptedEnsemble.start(tools, script, { servers: 1 });
  await using reader = await connect(`zk://${server.hosts}`);
  await using writer = await connect(`zk://${server.hosts}`);
  for (const path of ['/flood', '/quiet']) await writer.create(path, 'x');
  const quiet = await latencies(reader, writer, ms);

  const child = fork(PROGRAM, [server.hosts, String(FLOODING)]);
  await once(child, 'message');
  const begunAt = performance.now();
  const flooded = await latencies(reader, writer, ms);
  const answered = once(child, 'message');
  child.send('enough');
  const [sets] = (await answered) as [number];
  return { quiet, flooded, perSecond: (1000 * sets) / (performance.now() - begunAt) };
}

async function latencies(reader: Client, writer: Client, ms: number): Promise<Latencies> {
  const until = performance.now() + ms;
  const [reads, writes] = await Promise.all([
    repeat(until, () => reader.getData('/quiet')),
    repeat(until, () => writer.setData('/quiet', 'y')),
  ]);
  return { reads, writes };
}

/** Milliseconds of each call, sorted. */
async function repeat(until: number, call: () => Promise<unknown>): Promise<readonly number[]> {
  const taken: number[] = [];
  while (performance.now() < until) {
    const at = performance.now();
    await call();
    taken.push(performance.now() - at);
    await sleep(BETWEEN_MS);
  }
  return taken.toSorted((a, b) => a - b);
}
