import { minZxid, NO_ZXID } from './zxid.js';

/** The last zxid of one epoch in a history. */
export interface EpochEnd {
  readonly epoch: number;
  readonly lastZxid: bigint;
}

/** Every epoch in a history, oldest first, from its very beginning. Two histories can be compared by their tables alone. */
export type EpochTable = readonly EpochEnd[];

/**
 * The last zxid that two histories have in common. Histories that share a zxid are identical up to it (a zxid
 * is issued once, and an epoch's marker follows the epoch's whole initial history), so it is enough to walk
 * both tables: what they share ends in the first epoch where they part, at the shorter one's end.
 */
export function lastCommonZxid(mine: EpochTable, theirs: EpochTable): bigint {
  let common = NO_ZXID;
  for (let index = 0; index < mine.length && index < theirs.length; index++) {
    const a = mine[index]!;
    const b = theirs[index]!;
    if (a.epoch !== b.epoch) break;
    common = minZxid(a.lastZxid, b.lastZxid);
    if (a.lastZxid !== b.lastZxid) break;
  }
  return common;
}
