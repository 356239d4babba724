import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { judgeEnd, type EndFindings } from '../../../core/storage/end-verdict.js';

const POSITION = { offset: 1_000, zxid: 10n, chain: 7 };
const LATER = { offset: 1_200, zxid: 12n, chain: 9 };
/** A log that simply ends, of which nothing is known besides. */
const CLEAN: EndFindings = {
  position: POSITION,
  fault: null,
  isClean: true,
  syncedTo: 900,
  missingGroupEnd: null,
  fileBytes: 8_192,
  proven: null,
  oldFormat: null,
};
const BROKEN: EndFindings = { ...CLEAN, fault: 'the checksum of a record does not match', isClean: false };

const KINDS: readonly (readonly [string, EndFindings, string])[] = [
  ['zeros behind the last record', CLEAN, 'complete'],
  ['a broken record without mark and proof', BROKEN, 'torn'],
  ['bytes behind the end that are no record', { ...CLEAN, isClean: false }, 'torn'],
  ['a broken record of a group whose mark is there', { ...BROKEN, missingGroupEnd: LATER }, 'ambiguous'],
  [
    'zeros in the place of a group whose mark is there',
    { ...CLEAN, isClean: false, missingGroupEnd: LATER },
    'ambiguous',
  ],
  [
    'a broken record that a later group proves',
    { ...BROKEN, missingGroupEnd: LATER, syncedTo: 1_100 },
    'damaged',
  ],
  [
    'zeros in the place of what a later group proves',
    { ...CLEAN, isClean: false, syncedTo: 1_100 },
    'damaged',
  ],
  ['a broken record that end-of-log proves', { ...BROKEN, proven: proven(LATER) }, 'damaged'],
  ['zeros in the place of what end-of-log proves', { ...CLEAN, proven: proven(LATER) }, 'damaged'],
  ['a broken record behind what end-of-log proves', { ...BROKEN, proven: proven(POSITION) }, 'torn'],
  ['a file that was cut behind its last record', { ...CLEAN, proven: proven(POSITION, 9_000) }, 'damaged'],
  [
    'records other than end-of-log proves',
    { ...CLEAN, proven: proven({ ...POSITION, chain: 8 }) },
    'damaged',
  ],
  ['a closed log of 0.1.0', { ...CLEAN, oldFormat: { isClosed: true, highestPromised: 99n } }, 'complete'],
  [
    'a log of 0.1.0 that ends without a mark',
    { ...CLEAN, oldFormat: { isClosed: false, highestPromised: 99n } },
    'ambiguous',
  ],
  [
    'a broken record of 0.1.0',
    { ...BROKEN, oldFormat: { isClosed: false, highestPromised: 99n } },
    'ambiguous',
  ],
  [
    'a broken record of 0.1.0 that a later one proves',
    { ...BROKEN, syncedTo: 1_100, oldFormat: { isClosed: false, highestPromised: 99n } },
    'damaged',
  ],
];

function proven(
  position: EndFindings['position'],
  allocatedBytes = 8_192,
): NonNullable<EndFindings['proven']> {
  return { firstZxid: 1n, allocatedBytes, position };
}

for (const [what, findings, type] of KINDS) {
  test(`a log that ends in ${what} is ${type}`, () => {
    assert.is(judgeEnd(findings).type, type);
  });
}

test('an ambiguous end names the last entry of the group that is missing', () => {
  const verdict = judgeEnd({ ...BROKEN, missingGroupEnd: LATER });

  assert.is(verdict.type === 'ambiguous' && verdict.mayHold, 12n);
});

test('an ambiguous end of a log of 0.1.0 may have held everything of the promised epoch', () => {
  const verdict = judgeEnd({ ...BROKEN, oldFormat: { isClosed: false, highestPromised: 99n } });

  assert.is(verdict.type === 'ambiguous' && verdict.mayHold, 99n);
});

test.run();
