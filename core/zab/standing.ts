import type { DiskQueue } from './disk-queue.js';
import type { History } from './history.js';
import { isEpochMarker, NO_ZXID } from './zxid.js';

/**
 * What a member declares about its own disk.
 * - full: it has everything that it ever promised and acknowledged, and the founding of its ensemble is complete. An observer
 *   says so if it holds a transaction.
 * - founding: it has everything, but it does not know whether every voter counts yet; it holds no transaction.
 * - new: its directory was empty, and it has promised an epoch or holds markers since, but no transaction.
 * - empty: its directory was empty, and nothing has been added since. An observer says so if it holds no transaction.
 * - damaged: it has lost a part of what it promised and acknowledged, and holds no transaction.
 * - rejoining: it has lost, wholly or in part, what it promised and acknowledged, and holds transactions or differs from the others.
 * - ambiguous: it has all of its promises, and may have lost the last entries that it acknowledged (`ambiguous-end.ts`).
 */
export type Standing = 'full' | 'founding' | 'new' | 'empty' | 'damaged' | 'rejoining' | 'ambiguous';

/** The disk has everything that this voter ever promised and acknowledged. */
export function remembers(standing: Standing): boolean {
  return standing === 'full' || standing === 'founding' || standing === 'ambiguous';
}

/** Its disk does not show that its ensemble has ever admitted a transaction: it may take part in a founding. */
export function isFounder(standing: Standing): boolean {
  return standing !== 'full' && standing !== 'rejoining' && standing !== 'ambiguous';
}

/** The standing of a member with this disk; entries up to `mayHold` may have been acknowledged, and are gone. */
export function standingOf(member: {
  readonly isVoter: boolean;
  readonly disk: Pick<DiskQueue, 'rejoining' | 'acceptedEpoch' | 'durableZxid'>;
  readonly history: Pick<History, 'isBlank' | 'last'>;
  readonly mayHold: bigint;
}): Standing {
  const { isVoter, disk, history, mayHold } = member;
  const { rejoining, acceptedEpoch, durableZxid } = disk;
  if (!isVoter) return history.isBlank ? 'empty' : 'full';
  const isAmbiguous = durableZxid < mayHold;
  if (rejoining === null) return isAmbiguous ? 'ambiguous' : 'full';
  if (rejoining === 'founding') {
    // Nothing but a marker is gone: a founding takes this voter, and makes up for it.
    if (isAmbiguous) return history.isBlank && isEpochMarker(mayHold) ? 'new' : 'ambiguous';
    // The first transaction is admitted only when the founding is complete (Readmission.checkFounded).
    return history.isBlank ? 'founding' : 'full';
  }
  if (rejoining === 'damaged' && history.isBlank) return 'damaged';
  if (rejoining !== 'new' || !history.isBlank) return 'rejoining';
  return acceptedEpoch === 0 && history.last === NO_ZXID ? 'empty' : 'new';
}
