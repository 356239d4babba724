/**
 * Runs every client that others wrote through its scenarios, on Apache ZooKeeper and on Quorate, and compares what it saw:
 * `npm run conformance -- [--on zookeeper] [--transcripts DIRECTORY] [--seed N] [words…]`, where a scenario runs if `client/scenario` contains any of the
 * words (all do if none is given); `--on zookeeper` leaves our servers out; `--seed N` is the first of the random sequences. A run of everything writes MATRIX.md; in continuous
 * integration it has to say that already. The last line is `N passed, N failed, N skipped`; the exit code is 1 if anything failed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countCells, renderMatrix, type Row } from './matrix.js';
import { differentialRows } from './differential/rows.js';
import { sourceFolder } from './suite.js';
import { findSuites, runSuites } from './suites.js';

const MATRIX = join(sourceFolder(import.meta.url), 'MATRIX.md');

const { values, positionals: words } = parseArgs({
  options: { on: { type: 'string' }, transcripts: { type: 'string' }, seed: { type: 'string' } },
  allowPositionals: true,
});

function report(row: Row): void {
  for (const [column, { outcome, faults }] of Object.entries(row.cells)) {
    if (outcome !== 'failed') continue;
    console.log(`FAIL ${row.client}/${row.scenario} on ${column}`);
    for (const line of faults) console.log(`     | ${line}`);
  }
}

/** Whether the page on disk says the same; it does from now on. */
async function keepMatrix(matrix: string): Promise<boolean> {
  const kept = await readFile(MATRIX, 'utf8').catch(() => '');
  if (kept !== matrix) await writeFile(MATRIX, matrix);
  return kept === matrix;
}

const firstSeed = Number(values.seed ?? 1_000 + Math.floor(Math.random() * 1_000_000_000));
const isWhole = words.length === 0 && values.on === undefined;
const rows = await runSuites(await findSuites(words), {
  withQuorate: values.on !== 'zookeeper',
  transcripts: values.transcripts ?? null,
});
if (values.on !== 'zookeeper') rows.push(...(await differentialRows(words, firstSeed)));
rows.forEach(report);
const matrix = await renderMatrix(rows);
console.log(matrix.slice(matrix.indexOf('\n|') + 1));
const { passed, failed, skipped } = countCells(rows);
let stale = 0;
if (
  isWhole &&
  failed === 0 &&
  skipped === 0 &&
  !(await keepMatrix(matrix)) &&
  process.env['CI'] !== undefined
) {
  console.log('MATRIX.md was not what this run writes');
  stale = 1;
}
if (failed + stale > 0 || rows.length === 0) process.exitCode = 1;
console.log(`${passed} passed, ${failed + stale} failed, ${skipped} skipped`);
