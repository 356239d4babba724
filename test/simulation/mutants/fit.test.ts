/** Every mutant still fits the compiled code; whether the simulator finds it is shown by `npm run simulate:mutants`. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MUTANTS } from './mutants.js';
import { misfitOf } from './workshop.js';

for (const mutant of MUTANTS) {
  test(`the mutant "${mutant.name}" fits the code as it is: ${mutant.mistake}`, () => {
    assert.is(misfitOf(mutant), null, 'bring the mutant up to date');
  });
}

test('mutants are told apart by their names', () => {
  assert.is(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
});

test.run();
