import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FAILED_SEEDS } from './failed-seeds.js';
import { run } from './run.js';
import { SeedPool, type Job, type SeedReport } from './runner/seed-pool.js';

/** `SIMULATION_FROM` and `SIMULATION_SEEDS` choose other seeds, or more of them: fresh ones are looked for on purpose. */
const FRESH_SEEDS = Number(process.env.SIMULATION_SEEDS ?? 40);
const FIRST_SEED = Number(process.env.SIMULATION_FROM ?? 5000);

async function play(jobs: Iterable<Job>): Promise<readonly SeedReport[]> {
  const reports: SeedReport[] = [];
  await new SeedPool().run(jobs, (report) => reports.push(report) > 0);
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

test(`seeds find nothing: ${FRESH_SEEDS} from ${FIRST_SEED} on`, async () => {
  console.log(`first seed: ${FIRST_SEED}`);
  const jobs = Array.from({ length: FRESH_SEEDS }, (_, index): Job => {
    return { seed: FIRST_SEED + index, mode: index % 3 === 2 ? 'liveness' : 'safety' };
  });

  const reports = await play(jobs);

  assert.is(findings(reports), '');
  assert.is(reports.length, FRESH_SEEDS);
  const sum = (pick: (report: SeedReport) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0);
  assert.ok(sum(({ transactions }) => transactions) > 20 * FRESH_SEEDS, 'next to nothing was written');
  assert.ok(sum(({ epochs }) => epochs) > 2 * FRESH_SEEDS, 'next to no leader was ever replaced');
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
