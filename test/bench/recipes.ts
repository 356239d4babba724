/** Recipes and applications end to end, on durable members: locks, elections, configuration, jobs. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect, FairLock, Queue, type Client } from '../../framework/index.js';
import { EnsembleProcess } from '../process/ensemble-process.js';
import type { Bench, BenchRun } from './bench-run.js';
import { connectMany, sleep } from './client-load.js';
import { figure, quantile, spread, table } from './figures.js';
import { machineNowMs } from './machine.js';
import { CONFIG_PATH, QUEUE, type Told } from './programs/fleet-told.js';
import type { Section } from './results.js';

const PROGRAM = fileURLToPath(new URL('programs/fleet.js', import.meta.url));
const MEMBERS = [3, 1];
const LOCK_SESSIONS = 50;
const LOCK_WARM_UP_MS = 2000;
const FLEET = 3;
const SESSION_MS = 1000;
const AMOUNTS = {
  full: { lockMs: 5000, elections: 7, changes: 200, jobs: 500 },
  quick: { lockMs: 1000, elections: 2, changes: 10, jobs: 20 },
};

export const recipes: Bench = { name: 'recipes', needsTools: false, run: measure };

async function measure(run: BenchRun): Promise<Section> {
  const amounts = run.isQuick ? AMOUNTS.quick : AMOUNTS.full;
  const columns: string[][] = [];
  for (const voters of MEMBERS) {
    run.note(`${voters} members`);
    await using ensemble = await EnsembleProcess.start({ voters, flags: ['--log-level', 'warn'] });
    const hosts = ensemble.ids.map((id) => `127.0.0.1:${ensemble.portOf(id)}`);
    await using client = await connect(ensemble.url());
    const cells = [
      figure(await handOvers(hosts, amounts.lockMs)),
      ...(await applications(client, ensemble.url(), amounts)),
    ];
    columns.push(cells);
  }
  const says = [
    `hand-overs of a lock, ${LOCK_SESSIONS} sessions, /s`,
    'leader killed until the next leads, ms',
    'leader stopped until the next leads, ms',
    'configuration written until the last of three applications has it, ms',
    'job added until its result is known, p50 ms',
    'the same, p99 ms',
  ];
  return {
    title: 'Recipes and applications',
    about:
      `\`FairLock\` with ${LOCK_SESSIONS} sessions in one process; applications with \`@LeaderOnly\`, \`@Config\` and \`@Worker\` in ${FLEET} processes. ` +
      `The session timeout is ${SESSION_MS} ms: whoever is killed is missed no sooner. ${amounts.elections} elections of each kind, ${amounts.changes} changes, ` +
      `${amounts.jobs} jobs one after the other; medians (and from where to where).`,
    commands: [`npm run bench -- --only recipes${run.isQuick ? ' --quick' : ''}`],
    body: table([
      ['', ...MEMBERS.map((count) => (count === 1 ? 'one member' : 'three members'))],
      ...says.map((what, row) => [what, ...columns.map((cells) => cells[row]!)]),
    ]),
  };
}

/** In a second. */
async function handOvers(hosts: readonly string[], ms: number): Promise<number> {
  const clients = await connectMany(hosts, LOCK_SESSIONS);
  let count = 0;
  const over = new AbortController();
  const contend = async (client: Client): Promise<void> => {
    const lock = new FairLock(client, 'bench');
    while (!over.signal.aborted) await lock.run(() => void count++);
  };
  const contending = Promise.all(clients.map(contend));
  await sleep(LOCK_WARM_UP_MS);
  const [before, at] = [count, performance.now()];
  await sleep(ms);
  const perSecond = (1000 * (count - before)) / (performance.now() - at);
  over.abort();
  await contending;
  await Promise.all(clients.map((client) => client.close()));
  return perSecond;
}

async function applications(
  client: Client,
  url: string,
  { elections, changes, jobs }: (typeof AMOUNTS)['full'],
): Promise<string[]> {
  await client.create(CONFIG_PATH, JSON.stringify({ count: 0 }), { createParents: true });
  await using fleet = new Fleet(url);
  for (let member = 0; member < FLEET; member++) await fleet.enter();
  const killed: number[] = [];
  for (let kill = 0; kill < elections; kill++) killed.push(await fleet.replaceLeader('SIGKILL'));
  const stopped: number[] = [];
  for (let stop = 0; stop < elections; stop++) stopped.push(await fleet.replaceLeader('SIGTERM'));
  const reloads: number[] = [];
  for (let change = 1; change <= changes; change++)
    reloads.push(await fleet.changeConfiguration(client, change));
  const latencies = await jobLatencies(client, jobs);
  return [
    spread(killed),
    spread(stopped),
    spread(reloads),
    figure(quantile(latencies, 0.5)),
    figure(quantile(latencies, 0.99)),
  ];
}

/** Milliseconds, sorted. */
async function jobLatencies(client: Client, jobs: number): Promise<readonly number[]> {
  const queue = new Queue<number>(client, QUEUE);
  const latencies: number[] = [];
  for (let job = 0; job < jobs; job++) {
    const at = performance.now();
    await queue.result(await queue.enqueue(job));
    latencies.push(performance.now() - at);
  }
  return latencies.toSorted((a, b) => a - b);
}

/** Processes of one application. */
class Fleet implements AsyncDisposable {
  readonly #url: string;
  readonly #processes = new Set<ChildProcess>();
  #listeners: ((told: Told, from: ChildProcess) => void)[] = [];
  #leader: ChildProcess | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves when the application of one more process runs. */
  async enter(): Promise<void> {
    const child = fork(PROGRAM, [this.#url, String(SESSION_MS)]);
    this.#processes.add(child);
    const ready = this.#told(({ type }) => type === 'ready');
    child.on('message', (told: Told) => {
      if (told.type === 'leads') this.#leader = child;
      for (const listener of this.#listeners) listener(told, child);
    });
    await ready;
    while (this.#leader === null) await sleep(5);
  }

  /** Ends the leader's process; returns how long it took until another one led, milliseconds. */
  async replaceLeader(signal: 'SIGKILL' | 'SIGTERM'): Promise<number> {
    const leader = this.#leader!;
    const next = this.#told(({ type }, from) => type === 'leads' && from !== leader);
    const exited = once(leader, 'exit');
    const at = machineNowMs();
    leader.kill(signal);
    const { atMs } = await next;
    await exited;
    this.#processes.delete(leader);
    await this.enter();
    return atMs - at;
  }

  async changeConfiguration(client: Client, count: number): Promise<number> {
    const applied: Told[] = [];
    const all = this.#told((told) => {
      if (told.type === 'applied' && told.count === count) applied.push(told);
      return applied.length === FLEET;
    });
    const at = machineNowMs();
    await client.setData(CONFIG_PATH, JSON.stringify({ count }));
    await all;
    return Math.max(...applied.map(({ atMs }) => atMs)) - at;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exits = [...this.#processes].map((child) => once(child, 'exit'));
    for (const child of this.#processes) child.kill('SIGTERM');
    await Promise.all(exits);
  }

  /** Resolves with what was told when `holds` says so. */
  #told(holds: (told: Told, from: ChildProcess) => boolean): Promise<Told> {
    return new Promise((resolve) => {
      const listener = (told: Told, from: ChildProcess): void => {
        if (!holds(told, from)) return;
        this.#listeners = this.#listeners.filter((other) => other !== listener);
        resolve(told);
      };
      this.#listeners.push(listener);
    });
  }
}
