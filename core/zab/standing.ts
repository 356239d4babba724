import type { Quorum } from './quorum.js';

/**
 * Whether a voter can be counted. *full*: it remembers everything that it ever promised and acknowledged · *blank*: so
 * it does, and there is no transaction in its history · *new*: it started with nothing, perhaps because its disk was
 * wiped, and has no transaction since · *rejoining*: what it promised and acknowledged is lost, wholly or in part ·
 * *ambiguous*: it remembers its promises, and may have lost the last entries that it acknowledged (`ambiguous-end.ts`).
 */
export type Standing = 'full' | 'blank' | 'new' | 'rejoining' | 'ambiguous';

/** A voter that does not, neither votes nor promises nor acknowledges in anybody's count. */
export function remembers(standing: Standing): boolean {
  return standing === 'full' || standing === 'blank' || standing === 'ambiguous';
}

/**
 * Whether those in `standings` are enough: a quorum of voters that remember; or every voter there is, if none of
 * them has a transaction, which is how a new ensemble comes to be.
 */
export function isAttended(quorum: Quorum, standings: ReadonlyMap<number, Standing>): boolean {
  const remembering = [...standings].filter(([, standing]) => remembers(standing)).map(([id]) => id);
  return quorum.isReached(remembering) || isFoundedBy(quorum, standings);
}

/** Every voter is there, and none of them has anything that could be lost. */
export function isFoundedBy(quorum: Quorum, standings: ReadonlyMap<number, Standing>): boolean {
  return quorum.voters.every((voter) => {
    const standing = standings.get(voter);
    return standing === 'blank' || standing === 'new';
  });
}
