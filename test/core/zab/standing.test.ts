import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isFounder, remembers, standingOf, type Standing } from '../../../core/zab/standing.js';
import { makeZxid, type Rejoining } from '../../../core/zab/index.js';

interface Disk {
  readonly rejoining: Rejoining | null;
  /** Holds a transaction. */
  readonly holds?: boolean;
  readonly acceptedEpoch?: number;
  readonly last?: bigint;
  readonly mayHold?: bigint;
  readonly isVoter?: boolean;
}

const MARKER = makeZxid(1, 0);
const ENTRY = makeZxid(1, 5);

function standing({
  rejoining,
  holds = false,
  acceptedEpoch = 1,
  last = MARKER,
  mayHold = 0n,
  isVoter = true,
}: Disk): Standing {
  const disk = { rejoining, acceptedEpoch, durableZxid: last };
  return standingOf({ isVoter, disk, history: { isBlank: !holds, last }, mayHold });
}

const CASES: readonly (readonly [string, Disk, Standing])[] = [
  ['a voter that has lost nothing', { rejoining: null, holds: true, last: ENTRY }, 'full'],
  ['the same without a transaction', { rejoining: null }, 'full'],
  [
    'a voter whose log may lack an entry',
    { rejoining: null, holds: true, last: ENTRY, mayHold: ENTRY + 1n },
    'ambiguous',
  ],
  [
    'a voter whose log has come as far again',
    { rejoining: null, holds: true, last: ENTRY, mayHold: ENTRY },
    'full',
  ],
  ['a voter of a founding', { rejoining: 'founding' }, 'founding'],
  [
    'a voter of a founding that has got a transaction',
    { rejoining: 'founding', holds: true, last: ENTRY },
    'full',
  ],
  [
    'a voter of a founding that may lack a marker',
    { rejoining: 'founding', last: 0n, mayHold: MARKER },
    'new',
  ],
  [
    'a voter of a founding that may lack a transaction',
    { rejoining: 'founding', last: MARKER, mayHold: ENTRY },
    'ambiguous',
  ],
  [
    'the same with transactions',
    { rejoining: 'founding', holds: true, last: ENTRY, mayHold: makeZxid(2, 0) },
    'ambiguous',
  ],
  ['a damaged voter without a transaction', { rejoining: 'damaged' }, 'damaged'],
  ['a damaged voter with transactions', { rejoining: 'damaged', holds: true, last: ENTRY }, 'rejoining'],
  ['a voter whose state differs', { rejoining: 'diverged', holds: true, last: ENTRY }, 'rejoining'],
  ['the same without a transaction', { rejoining: 'diverged' }, 'rejoining'],
  ['an empty voter', { rejoining: 'new', acceptedEpoch: 0, last: 0n }, 'empty'],
  ['an empty voter that has promised an epoch', { rejoining: 'new', last: 0n }, 'new'],
  ['an empty voter that has got a marker', { rejoining: 'new', acceptedEpoch: 0 }, 'new'],
  [
    'a voter that was empty and has got a transaction',
    { rejoining: 'new', holds: true, last: ENTRY },
    'rejoining',
  ],
  ['an observer without a transaction', { rejoining: 'damaged', isVoter: false }, 'empty'],
  ['an observer with one', { rejoining: 'new', holds: true, last: ENTRY, isVoter: false }, 'full'],
];

for (const [who, disk, expected] of CASES)
  test(`${who} is ${expected} (${disk.rejoining ?? 'counts'})`, () => {
    assert.is(standing(disk), expected);
  });

test('who remembers counts, and who shows no transaction may found', () => {
  const all: readonly Standing[] = ['full', 'founding', 'new', 'empty', 'damaged', 'rejoining', 'ambiguous'];
  assert.equal(all.filter(remembers), ['full', 'founding', 'ambiguous']);
  assert.equal(all.filter(isFounder), ['founding', 'new', 'empty', 'damaged']);
});

test.run();
