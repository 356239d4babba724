/** Who is to have which shard. */
export interface Division {
  /** Those that share, also those whose shards are kept for them while they are away. */
  readonly members: readonly string[];
  /** The member of each shard. */
  readonly owners: readonly string[];
}

/**
 * Divides `shards` (numbers from 0) over `members`, the same way whoever computes it: the member of each shard. Nobody has
 * two more than another. Whoever had a shard `before` keeps it if that allows; no division as even moves fewer. Where there is
 * a choice, every pair of a shard and a member has a fixed weight (rendezvous hashing). Empty without members.
 */
export function divideShards(
  members: Iterable<string>,
  shards: number,
  before: readonly string[] = [],
): readonly string[] {
  const hands = [...new Set(members)]
    .toSorted()
    .map((id) => ({ id, seed: hash(id), shards: [] as number[] }));
  if (hands.length === 0) return [];
  const handOf = new Map(hands.map((hand) => [hand.id, hand]));
  const free: number[] = [];
  for (let shard = 0; shard < shards; shard++) (handOf.get(before[shard] ?? '')?.shards ?? free).push(shard);

  const least = Math.floor(shards / hands.length);
  /** So many members may have one more than the least: those that have most. */
  let extras = shards % hands.length;
  for (const { shards: kept } of hands.toSorted((one, other) => other.shards.length - one.shards.length)) {
    const most = kept.length > least && extras-- > 0 ? least + 1 : least;
    free.push(...kept.splice(most));
  }
  const owners: string[] = [];
  for (const { id, shards: kept } of hands) for (const shard of kept) owners[shard] = id;
  for (const shard of free.toSorted((one, other) => one - other)) {
    const next = hands.reduce((best, hand) => {
      const fewer = best.shards.length - hand.shards.length;
      return fewer > 0 || (fewer === 0 && mix(hand.seed, shard) > mix(best.seed, shard)) ? hand : best;
    });
    next.shards.push(shard);
    owners[shard] = next.id;
  }
  return owners;
}

/**
 * The division that follows `before` now that `present` are there. Whoever is new takes the place of one that is away, with
 * its shards; those that are `awaited` keep their places without a substitute; else the fewest shards move that make it even.
 */
export function nextDivision(
  before: Division | null,
  now: {
    readonly present: readonly string[];
    readonly awaited: ReadonlySet<string>;
    readonly shards: number;
  },
): Division {
  const known = before ?? { members: [], owners: [] };
  const present = new Set(now.present);
  const newcomers = now.present.filter((id) => !known.members.includes(id)).toSorted();
  const away = known.members.filter((id) => !present.has(id));
  const heirs = new Map(away.flatMap((id, index) => (newcomers[index] ? [[id, newcomers[index]]] : [])));
  const members = [...present, ...away.filter((id) => !heirs.has(id) && now.awaited.has(id))].toSorted();
  const inherited = known.owners.map((id) => heirs.get(id) ?? id);
  return { members, owners: divideShards(members, now.shards, inherited) };
}

/** As JSON, with a member's place in the list for its name. */
export function encodeDivision({ members, owners }: Division): string {
  const places = new Map(members.map((id, place) => [id, place]));
  return JSON.stringify({ members, owners: owners.map((id) => places.get(id)) });
}

/** Null if it is none: whoever arranges the next one begins anew. */
export function decodeDivision(data: Uint8Array | null): Division | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data ?? new Uint8Array()));
    if (typeof value !== 'object' || value === null) return null;
    const { members, owners } = value as Readonly<Record<string, unknown>>;
    if (!Array.isArray(members) || !Array.isArray(owners)) return null;
    const names = members.map(String);
    return { members: names, owners: owners.map((place) => names[Number(place)] ?? '') };
  } catch {
    return null;
  }
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
