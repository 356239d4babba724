/**
 * Runs the benches, prints their tables, and keeps them in `RESULTS.md` beside this file.
 *
 * Run: npm run bench -- [--only compare,failover,…] [--quick] [--tools DIR] [--results FILE]
 *
 * `--tools`, or BENCH_TOOLS, names the folder of the load generator, which is no part of this project; without it the benches that
 * need it are left out. `--only list` names all. `--quick` takes seconds where the whole takes minutes, and keeps nothing unless
 * `--results` says where.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './bench-run.js';
import { compare } from './compare.js';
import { failover } from './failover.js';
import { fairness } from './fairness.js';
import { footprint } from './footprint.js';
import { machineShape } from './machine.js';
import { queue } from './queues.js';
import { recipes } from './recipes.js';
import { RESULTS, SECTIONS } from './page.js';
import { keep, type Measured } from './results.js';
import { pause } from './pause.js';
import { scale } from './scale.js';
import { watches } from './watches.js';
import { simulator } from './simulator.js';
import { tls } from './tls.js';
import { Tools } from './tools.js';
import { transactions } from './transactions.js';
import { transport } from './transport.js';

const BENCHES: readonly Bench[] = [
  compare,
  failover,
  fairness,
  footprint,
  transport,
  tls,
  transactions,
  recipes,
  queue,
  scale,
  watches,
  pause,
  simulator,
];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    tools: { type: 'string', default: process.env['BENCH_TOOLS'] },
    results: { type: 'string' },
  },
});

if (values.only === 'list') for (const { name } of BENCHES) console.log(name);
else await runAll(chosen(values.only?.split(',')));

function chosen(names: readonly string[] | undefined): readonly Bench[] {
  const unknown = names?.filter((name) => !BENCHES.some((bench) => bench.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join()}: --only list names them`);
  return BENCHES.filter(({ name }) => names?.includes(name) ?? true);
}

async function runAll(benches: readonly Bench[]): Promise<void> {
  const file = values.results ?? (values.quick ? undefined : RESULTS);
  const pictures = join(dirname(file ?? RESULTS), 'pictures');
  if (file !== undefined) mkdirSync(pictures, { recursive: true });
  const machine = machineShape();
  using tools = benches.some(({ needsTools }) => needsTools)
    ? await Tools.open(values.tools, (line) => console.error(line))
    : null;
  for (const { name, needsTools, run } of benches) {
    if (needsTools && tools === null) {
      console.error(`${name}: left out, it needs the load generator`);
      if (values.only !== undefined) process.exitCode = 1;
      continue;
    }
    try {
      const section = await run({
        isQuick: values.quick,
        tools,
        pictures: { directory: file === undefined ? null : pictures, link: 'pictures' },
        note: (line) => console.error(`${name}: ${line}`),
      });
      console.log(`\n## ${section.title}\n\n${section.body}`);
      const measured: Measured = { ...section, name, date: new Date(), machine };
      if (file !== undefined) await keep(file, [measured], SECTIONS);
    } catch (error) {
      // The others have no part in it.
      console.error(`${name}:`, error);
      process.exitCode = 1;
    }
  }
}
