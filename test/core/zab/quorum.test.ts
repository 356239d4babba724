import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as fc from 'fast-check';
import { MajorityQuorum } from '../../../core/zab/quorum.js';

const voters = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 9 });

/** Counts one by one, without sorting or indexing. */
function naiveIsReached(all: readonly number[], members: readonly number[]): boolean {
  let present = 0;
  for (const voter of all) if (members.includes(voter)) present += 1;
  return present > all.length - present;
}

function naiveReachedBy(all: readonly number[], values: ReadonlyMap<number, bigint>): bigint | null {
  let best: bigint | null = null;
  for (const candidate of values.values()) {
    const holders = [...values].filter(([, value]) => value >= candidate).map(([member]) => member);
    if (naiveIsReached(all, holders) && (best === null || candidate > best)) best = candidate;
  }
  return best;
}

test('a quorum is more than half of the voters, and only they count', () => {
  fc.assert(
    fc.property(voters, fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 20 }), (all, members) => {
      assert.is(new MajorityQuorum(all).isReached(members), naiveIsReached(all, members));
    }),
    { numRuns: 1000 },
  );
});

test('what a quorum has reached is the largest value that enough voters hold or exceed', () => {
  const values = fc.array(fc.tuple(fc.integer({ min: 1, max: 25 }), fc.bigInt({ min: 0n, max: 9n })), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(voters, values, (all, pairs) => {
      const held = new Map(pairs);
      const ofVoters = new Map(pairs.filter(([member]) => all.includes(member)));
      assert.is(new MajorityQuorum(all).reachedBy(held), naiveReachedBy(all, ofVoters));
    }),
    { numRuns: 2000 },
  );
});

test('any two quorums have a member in common', () => {
  const sets = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(voters, sets, sets, (all, left, right) => {
      const quorum = new MajorityQuorum(all);
      const a = all.filter((_, index) => left[index]);
      const b = all.filter((_, index) => right[index]);
      if (!quorum.isReached(a) || !quorum.isReached(b)) return;
      assert.ok(a.some((member) => b.includes(member)));
    }),
    { numRuns: 1000 },
  );
});

test.run();
