import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FAILED_SEEDS } from './failed-seeds.js';
import type { Mode } from './plan.js';
import { run } from './run.js';
import { SeedPool, type Job, type SeedReport } from './runner/seed-pool.js';

/** Every minute has a thousand seeds of its own, so that each run of the tests plays what nobody has played before. */
const SEEDS_PER_MINUTE = 1000;
const MINUTES = 1_000_000;
/** On a machine that has other things to do fewer seeds are played. */
const MOST_MS = 150_000;
/** Of so many, some have stale reads and changes of leaders. */
const ENOUGH_TO_JUDGE = 50;

/** `SIMULATION_SEEDS` says how many, `SIMULATION_FROM` from which on: the first one is in the output of each run. */
const FRESH_SEEDS = Number(process.env.SIMULATION_SEEDS ?? 200);
const FIRST_SEED = Number(process.env.SIMULATION_FROM ?? seedOfNow());

/** Of three runs one demands progress. */
const PLAYED: readonly Mode[] = ['safety', 'safety', 'liveness'];
/** Ensembles that are founded among faults and lost disks; `npm run simulate -- --mode founding` plays others. */
const FOUNDING_SEEDS = { first: 50_000, count: 24 };

function seedOfNow(): number {
  return (Math.floor(Date.now() / 60_000) % MINUTES) * SEEDS_PER_MINUTE;
}

async function play(jobs: Iterable<Job>, mostMs = Infinity): Promise<readonly SeedReport[]> {
  const startedAt = performance.now();
  const reports: SeedReport[] = [];
  await new SeedPool().run(jobs, (report) => {
    reports.push(report);
    return performance.now() - startedAt < mostMs;
  });
  return reports;
}

function findings(reports: readonly SeedReport[]): string {
  return reports
    .filter(({ finding }) => finding !== null)
    .map(({ seed, mode, finding }) => `npm run simulate -- --seed ${seed} --mode ${mode} --trace\n${finding}`)
    .join('\n');
}

test('seeds that found something once find nothing any more', async () => {
  assert.is(findings(await play(FAILED_SEEDS)), '');
});

test('seeds that found an ensemble while disks are lost find nothing', async () => {
  const jobs = Array.from({ length: FOUNDING_SEEDS.count }, (_, index): Job => {
    return { seed: FOUNDING_SEEDS.first + index, mode: 'founding' };
  });

  assert.is(findings(await play(jobs)), '');
});

test('seeds that nobody has played before find nothing', async () => {
  const jobs = Array.from({ length: FRESH_SEEDS }, (_, index): Job => {
    return { seed: FIRST_SEED + index, mode: PLAYED[index % PLAYED.length]! };
  });

  const reports = await play(jobs, process.env.SIMULATION_SEEDS === undefined ? MOST_MS : Infinity);

  console.log(
    `\n# ${reports.length} seeds from ${FIRST_SEED} on (SIMULATION_FROM=${FIRST_SEED} plays them again)`,
  );
  assert.is(findings(reports), '');
  if (reports.length < ENOUGH_TO_JUDGE) return;
  const sum = (pick: (report: SeedReport) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0);
  assert.ok(sum(({ transactions }) => transactions) > 20 * reports.length, 'next to nothing was written');
  assert.ok(sum(({ epochs }) => epochs) > 2 * reports.length, 'next to no leader was ever replaced');
  assert.ok(
    sum(({ counts }) => counts.staleReads ?? 0) > 0,
    'no read was ever stale: too little happens at once',
  );
});

test('the same seed plays the same, to the last line of its trace', async () => {
  const traceOf = async (seed: number): Promise<readonly string[]> => {
    const lines: string[] = [];
    await run({ seed, mode: 'safety', trace: (line) => lines.push(line) });
    return lines;
  };
  for (const seed of [3, 7, 11]) {
    const first = await traceOf(seed);
    assert.ok(first.length > 20);
    assert.equal(await traceOf(seed), first);
  }
});

test.run();
