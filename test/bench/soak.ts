/**
 * Three members under half of the highest load, for as long as is said, one of them killed every so often and started again:
 * looks for lost writes, and for memory, descriptors and timers that grow.
 *
 * Run: node dist/test/bench/soak.js [--minutes 60] [--rate half|N] [--kill-seconds 60] [--results FILE]
 *
 * The rate is in writes a second, with a read beside each. In the first half any member may be killed; in the second one is spared, so
 * that one process gets old. Prints a line each minute; exits with 1 if anything was found. The summary goes into `RESULTS.md`
 * beside this file if it took at least half an hour, or with `--results` wherever that says.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { parseArgs } from 'node:util';
import { EnsembleProcess } from '../process/ensemble-process.js';
import { sleep } from './client-load.js';
import { machineShape } from './machine.js';
import { RESULTS, SECTIONS } from './page.js';
import { keep } from './results.js';
import { SoakLoad } from './soak-load.js';
import { findings, soakSection, type Sample, type SoakReport } from './soak-report.js';
import { countTimers, ownVitals, vitalsOf, type ProcessVitals } from './vitals.js';

const MEMBERS = 3;
/** Not killed in the second half. */
const SPARED = 1;
const SESSIONS = 24;
const FULL_SPEED_MS = 10_000;
const WARM_UP_MS = 5_000;
const DOWN_MS = 5_000;
const QUIET_MS = 5_000;
const MINUTE_MS = 60_000;
const SAMPLES_AT_LEAST = 20;
const KEPT_FROM_MINUTES = 30;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: 'half' },
    'kill-seconds': { type: 'string', default: '60' },
    results: { type: 'string' },
  },
});

class Soak {
  readonly #ensemble: EnsembleProcess;
  readonly #vitals: string;
  readonly #environment: Readonly<Record<string, string>>;
  /** Killed, or not yet up again: before it listens to it, the signal that asks for vitals would end a process. */
  readonly #down = new Set<number>();
  readonly samples: Sample[] = [];
  kills = 0;
  leaderKills = 0;

  constructor(ensemble: EnsembleProcess, vitals: string) {
    this.#ensemble = ensemble;
    this.#vitals = vitals;
    const program = new URL('programs/vitals.js', import.meta.url).href;
    this.#environment = { NODE_OPTIONS: `--import=${program}`, QUORATE_VITALS: vitals };
  }

  get url(): string {
    return this.#ensemble.url();
  }

  async begin(): Promise<void> {
    for (const id of this.#ensemble.ids) this.#launch(id);
    await this.#ensemble.serving();
  }

  async run(load: SoakLoad, ms: number): Promise<void> {
    const at = performance.now();
    const every = Math.min(MINUTE_MS, ms / SAMPLES_AT_LEAST);
    const over = new AbortController();
    const killing = this.#keepKilling(over.signal, at + ms / 2);
    let acknowledged = load.acknowledged;
    for (let sample = 1; performance.now() - at < ms; sample++) {
      await sleep(at + sample * every - performance.now());
      const members = await this.vitals();
      this.samples.push({
        minute: (performance.now() - at) / MINUTE_MS,
        members,
        own: ownVitals(),
        dataBytes: this.#ensemble.ids.reduce((sum, id) => sum + sizeOf(this.#ensemble.dataOf(id)), 0),
        acknowledged: load.acknowledged,
        perSecond: ((load.acknowledged - acknowledged) * 1000) / every,
        longestGapMs: load.takeLongestGap(),
      });
      acknowledged = load.acknowledged;
      console.log(lineOf(this.samples.at(-1)!));
    }
    over.abort();
    await killing;
    await this.#ensemble.serving();
  }

  /** Of the members that serve, by their number. */
  async vitals(): Promise<ReadonlyMap<number, ProcessVitals>> {
    const all = new Map<number, ProcessVitals>();
    for (const id of this.#ensemble.ids.filter((each) => !this.#down.has(each))) {
      const vitals = await vitalsOf(this.#ensemble.member(id).pid, this.#vitals);
      if (vitals !== null) all.set(id, vitals);
    }
    return all;
  }

  /** Throws if two members hold different trees. */
  async converged(): Promise<void> {
    await this.#ensemble.converged();
  }

  #launch(id: number): void {
    this.#ensemble.launch(id, { environment: this.#environment });
  }

  async #keepKilling(signal: AbortSignal, sparingFrom: number): Promise<void> {
    const everyMs = Number(values['kill-seconds']) * 1000;
    for (let turn = 0; ; turn++) {
      await sleepUnless(signal, everyMs);
      if (signal.aborted) return;
      const { ids } = this.#ensemble;
      const mortal = performance.now() < sparingFrom ? ids : ids.filter((id) => id !== SPARED);
      const leader = await this.#ensemble.leaderAmong();
      // The leader every other time, if it may be killed.
      const isLeaderNext = turn % 2 === 0 && leader !== undefined && mortal.includes(leader);
      const victim = isLeaderNext ? leader : mortal[turn % mortal.length]!;
      this.#down.add(victim);
      await this.#ensemble.kill(victim);
      this.kills += 1;
      if (victim === leader) this.leaderKills += 1;
      await sleep(DOWN_MS);
      this.#launch(victim);
      await this.#ensemble.serving();
      this.#down.delete(victim);
    }
  }
}

function lineOf({ minute, members, own, perSecond, acknowledged, longestGapMs, dataBytes }: Sample): string {
  const mb = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  const each = [...members].map(
    ([id, one]) =>
      `member ${id}: rss ${mb(one.residentBytes)} heap ${mb(one.heapBytes)} MiB, ${one.descriptors} descriptors, ${one.timers} timers, ${one.handles} handles`,
  );
  return [
    `minute ${minute.toFixed(1)}: ${acknowledged.toLocaleString('en')} acknowledged, ${perSecond.toFixed(0)}/s, longest gap ${longestGapMs.toFixed(0)} ms`,
    ...each,
    `clients: heap ${mb(own.heapBytes)} MiB, ${own.timers} timers`,
    `disks ${mb(dataBytes)} MiB`,
  ].join('; ');
}

/** Of everything below, bytes; files come and go meanwhile. */
function sizeOf(directory: string): number {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => {
      const stat = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
      // As allocated: the log is longer than what it holds.
      return sum + (stat?.blocks ?? 0) * 512;
    }, 0);
}

async function sleepUnless(signal: AbortSignal, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (!signal.aborted && performance.now() < until) await sleep(100);
}

async function highestRate(load: SoakLoad): Promise<number> {
  load.work(Number.POSITIVE_INFINITY);
  await sleep(WARM_UP_MS);
  const [before, at] = [load.acknowledged, performance.now()];
  await sleep(FULL_SPEED_MS);
  const perSecond = (1000 * (load.acknowledged - before)) / (performance.now() - at);
  await load.rest();
  return perSecond;
}

async function soak(vitals: string): Promise<SoakReport> {
  const minutes = Number(values.minutes);
  await using ensemble = await EnsembleProcess.prepare({ voters: MEMBERS, flags: ['--log-level', 'warn'] });
  const run = new Soak(ensemble, vitals);
  await run.begin();
  await sleep(QUIET_MS);
  const before = await run.vitals();
  const ownBefore = ownVitals();
  const load = await SoakLoad.start(run.url, SESSIONS);
  const highest = values.rate === 'half' ? await highestRate(load) : null;
  const rate = highest === null ? Number(values.rate) : highest / 2;
  console.log(`${rate.toFixed(0)} writes and as many reads in a second for ${minutes} minutes`);
  load.work(rate);
  await run.run(load, minutes * MINUTE_MS);
  await load.rest();
  await load.verify();
  await run.converged();
  await load.close();
  await sleep(QUIET_MS);
  const { samples, kills, leaderKills } = run;
  const { acknowledged, unknown, refused, reads, visits, complaints } = load;
  return {
    minutes,
    rate,
    highest,
    kills,
    leaderKills,
    spared: SPARED,
    samples,
    writes: { acknowledged, unknown, refused, reads, visits, complaints },
    before: { members: before, own: ownBefore },
    after: { members: await run.vitals(), own: ownVitals() },
  };
}

countTimers();
const vitals = mkdtempSync(join(tmpdir(), 'quorate-vitals-'));
try {
  const report = await soak(vitals);
  const found = findings(report);
  const file = values.results ?? (report.minutes >= KEPT_FROM_MINUTES ? RESULTS : null);
  const pictures = file === null ? null : join(dirname(file), 'pictures');
  if (pictures !== null) mkdirSync(pictures, { recursive: true });
  const section = soakSection(report, found, { directory: pictures, link: 'pictures' });
  console.log(`\n## ${section.title}\n\n${section.body}`);
  if (file !== null)
    await keep(file, [{ ...section, name: 'soak', date: new Date(), machine: machineShape() }], SECTIONS);
  if (found.length > 0) process.exitCode = 1;
} finally {
  rmSync(vitals, { recursive: true, force: true });
}
