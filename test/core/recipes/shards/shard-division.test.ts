import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { divideShards } from '../../../../core/recipes/index.js';
import {
  decodeDivision,
  encodeDivision,
  nextDivision,
  type Division,
} from '../../../../core/recipes/shards/shard-division.js';

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

test('a member that comes or goes moves no shard that need not move', () => {
  fc.assert(
    fc.property(names, names, shardCounts, (first, second, shards) => {
      const before = divideShards(first, shards);
      const after = divideShards(second, shards, before);

      const counts = second.map((member) => countsOf(after).get(member) ?? 0);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
      const moved = after.filter((owner, shard) => owner !== before[shard]).length;
      assert.is(moved, leastMoves(before, second));
    }),
  );
});

/** Whoever has most keeps one more than the others, as far as shards are left over. */
function leastMoves(before: readonly string[], members: readonly string[]): number {
  const least = Math.floor(before.length / members.length);
  const extras = before.length % members.length;
  const counts = members.map((member) => countsOf(before).get(member) ?? 0).toSorted((a, b) => b - a);
  const kept = counts.map((count, place) => Math.min(count, place < extras ? least + 1 : least));
  return before.length - kept.reduce((sum, count) => sum + count, 0);
}

const three = nextDivision(null, { present: ['a', 'b', 'c'], awaited: new Set(), shards: 9 });
const shardsOf = (division: Division, member: string): readonly number[] =>
  division.owners.flatMap((owner, shard) => (owner === member ? [shard] : []));

test('the place of one that is away is kept while it is awaited, and given to the others afterwards', () => {
  const kept = nextDivision(three, { present: ['a', 'c'], awaited: new Set(['b']), shards: 9 });
  assert.equal(kept, three);

  const given = nextDivision(kept, { present: ['a', 'c'], awaited: new Set(), shards: 9 });
  assert.equal(given.members, ['a', 'c']);
  for (const stays of ['a', 'c'])
    assert.ok(shardsOf(three, stays).every((shard) => given.owners[shard] === stays));
});

test('whoever is new takes the place of one that is away, and nobody else moves', () => {
  const next = nextDivision(three, { present: ['a', 'c', 'd'], awaited: new Set(['b']), shards: 9 });
  assert.equal(shardsOf(next, 'd'), shardsOf(three, 'b'));
  assert.equal(shardsOf(next, 'a'), shardsOf(three, 'a'));
  assert.equal(next.members, ['a', 'c', 'd']);
});

test('a division is read as it was written, and what is none is not taken for one', () => {
  const written = new TextEncoder().encode(encodeDivision(three));
  assert.equal(decodeDivision(written), three);
  for (const text of ['', 'null', '7', '{}', '{"members":["a"]}', '{"members":1,"owners":[0]}'])
    assert.is(decodeDivision(new TextEncoder().encode(text)), null);
  assert.is(decodeDivision(null), null);
});

test('without members nobody has a shard', () => {
  assert.equal(divideShards([], 8), []);
});

test.run();
