/**
 * Puts each mutant into a copy of the code and lets the simulator, or the tests that the mutant names, look for it:
 * `node dist/test/simulation/mutants/run.js [--seeds N] [--from K] [--jobs N] [names…]`. All mutants run if none is named.
 * Prints a table; the exit code is 1 if a mutant survives.
 */
import { parseArgs } from 'node:util';
import type { Mutant } from './mutant.js';
import { MUTANTS } from './mutants.js';
import { runTests, tryOut, type Verdict } from './trial.js';
import { Workshop } from './workshop.js';

const FINDING_LENGTH = 140;

const { values, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '400' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
  },
  allowPositionals: true,
});
const [seeds, from, jobs] = [Number(values.seeds), Number(values.from), Number(values.jobs)];

const unknown = positionals.filter((word) => MUTANTS.every(({ name }) => name !== word));
if (unknown.length > 0) throw new Error(`there is no mutant ${unknown.join(', ')}`);
const chosen = MUTANTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const workshop = new Workshop();
process.on('exit', () => workshop.close());
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

async function judge(mutant: Mutant): Promise<Verdict> {
  const root = workshop.make(mutant);
  const verdict = await (mutant.tests === undefined
    ? judgeBySeeds(root, mutant)
    : judgeByTests(root, mutant.tests));
  workshop.discard(mutant.name);
  return verdict;
}

async function judgeByTests(root: string, tests: readonly string[]): Promise<Verdict> {
  for (const test of tests) await (sound.get(test) ?? checkSound(test));
  return runTests(root, tests);
}

/** By test file: resolved once it has passed on the code as it is. One that fails there proves nothing about a mutant. */
const sound = new Map<string, Promise<void>>();
function checkSound(test: string): Promise<void> {
  const checked = runTests(unchanged, [test]).then(({ finding }) => {
    if (finding !== null) throw new Error(`${test} fails on the code as it is: ${finding}`);
  });
  sound.set(test, checked);
  return checked;
}

/** A seed at which the code as it is fails as well proves nothing about the mutant. */
async function judgeBySeeds(root: string, mutant: Mutant): Promise<Verdict> {
  let seconds = 0;
  for (let next = from; ;) {
    const verdict = await tryOut(root, {
      from: next,
      seeds: from + seeds - next,
      shownBy: mutant.shownBy,
    });
    next += verdict.seeds;
    seconds += verdict.seconds;
    if (verdict.finding !== null && (await failsUnchanged(next - 1, mutant))) continue;
    return { ...verdict, seeds: next - from, seconds };
  }
}

const unchanged = workshop.make({ name: 'unchanged', changes: [] });
if (await failsUnchanged(from, {})) throw new Error('there is nothing to compare with');
async function failsUnchanged(seed: number, { shownBy }: Pick<Mutant, 'shownBy'>): Promise<boolean> {
  const { finding } = await tryOut(unchanged, { from: seed, seeds: 1, shownBy });
  if (finding !== null) console.error(`The code as it is fails with seed ${seed}: ${finding}`);
  return finding !== null;
}

function row({ name, standsFor }: Mutant, { seeds: needed, finding, mode, seconds }: Verdict): string {
  const found = finding === null ? '**survived**' : `${mode}: ${shortened(finding)}`;
  return `| ${name} | ${standsFor} | ${needed} | ${Math.round(seconds)} s | ${found} |`;
}

function shortened(finding: string): string {
  const line = finding.split('\n', 1)[0]!.replaceAll('|', '/');
  return line.length > FINDING_LENGTH ? `${line.slice(0, FINDING_LENGTH)}…` : line;
}

const startedAt = performance.now();
console.log('| mutant | stands for | seeds | time | caught by |\n| --- | --- | --- | --- | --- |');
let survivors = 0;
const waiting = [...chosen];
async function work(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const verdict = await judge(mutant);
    if (verdict.finding === null) survivors += 1;
    console.log(row(mutant, verdict));
  }
}
await Promise.all(Array.from({ length: jobs }, work));
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
console.log(
  `\n${chosen.length - survivors} of ${chosen.length} caught within ${seeds} seeds, in ${minutes} minutes`,
);
process.exit(survivors === 0 ? 0 : 1);
