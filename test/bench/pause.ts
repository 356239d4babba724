/** The longest that a client waits while a member writes a snapshot of very many znodes. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect, type Client } from '../../core/client/index.js';
import { EnsembleProcess } from '../process/ensemble-process.js';
import type { Bench, BenchRun } from './bench-run.js';
import { sleep } from './client-load.js';
import { quantile, short, table } from './figures.js';
import type { Gets } from './programs/probe-told.js';
import type { Section } from './results.js';

const PROGRAM = fileURLToPath(new URL('programs/probe.js', import.meta.url));
const MEMBERS = [3, 1];
const ZNODES = { full: 1_000_000, quick: 20_000 };
const SNAPSHOTS = { full: 3, quick: 1 };
const PER_MULTI = 500;
const MULTIS_UNDER_WAY = 8;
/** Of a folder, so that no list of names is longer than it is anywhere else. */
const FOLDER = 10_000;
const BYTES = 100;
const QUIET_MS = { full: 10_000, quick: 2_000 };
/** Every so many transactions a snapshot begins, once the znodes are there. */
const SNAPSHOT_TXNS = 4000;
const WRITERS = 4;
const GOAL_MS = 50;
const PATIENCE_MS = 600_000;
const TRIES = 20;
const BETWEEN_TRIES_MS = 500;
const SETTLED_MS = 3_000;

export const pause: Bench = { name: 'pause', needsTools: false, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const znodes = run.isQuick ? ZNODES.quick : ZNODES.full;
  const rows: (string | number)[][] = [
    ['', 'gets', 'p50 ms', 'p99 ms', 'max ms', 'less the own, max ms', 'goal', 'reached'],
  ];
  for (const voters of MEMBERS) {
    run.note(`${voters} members`);
    const { quiet, busy, snapshots } = await measureMembers(voters, znodes, run);
    const members = voters === 1 ? 'one member' : 'three members';
    const goalOf = (max: number): string[] => [`≤ ${GOAL_MS} ms`, max <= GOAL_MS ? 'yes' : 'no'];
    const during = busy.filter(({ sentAt }) =>
      snapshots.some(({ from, to }) => sentAt >= from && sentAt <= to),
    );
    const between = busy.filter((get) => !during.includes(get));
    rows.push([`${members}, nothing else`, ...cells(quiet), '', '']);
    rows.push([`${members}, writes, between snapshots`, ...cells(between), '', '']);
    if (during.length === 0) throw new Error('no snapshot was seen while it was written');
    const length = Math.max(...snapshots.map(({ from, to }) => to - from)) / 1000;
    rows.push([
      `${members}, writes, while ${snapshots.length} snapshots are written (up to ${length.toFixed(1)} s each)`,
      ...cells(during),
      ...goalOf(longestPause(during)),
    ]);
  }
  return {
    title: 'Pauses while a snapshot is written',
    about:
      `${short(znodes)} znodes of ${BYTES} bytes; a process of its own gets one of them from every member each millisecond, without waiting for the answer to the one before, ` +
      `while ${WRITERS} sessions set others, one after the other, until snapshots have been written. The longest get is the longest pause. The last column but two ` +
      'leaves out for each get the time for which the prober itself did not run.',
    commands: [`npm run bench -- --only pause${run.isQuick ? ' --quick' : ''}`],
    body: table(rows),
  };
}

function cells(gets: readonly Get[]): (string | number)[] {
  const sorted = gets.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return [
    String(sorted.length),
    quantile(sorted, 0.5),
    quantile(sorted, 0.99),
    quantile(sorted, 1),
    longestPause(gets),
  ];
}

/** Of the members alone. */
function longestPause(gets: readonly Get[]): number {
  return gets.reduce((most, { ms, ownMs }) => Math.max(most, ms - ownMs), 0);
}

interface Get {
  /** Wall clock, milliseconds. */
  readonly sentAt: number;
  readonly ms: number;
  /** For which the prober itself cannot have run meanwhile. */
  readonly ownMs: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

async function measureMembers(
  voters: number,
  znodes: number,
  run: BenchRun,
): Promise<{
  readonly quiet: readonly Get[];
  readonly busy: readonly Get[];
  readonly snapshots: readonly Span[];
}> {
  const wanted = run.isQuick ? SNAPSHOTS.quick : SNAPSHOTS.full;
  await using ensemble = await EnsembleProcess.start({ voters });
  await fill(ensemble.url(), znodes);
  run.note('filled');
  for (const id of ensemble.ids) await ensemble.stop(id);
  for (const id of ensemble.ids) ensemble.launch(id, { flags: ['--snapshot-txns', String(SNAPSHOT_TXNS)] });
  await ensemble.serving();
  await sleep(SETTLED_MS);

  const hosts = ensemble.ids.map((id) => `127.0.0.1:${ensemble.portOf(id)}`);
  const quiet = await probing(hosts, znodes, () => sleep(run.isQuick ? QUIET_MS.quick : QUIET_MS.full));
  run.note('measured in quiet');
  const clients = await Promise.all(Array.from({ length: WRITERS }, () => connect(ensemble.url())));
  const snapshots = (id: number): readonly Span[] => snapshotsIn(ensemble.member(id).log);
  const before = new Map(ensemble.ids.map((id) => [id, snapshots(id).length]));
  const taken = (id: number): readonly Span[] => snapshots(id).slice(before.get(id));
  const isEnough = (): boolean => ensemble.ids.every((id) => taken(id).length >= wanted);
  const busy = await probing(hosts, znodes, async () => {
    const deadline = performance.now() + PATIENCE_MS;
    const isOver = (): boolean => isEnough() || performance.now() > deadline;
    await Promise.all(clients.map((client, at) => write(client, { znodes, at, isOver })));
  });
  await Promise.all(clients.map((client) => client.close()));
  return { quiet, busy, snapshots: ensemble.ids.flatMap(taken) };
}

/** From what the member logs: when each was done, and how long it took. */
function snapshotsIn(log: string): readonly Span[] {
  return log
    .split('\n')
    .filter((line) => line.includes('Snapshot taken'))
    .map((line) => {
      const { time, ms } = JSON.parse(line) as { readonly time: number | string; readonly ms: number };
      const to = new Date(time).getTime();
      return { from: to - ms, to };
    });
}

function pathOf(index: number): string {
  return `/d${Math.floor(index / FOLDER)}/n${index % FOLDER}`;
}

async function fill(url: string, znodes: number): Promise<void> {
  await using client = await connect(url, { sessionTimeoutMs: 30_000 });
  const data = new Uint8Array(BYTES).fill(120);
  for (let folder = 0; folder * FOLDER < znodes; folder++) await client.create(`/d${folder}`);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < znodes) {
      const from = next;
      next += PER_MULTI;
      const paths = Array.from({ length: Math.min(PER_MULTI, znodes - from) }, (_, at) => pathOf(from + at));
      await createAll(client, paths, data);
    }
  };
  await Promise.all(Array.from({ length: MULTIS_UNDER_WAY }, work));
}

/** In one transaction, until it is there: a member may lose its leader while a machine has too much to do. */
async function createAll(client: Client, paths: readonly string[], data: Uint8Array): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      await client.multi(paths.map((path) => ({ type: 'create', path, data })));
      return;
    } catch (error) {
      if (left === 1) throw error;
      await sleep(BETWEEN_TRIES_MS);
      if ((await client.exists(paths[0]!)) !== null) return;
    }
  }
}

async function write(
  client: Client,
  { znodes, at, isOver }: { readonly znodes: number; readonly at: number; readonly isOver: () => boolean },
): Promise<void> {
  const data = new Uint8Array(BYTES).fill(121);
  // All over the tree, and of no writer the same.
  for (let turn = at; !isOver(); turn += WRITERS) {
    try {
      await client.setData(pathOf((turn * 7919) % znodes), data);
    } catch {
      // The gets tell how long the members were away.
    }
  }
}

/** What the prober sees until `task` is done. */
async function probing(
  hosts: readonly string[],
  znodes: number,
  task: () => Promise<void>,
): Promise<readonly Get[]> {
  const child: ChildProcess = fork(PROGRAM, [hosts.join(), String(znodes), String(FOLDER)]);
  await once(child, 'message');
  await task();
  const answered = once(child, 'message');
  child.send('enough');
  const [{ sentAt, ms, ownMs }] = (await answered) as [Gets];
  await once(child, 'exit');
  return sentAt.map((at, index) => ({ sentAt: at, ms: ms[index]!, ownMs: ownMs[index]! }));
}
