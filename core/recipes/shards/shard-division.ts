/**
 * Divides `shards` (numbers from 0) over `members`, the same way whoever computes it: the member of each shard. Nobody has
 * two more than another. Every pair of a shard and a member has a fixed weight, and the heaviest pairs that still fit are
 * taken (rendezvous hashing within bounds), so that a member that comes or goes moves few of the others' shards. Empty
 * without members.
 */
export function divideShards(members: Iterable<string>, shards: number): readonly string[] {
  const ids = [...new Set(members)].toSorted();
  if (ids.length === 0) return [];
  const pairs: { readonly weight: number; readonly shard: number; readonly id: string }[] = [];
  for (const id of ids) {
    const seed = hash(id);
    for (let shard = 0; shard < shards; shard++) pairs.push({ weight: mix(seed, shard), shard, id });
  }
  // The sort keeps the order of equals, so that a tie is broken everywhere in the same way.
  pairs.sort((one, other) => other.weight - one.weight);
  return takeHeaviest(pairs, { shards, members: ids.length });
}

function takeHeaviest(
  pairs: readonly { readonly shard: number; readonly id: string }[],
  { shards, members }: { readonly shards: number; readonly members: number },
): readonly string[] {
  const least = Math.floor(shards / members);
  /** So many members have one more than the least. */
  let extras = shards % members;
  const counts = new Map<string, number>();
  const owners: string[] = [];
  let open = shards;
  for (const { shard, id } of pairs) {
    if (open === 0) break;
    const count = counts.get(id) ?? 0;
    if (owners[shard] !== undefined || count > least || (count === least && extras === 0)) continue;
    if (count === least) extras--;
    counts.set(id, count + 1);
    owners[shard] = id;
    open--;
  }
  return owners;
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}

/** Spreads neighbouring shards far apart (the finalizer of MurmurHash3). */
function mix(seed: number, shard: number): number {
  let value = seed ^ Math.imul(shard + 1, 0x9e3779b1);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
