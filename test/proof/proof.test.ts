import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { partsFor, type Part } from './parts.js';
import { updatedPage, type Row } from './table.js';
import { rowOf } from './trial.js';

const amounts = {
  safety: 100,
  liveness: 20,
  founding: 50,
  from: 7,
  mutantSeeds: 40,
  mutants: ['one', 'two'],
  historySeconds: 60,
  kills: 100,
  fuzzSeconds: 120,
  jobs: 2,
};
const parts = partsFor(amounts);
const names = parts.map(({ name }) => name);

function part(name: string): Part {
  return parts.find((each) => each.name === name)!;
}
function ended(name: string, output: string, exit = 0): Row {
  return rowOf(part(name), { exit, output, seconds: 12.4, commit: 'abc', date: new Date(0) });
}
const SEEDS = '{"transactions":16440,"epochs":216,"holds":3}\n100 runs, 0 findings, 115.6 s\n';

test('a part that ends in order shows its figures and the command that repeats it', () => {
  const { isOk, result, command } = ended('seeds-safety', SEEDS);
  assert.is(isOk, true);
  assert.is(result, '100 seeds, 0 findings, 16440 transactions, 216 epochs');
  assert.is(command, 'node dist/test/simulation/simulate.js --mode safety --seeds 100 --from 7 --jobs 2');
});

test('a part that ends with another code than 0, or without its figures, has failed', () => {
  assert.is(ended('seeds-safety', SEEDS, 1).isOk, false);
  assert.is(ended('seeds-safety', SEEDS.replace('100 runs', '60 runs')).isOk, false);
  const { isOk, result } = ended('mutants', 'a line\nError: there is no mutant one\n', 1);
  assert.is(isOk, false);
  assert.is(result, 'ended with 1 and without figures: Error: there is no mutant one');
});

test('mutants that survive are named in the figures', () => {
  const output =
    '| one | x | 4 | 3 s | safety |\n| two | y | 40 | 9 s | **survived** |\n\n1 of 2 caught within 40 seeds, in 0.2 minutes\n';
  assert.is(ended('mutants', output, 1).result, '1 of 2 caught within 40 seeds; survived: two');
});

test('the figures of histories and of tests are what their programs print', () => {
  const lines = ['3 members', '10 operations on 2 connections', 'faults: 1 × kill', '0 contradictions'];
  assert.is(
    ended('histories-3', lines.join('\n')).result,
    '10 operations on 2 connections; faults: 1 × kill; 0 contradictions',
  );
  const tests =
    'ok   a.test.js — 1 passed (2 s)\n     # 300 moments, 700 crash states\n1 passed, 0 failed, 0 skipped\n';
  assert.is(
    ended('crash-states', tests).result,
    '300 moments, 700 crash states; 1 tests passed, 0 failed, 0 skipped',
  );
  const alone = '# 100 kills\n\n  Total:     1\n  Passed:    1\n  Skipped:   0\n';
  assert.is(ended('kills-ensemble', alone).result, '100 kills; 1 tests passed, 0 failed, 0 skipped');
});

test('a run replaces the rows of its own parts and leaves the others as they were', async () => {
  const first = await updatedPage(
    '',
    [ended('seeds-safety', SEEDS), ended('mutants', 'no | figures', 1)],
    names,
  );
  const later = { ...ended('seeds-safety', SEEDS), commit: 'def', date: new Date('2026-01-02T03:04:05Z') };
  const second = await updatedPage(first, [later], names);

  const rowsOf = (page: string): string[] =>
    page.split('\n').flatMap((line) => (line.startsWith('| `') ? [line.replaceAll(/ +/g, ' ')] : []));
  assert.is(rowsOf(first).length, 2);
  assert.match(rowsOf(first)[1]!, /^\| `mutants` .* \| \*\*failed\*\* \| .* no \\\| figures \|/);
  assert.match(rowsOf(second)[0]!, /\| ok \| .* \| 12 \| def \| 2026-01-02 03:04 UTC \|$/);
  assert.is(rowsOf(second)[1], rowsOf(first)[1]);
  assert.is(await updatedPage(second, [], names), second);
});

test.run();
