/**
 * How fast a queue is, end to end: jobs added by one process, and worked off by two with a concurrency of 50 each, on one
 * member that syncs to disk, in a process of its own.
 *
 * Run: node dist/test/bench/queue.js [--jobs 20000] [--bytes 128] [--rounds 3] [--connect ws://…]
 *
 * Prints, per round: jobs added in a second; jobs worked off in a second; milliseconds from adding to being done of one job
 * on the idle queue, median and 99th percentile.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect, WorkQueue } from '../../framework/index.js';

const CONCURRENCY = 50;
const WORKERS = 2;
const SINGLE_JOBS = 300;
const QUEUE = { maxJobs: 1_000_000, maxBytes: 1_000_000_000, maxBacklog: 1_000_000 };

type ToWorker = { readonly type: 'stop' };

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '20000' },
    bytes: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '3' },
    connect: { type: 'string' },
    worker: { type: 'boolean', default: false },
  },
});

/** A process that works off the queue until it is told to stop. */
async function work(url: string): Promise<void> {
  const client = await connect(url);
  const consumer = new WorkQueue(client, 'bench', QUEUE).consume(() => undefined, {
    concurrency: CONCURRENCY,
  });
  process.on('message', (message: ToWorker) => {
    if (message.type === 'stop') void consumer.drain().then(() => client.close());
  });
  await consumer.closed;
  process.disconnect();
}

async function measure(): Promise<void> {
  await using member = values.connect === undefined ? await Member.start() : null;
  const url = values.connect ?? member!.url;
  await using client = await connect(url);
  const queue = new WorkQueue<string>(client, 'bench', QUEUE);
  const jobs = Number(values.jobs);
  const data = 'x'.repeat(Number(values.bytes));
  await queue.enqueue(data);
  for (let round = 1; round <= Number(values.rounds); round++) {
    await queue.pause();
    const addedAt = performance.now();
    await Promise.all(Array.from({ length: jobs }, () => queue.enqueue(data)));
    const addedMs = performance.now() - addedAt;

    const workers = Array.from({ length: WORKERS }, () => startWorker(url));
    await until(async () => (await queue.counts()).consumers === WORKERS);
    await sleep(1_000);
    const begunAt = performance.now();
    await queue.resume();
    await until(async () => (await queue.counts()).jobs === 0);
    const doneMs = performance.now() - begunAt;

    const latencies: number[] = [];
    for (let job = 0; job < SINGLE_JOBS; job++) {
      const at = performance.now();
      await queue.result(await queue.enqueue(data));
      latencies.push(performance.now() - at);
    }
    for (const worker of workers) {
      worker.send({ type: 'stop' } satisfies ToWorker);
      await once(worker, 'exit');
    }
    latencies.sort((a, b) => a - b);
    const [p50, p99] = [0.5, 0.99].map((part) => latencies[Math.floor(latencies.length * part)]!.toFixed(1));
    console.log(
      `round ${round}: ${perSecond(jobs, addedMs)} added/s, ${perSecond(jobs, doneMs)} done/s, one job ${p50} ms (p99 ${p99} ms)`,
    );
  }
}

function startWorker(url: string): ChildProcess {
  return fork(fileURLToPath(import.meta.url), ['--worker', '--connect', url]);
}

function perSecond(count: number, ms: number): string {
  return Math.round((count * 1000) / ms).toLocaleString('en');
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

/** One durable member, as an operator runs it. */
class Member implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(url: string, member: ChildProcess, directory: string) {
    this.url = url;
    this.#process = member;
    this.#directory = directory;
  }

  static async start(): Promise<Member> {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-bench-'));
    const port = await freePort();
    const quorate = fileURLToPath(new URL('../../plugins/cli/quorate.js', import.meta.url));
    const member = fork(quorate, ['serve', '--data', directory, '--port', String(port)], {
      stdio: 'ignore',
    });
    return new Member(`ws://127.0.0.1:${port}`, member, directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM');
    await once(this.#process, 'exit');
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
