import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { divideShards } from '../../../../core/recipes/index.js';

function countsOf(owners: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return counts;
}

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 });
const shardCounts = fc.integer({ min: 1, max: 100 });

test('every shard has a member, and nobody two more than another', () => {
  fc.assert(
    fc.property(names, shardCounts, (members, shards) => {
      const owners = divideShards(members, shards);
      assert.is(owners.length, shards);
      assert.ok(owners.every((owner) => members.includes(owner)));
      const counts = members.map((member) => countsOf(owners).get(member) ?? 0);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
    }),
  );
});

test('everybody comes to the same division, whatever the order in which the members are known', () => {
  fc.assert(
    fc.property(names, shardCounts, fc.infiniteStream(fc.nat()), (members, shards, chance) => {
      const shuffled = members
        .map((member) => ({ member, key: chance.next().value }))
        .toSorted((one, other) => one.key - other.key)
        .map(({ member }) => member);
      assert.equal(divideShards(shuffled, shards), divideShards(members, shards));
    }),
  );
});

test('a member that comes or goes moves few shards beyond its own', () => {
  const members = Array.from({ length: 10 }, (_, index) => `host-${index}`);
  const all = divideShards(members, 100);
  for (const gone of members) {
    const rest = divideShards(
      members.filter((member) => member !== gone),
      100,
    );
    const moved = all.filter((owner, shard) => owner !== rest[shard]).length;
    assert.ok(moved <= 30, `${moved} of 100 moved when one of ten went`);
  }
});

test('without members nobody has a shard', () => {
  assert.equal(divideShards([], 8), []);
});

test.run();
