/**
 * Runs whole ensembles in simulation, one for each seed:
 * `npm run simulate -- --seeds N --from K [--mode safety|liveness|founding] [--jobs N] [--limit N]`, and, for a single one,
 * `npm run simulate -- --seed S --mode safety [--trace]`, which says in readable lines what happens.
 * A seed that finds something is printed with the command that plays it again; the exit code is then 1.
 */
import { parseArgs } from 'node:util';
import { MODES, type Mode } from './plan.js';
import { run } from './run.js';
import { SeedPool, type Job, type SeedReport } from './runner/seed-pool.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    mode: { type: 'string' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    /** Stop after so many findings. */
    limit: { type: 'string', default: '20' },
  },
});

const modes: readonly Mode[] = modesOf(values.mode);
if (values.seed === undefined) await runMany(Number(values.from), Number(values.seeds));
else for (const mode of modes) await runOne(Number(values.seed), mode);

function modesOf(mode: string | undefined): readonly Mode[] {
  if (mode === undefined) return MODES;
  const known = MODES.find((each) => each === mode);
  if (known === undefined) throw new Error(`There is no mode ${mode}: give ${MODES.join(', ')}`);
  return [known];
}

async function runOne(seed: number, mode: Mode): Promise<void> {
  const trace = values.trace ? (line: string): void => console.log(line) : undefined;
  const { finding, ...rest } = await run({ seed, mode, trace });
  console.log(JSON.stringify(rest));
  if (finding === null) return console.log(`seed ${seed} in ${mode} mode: nothing found`);
  console.log(`seed ${seed} in ${mode} mode: ${finding.stack ?? finding.message}`);
  process.exitCode = 1;
}

async function runMany(from: number, count: number): Promise<void> {
  const startedAt = performance.now();
  const totals = new Map<string, number>();
  let done = 0;
  let found = 0;
  const report = (seed: SeedReport): boolean => {
    done += 1;
    add(totals, seed);
    if (done % 500 === 0) console.log(`${done} runs, ${found} findings, ${elapsed(startedAt)} s`);
    if (seed.finding === null) return true;
    found += 1;
    console.log(
      `FOUND ${seed.finding}\n  again: npm run simulate -- --seed ${seed.seed} --mode ${seed.mode} --trace`,
    );
    return found < Number(values.limit);
  };
  await new SeedPool({ workers: values.jobs === undefined ? undefined : Number(values.jobs) }).run(
    jobs(from, count),
    report,
  );
  console.log(JSON.stringify(Object.fromEntries(totals)));
  console.log(`${done} runs, ${found} findings, ${elapsed(startedAt)} s`);
  if (found > 0) process.exitCode = 1;
}

function* jobs(from: number, count: number): Iterable<Job> {
  for (let seed = from; seed < from + count; seed++) for (const mode of modes) yield { seed, mode };
}

function add(totals: Map<string, number>, { transactions, epochs, counts }: SeedReport): void {
  for (const [name, count] of Object.entries({ transactions, epochs, ...counts }))
    totals.set(name, (totals.get(name) ?? 0) + count);
}

function elapsed(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1);
}
