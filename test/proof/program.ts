/**
 * Runs what takes too long for CI, and writes the results into `test/PROOF.md`, each row with its commit and date:
 * `npm run proof -- [--only PARTS] [--jobs N] [--from SEED] [--safety N] [--liveness N] [--founding N] [--mutant-seeds N]
 * [--mutants NAMES] [--history-seconds N] [--kills N] [--fuzz-seconds N]`. PARTS are names or groups of rows, such as `seeds,mutants` or
 * `histories-5`. The exit code is 1 if a part fails; the other parts run all the same.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { partsFor } from './parts.js';
import { updatedPage } from './table.js';
import { commitNow, tryPart } from './trial.js';

const PAGE = fileURLToPath(new URL('../../../test/PROOF.md', import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    from: { type: 'string', default: '1' },
    safety: { type: 'string', default: '10000' },
    liveness: { type: 'string', default: '2000' },
    founding: { type: 'string', default: '5000' },
    'mutant-seeds': { type: 'string', default: '400' },
    mutants: { type: 'string', default: '' },
    'history-seconds': { type: 'string', default: '60' },
    kills: { type: 'string', default: '100' },
    'fuzz-seconds': { type: 'string', default: '120' },
    page: { type: 'string', default: PAGE },
  },
});

const parts = partsFor({
  safety: countOf('safety'),
  liveness: countOf('liveness'),
  founding: countOf('founding'),
  from: countOf('from'),
  mutantSeeds: countOf('mutant-seeds'),
  mutants: values.mutants.split(',').filter((name) => name !== ''),
  historySeconds: countOf('history-seconds'),
  kills: countOf('kills'),
  fuzzSeconds: countOf('fuzz-seconds'),
  jobs: countOf('jobs'),
});
const wanted = values.only?.split(',') ?? parts.map(({ name }) => name);
const unknown = wanted.find((word) => parts.every(({ name, group }) => name !== word && group !== word));
if (unknown !== undefined)
  throw new Error(
    `There is no part ${unknown}: give of ${parts.map(({ name }) => name).join(', ')}, or their groups`,
  );

const commit = commitNow();
const failed: string[] = [];
for (const part of parts) {
  if (!wanted.includes(part.name) && !wanted.includes(part.group)) continue;
  console.log(`== ${part.name}: ${part.about}`);
  const row = await tryPart(part, commit);
  if (!row.isOk) failed.push(part.name);
  // At once, so that a run that is broken off keeps what it has.
  const page = existsSync(values.page) ? readFileSync(values.page, 'utf8') : '';
  writeFileSync(
    values.page,
    await updatedPage(
      page,
      [row],
      parts.map(({ name }) => name),
    ),
  );
  console.log(`== ${part.name}: ${row.isOk ? 'ok' : 'failed'}, ${row.result}`);
}
if (failed.length > 0) process.exitCode = 1;
console.log(failed.length === 0 ? 'all parts passed' : `failed: ${failed.join(', ')}`);

function countOf(option: Exclude<keyof typeof values, 'only' | 'mutants' | 'page'>): number {
  const value = Number(values[option]);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${option} ${values[option]} is not a whole number from 1 on`);
  return value;
}
