/** Every mutant still fits the sources, and the tests that are to find it exist; that it is found is shown by `npm run mutants`. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MUTANTS } from './mutants.js';
import { misfitOf } from './workshop.js';

const testRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

for (const mutant of MUTANTS) {
  test(`the mutant "${mutant.name}" fits the code as it is: ${mutant.mistake}`, () => {
    assert.is(misfitOf(mutant), null, 'bring the mutant up to date');
    for (const file of mutant.tests ?? []) assert.ok(existsSync(join(testRoot, `${file}.test.js`)), file);
  });
}

test('mutants are told apart by their names', () => {
  assert.is(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
});

test.run();
