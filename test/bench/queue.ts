/**
 * How fast a queue is, end to end: jobs added by one process, and worked off by two with a concurrency of 50 each, on
 * members that sync to disk, each in a process of its own.
 *
 * Run: node dist/test/bench/queue.js [--jobs 20000] [--bytes 128] [--rounds 3] [--members 1] [--connect ws://…]
 *        [--profile directory]
 *
 * Prints, per round and as the median of all rounds but the first: jobs added in a second, jobs worked off in a second, and
 * what each job took of the processor for that, in microseconds, by the process that added (or waited), both workers, and
 * all members; and milliseconds from adding to being done of one job on the idle queue, median and 99th percentile. The
 * time of the processor says more than the rates where other programs run beside. `--profile` leaves CPU profiles of all
 * processes but this one.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect, WorkQueue, type QueueConsumer } from '../../framework/index.js';

const CONCURRENCY = 50;
const WORKERS = 2;
const SINGLE_JOBS = 300;
const QUEUE = { maxJobs: 1_000_000, maxBytes: 1_000_000_000, maxBacklog: 1_000_000 };
/** `/proc` counts in hundredths of a second on every Linux there is. */
const MICROS_PER_TICK = 10_000;

/** `consume` and `drain` are answered when that is so. */
type ToWorker = { readonly type: 'consume' | 'drain' | 'end' };

/** Microseconds of the processor; null where the system does not tell. */
interface Cpu {
  readonly client: number | null;
  readonly workers: number | null;
  readonly members: number | null;
}

interface Phase {
  readonly perSecond: number;
  readonly cpuPerJob: Cpu;
}

interface Round {
  readonly added: Phase;
  readonly done: Phase;
  readonly p50: number;
  readonly p99: number;
}

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '20000' },
    bytes: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '3' },
    members: { type: 'string', default: '1' },
    connect: { type: 'string' },
    profile: { type: 'string' },
    worker: { type: 'boolean', default: false },
  },
});

/** A process that works off the queue when it is told to. */
async function work(url: string): Promise<void> {
  const client = await connect(url);
  const queue = new WorkQueue(client, 'bench', QUEUE);
  let consumer: QueueConsumer | null = null;
  for await (const [message] of on(process, 'message') as AsyncIterable<[ToWorker]>) {
    if (message.type === 'end') break;
    if (message.type === 'consume') consumer = queue.consume(() => undefined, { concurrency: CONCURRENCY });
    else await consumer?.drain();
    process.send!('so it is');
  }
  await client.close();
  process.disconnect();
}

async function measure(): Promise<void> {
  await using members = values.connect === undefined ? await Members.start(Number(values.members)) : null;
  const url = values.connect ?? members!.url;
  await using client = await connect(url);
  const queue = new WorkQueue<string>(client, 'bench', QUEUE);
  await queue.enqueue('the first one, which makes the znodes of the queue');
  const workers = Array.from({ length: WORKERS }, () => startWorker(url));
  const rounds: Round[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const measured = await measureRound(queue, workers, members?.pids ?? null);
    rounds.push(measured);
    console.log(`round ${round}: ${describe(measured)}`);
  }
  for (const worker of workers) {
    worker.send({ type: 'end' } satisfies ToWorker);
    await once(worker, 'exit');
  }
  if (rounds.length > 1) console.log(`median:  ${describe(medianOf(rounds.slice(1)))}`);
}

async function measureRound(
  queue: WorkQueue<string>,
  workers: readonly ChildProcess[],
  members: readonly number[] | null,
): Promise<Round> {
  const jobs = Number(values.jobs);
  const data = 'x'.repeat(Number(values.bytes));
  await queue.pause();
  const added = await phase({ jobs, workers: [], members }, async () => {
    await Promise.all(Array.from({ length: jobs }, () => queue.enqueue(data)));
  });

  await tell(workers, 'consume');
  await until(async () => (await queue.counts()).consumers === WORKERS);
  await sleep(1_000);
  const pids = workers.map(({ pid }) => pid!);
  const done = await phase({ jobs, workers: pids, members }, async () => {
    await queue.resume();
    await until(async () => (await queue.counts()).jobs === 0);
  });

  const latencies: number[] = [];
  for (let job = 0; job < SINGLE_JOBS; job++) {
    const at = performance.now();
    await queue.result(await queue.enqueue(data));
    latencies.push(performance.now() - at);
  }
  await tell(workers, 'drain');
  latencies.sort((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((part) => latencies[Math.floor(latencies.length * part)]!);
  return { added, done, p50: p50!, p99: p99! };
}

async function tell(workers: readonly ChildProcess[], type: ToWorker['type']): Promise<void> {
  await Promise.all(
    workers.map(async (worker) => {
      const answered = once(worker, 'message');
      worker.send({ type } satisfies ToWorker);
      await answered;
    }),
  );
}

async function phase(
  setting: {
    readonly jobs: number;
    readonly workers: readonly number[];
    readonly members: readonly number[] | null;
  },
  run: () => Promise<void>,
): Promise<Phase> {
  const { jobs, workers, members } = setting;
  const cpu = (): Cpu => {
    const { user, system } = process.cpuUsage();
    return { client: user + system, workers: cpuOf(workers), members: cpuOf(members) };
  };
  const before = cpu();
  const at = performance.now();
  await run();
  const ms = performance.now() - at;
  const after = cpu();
  const perJob = (key: keyof Cpu): number | null =>
    after[key] === null || before[key] === null ? null : (after[key] - before[key]) / jobs;
  return {
    perSecond: (jobs * 1_000) / ms,
    cpuPerJob: { client: perJob('client'), workers: perJob('workers'), members: perJob('members') },
  };
}

/** Of processes, in all, as Linux tells. */
function cpuOf(pids: readonly number[] | null): number | null {
  if (pids === null) return null;
  try {
    return pids.reduce((sum, pid) => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // Behind the name of the program, which may hold anything: user and system time are the 12th and 13th.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return sum + (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
    }, 0);
  } catch {
    return null;
  }
}

function startWorker(url: string): ChildProcess {
  return fork(fileURLToPath(import.meta.url), ['--worker', '--connect', url], {
    execArgv: profiled('worker'),
  });
}

function profiled(name: string): string[] {
  if (values.profile === undefined) return [];
  const file = `${name}-${Date.now()}-${Math.random().toString(36).slice(2, 6)}.cpuprofile`;
  return ['--cpu-prof', '--cpu-prof-dir', values.profile, '--cpu-prof-name', file];
}

function medianOf(rounds: readonly Round[]): Round {
  const median = (of: (round: Round) => number | null): number =>
    rounds.map((round) => of(round) ?? NaN).sort((a, b) => a - b)[Math.floor(rounds.length / 2)]!;
  const known = (value: number): number | null => (Number.isNaN(value) ? null : value);
  const phaseOf = (of: (round: Round) => Phase): Phase => ({
    perSecond: median((round) => of(round).perSecond),
    cpuPerJob: {
      client: known(median((round) => of(round).cpuPerJob.client)),
      workers: known(median((round) => of(round).cpuPerJob.workers)),
      members: known(median((round) => of(round).cpuPerJob.members)),
    },
  });
  return {
    added: phaseOf(({ added }) => added),
    done: phaseOf(({ done }) => done),
    p50: median(({ p50 }) => p50),
    p99: median(({ p99 }) => p99),
  };
}

function describe({ added, done, p50, p99 }: Round): string {
  return [
    describePhase(added, 'added', ['client', 'members']),
    describePhase(done, 'done', ['workers', 'members', 'client']),
    `one job ${p50.toFixed(1)} ms (p99 ${p99.toFixed(1)} ms)`,
  ].join('; ');
}

function describePhase({ perSecond, cpuPerJob }: Phase, what: string, parts: readonly (keyof Cpu)[]): string {
  const rate = Math.round(perSecond).toLocaleString('en');
  const each = parts.map((part) => `${part} ${cpuPerJob[part]?.toFixed(0) ?? '?'}`);
  const sum = parts.reduce((total, part) => total + (cpuPerJob[part] ?? NaN), 0);
  return `${rate} ${what}/s, ${Number.isNaN(sum) ? '?' : sum.toFixed(0)} µs each (${each.join(', ')})`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

/** Durable members, as an operator runs them. */
class Members implements AsyncDisposable {
  readonly url: string;
  readonly #processes: readonly ChildProcess[];
  readonly #directory: string;

  private constructor(url: string, processes: readonly ChildProcess[], directory: string) {
    this.url = url;
    this.#processes = processes;
    this.#directory = directory;
  }

  get pids(): readonly number[] {
    return this.#processes.map(({ pid }) => pid!);
  }

  static async start(count: number): Promise<Members> {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-bench-'));
    const ports = await Promise.all(Array.from({ length: count }, freePort));
    const ensemble = ports.map((port, at) => `${at + 1}=127.0.0.1:${port}`).join(',');
    const quorate = fileURLToPath(new URL('../../plugins/cli/quorate.js', import.meta.url));
    const members = ports.map((port, at) => {
      const data = join(directory, String(at + 1));
      const alone = ['serve', '--data', data, '--port', String(port)];
      const together = [
        '--id',
        String(at + 1),
        '--ensemble',
        ensemble,
        '--secret',
        'a secret of this bench only',
      ];
      return fork(quorate, count === 1 ? alone : [...alone, ...together], {
        stdio: 'ignore',
        execArgv: profiled('member'),
      });
    });
    return new Members(`ws://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`, members, directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#processes) member.kill('SIGTERM');
    await Promise.all(
      this.#processes.filter(({ exitCode }) => exitCode === null).map((member) => once(member, 'exit')),
    );
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, 'close');
  return port;
}

if (values.worker) await work(values.connect!);
else await measure();
