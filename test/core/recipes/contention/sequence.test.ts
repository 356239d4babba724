import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import {
  compareSequences,
  CURATOR_LOCK,
  KAZOO_LOCK,
  orderContenders,
  parseSequence,
  protectedName,
  sequenceOf,
} from '../../../../core/recipes/contention/sequence.js';

const MARKERS = [CURATOR_LOCK, KAZOO_LOCK];

/** As ZooKeeper formats it: `%010d` of a signed 32-bit number. */
function format(sequence: number): string {
  return sequence < 0 ? `-${String(-sequence).padStart(9, '0')}` : String(sequence).padStart(10, '0');
}

test('the number is read behind the marker, whatever stands before it', () => {
  assert.is(sequenceOf('_c_3a1f-0000-4000-8000-000000000000-lock-0000000007', MARKERS), 7);
  assert.is(sequenceOf('lock-0000000007', MARKERS), 7);
  assert.is(sequenceOf('0f1e2d3c4b5a__lock__0000000012', MARKERS), 12);
  assert.is(sequenceOf('lock-2147483647', MARKERS), 2147483647);
  assert.is(sequenceOf('lock--2147483648', MARKERS), -2147483648);
  assert.is(sequenceOf('lock--000000001', MARKERS), -1);
});

test('what has no marker or no such number is no contender', () => {
  for (const name of [
    'lock-',
    'lock-7',
    'lock-00000000070',
    'lock-4294967296',
    'lock-000000000x',
    'latch-0000000007',
    '0000000007',
    '',
  ])
    assert.is(sequenceOf(name, MARKERS), null, name);
});

test('every number that a server can append is read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (sequence) => {
      assert.is(parseSequence(format(sequence)), sequence);
      assert.is(sequenceOf(protectedName('u-u', CURATOR_LOCK) + format(sequence), MARKERS), sequence);
    }),
  );
});

test('the line is in the order of creation, also over the wrap to negative numbers and over mixed prefixes', () => {
  const line = ['z-lock-2147483646', 'a__lock__2147483647', 'm-lock--2147483648', 'b__lock__-2147483647'];
  assert.equal(orderContenders([line[2]!, line[0]!, 'unrelated', line[3]!, line[1]!], MARKERS), line);
});

test('names given out one after the other are ordered as they were given out, wherever the counter stands', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 20 }),
      (start, offsets) => {
        const names = offsets.map((offset) => `x-lock-${format((start + offset) | 0)}`);
        const inOrder = offsets
          .toSorted((a, b) => a - b)
          .map((offset) => `x-lock-${format((start + offset) | 0)}`);
        assert.equal(orderContenders(names, MARKERS), inOrder);
        assert.ok(compareSequences(start, (start + 1) | 0) < 0);
      },
    ),
  );
});

test.run();
