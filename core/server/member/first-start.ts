import { QuorateError, type Logger } from '../../runtime/index.js';
import type { Storage } from '../../storage/index.js';
import { isEpochMarker, type RestoredHistory } from '../../zab/index.js';
import type { EnsembleMember } from '../configuration/index.js';
import type { Recovered } from '../state/index.js';

/**
 * The directory holds no promise and no entry. That it was said to be initialized is no promise: it may still be that of a member
 * whose disk was lost.
 */
export function isUntouched({ isNew, history }: Recovered): boolean {
  const { rejoining = null, acceptedEpoch, entries, snapshotZxid } = history;
  const isEmpty = acceptedEpoch === 0 && entries.length === 0 && snapshotZxid === 0n;
  return isNew || (isEmpty && (rejoining === 'new' || rejoining === null));
}

/**
 * The directory is the beginning of a new ensemble, restored from a backup or forced, and no epoch of that ensemble has begun. Like a member
 * with an empty directory it counts only when all of its ensemble found it together: who restores it again after that
 * has forgotten what the member promised.
 */
function isBeginning({ identity, history }: Recovered): boolean {
  const { rejoining, entries, snapshotZxid } = history;
  const isAtMarker = isEpochMarker(snapshotZxid) && identity?.since === snapshotZxid;
  return rejoining === 'new' && isAtMarker && entries.length === 0;
}

/** The directory waits for the other members to readmit its member, but the member is started alone. */
export class CannotRejoinError extends QuorateError {
  constructor(id: number) {
    super(
      'CANNOT_REJOIN',
      `Member ${id} has lost a part of what it knew, or was an observer, and is started alone: no other member can give it what it ` +
        `lacks. Start it as the member of its ensemble that it was; or, if what it lacks may be lost for good, run ` +
        `quorate doctor --repair --alone on its data directory`,
      { fields: { member: id } },
    );
  }
}

export interface FirstStartParts {
  readonly id: number;
  readonly storage: Storage;
  readonly members: readonly EnsembleMember[];
  /** `--initialize` was given. */
  readonly initialize: boolean;
  readonly logger: Logger;
}

/**
 * Decides whether a member counts, and makes that durable before the member sends anything. An empty directory may be that of a new
 * member, or of one that lost its disk and has promised and acknowledged what others rely on; the two look alike. So a voter that
 * finds its directory empty does not count until the others have readmitted it, or until all voters found the ensemble together. That
 * holds for a lone voter with observers too: one of them may have the history that it lost. No option changes that: an operator's
 * command line outlives the disk. The only member of an ensemble counts at once. Rejects with `CannotRejoinError`.
 *
 * Nor does a voter count that was an observer at its last start. It has acknowledged nothing meanwhile, and may lack what the voters
 * have committed; and a quorum of the new list that it is needed for need not share a voter with a quorum of the list before. So each
 * quorum of a larger list consists of voters of the list before, until those have readmitted the others.
 */
export async function settleFirstStart(
  recovered: Recovered,
  { id, storage, members, initialize, logger }: FirstStartParts,
): Promise<RestoredHistory> {
  const { history } = recovered;
  const voters = members.filter(({ isObserver }) => isObserver !== true);
  const isAlone = members.length < 2;
  const isOneOfSeveral = !isAlone && voters.some((voter) => voter.id === id);
  const isEmpty = isUntouched(recovered);
  if (initialize) warnOfInitialize(members.length, isEmpty, logger);
  let { rejoining = null } = history;
  if (isEmpty) rejoining = isAlone ? null : 'new';
  // It counts, and there is no other voter that might not.
  if ((rejoining === 'founding' || isBeginning(recovered)) && isAlone) rejoining = null;
  if (rejoining !== null && isAlone) throw new CannotRejoinError(id);
  const isCounted = rejoining === null || rejoining === 'founding';
  const isObserver = !isAlone && !isOneOfSeveral;
  if (isCounted && isObserver) rejoining = 'new';
  if (isEmpty || rejoining !== (history.rejoining ?? null)) await storage.persist({ rejoining });
  if (isOneOfSeveral) report(rejoining, recovered, logger);
  return { ...history, rejoining };
}

function warnOfInitialize(members: number, isEmpty: boolean, logger: Logger): void {
  if (members > 1) {
    logger.warn(
      '--initialize has no effect on an ensemble of several members: a new one is founded when all of them run with empty directories',
      { members },
    );
  } else if (!isEmpty) logger.warn('--initialize has no effect: the data directory is not empty');
}

/** No transaction is in it; markers do not count. */
function isBlank({ history }: Recovered): boolean {
  return history.snapshotZxid === 0n && history.entries.every(({ zxid }) => isEpochMarker(zxid));
}

function report(rejoining: RestoredHistory['rejoining'], recovered: Recovered, logger: Logger): void {
  if (rejoining === null || rejoining === 'founding') return;
  if (isBeginning(recovered)) {
    logger.info('This member begins a new ensemble with restored data: it waits until all of its voters run');
  } else if (rejoining === 'new' && isBlank(recovered)) {
    logger.warn(
      'The data directory was empty: this member has no vote until the other members have readmitted it, or, in a new ensemble, ' +
        'until all of its members run. To begin with fewer members, list only those',
    );
  } else if (rejoining === 'new') {
    logger.warn(
      'This member was an observer, or its data directory was empty: it has no vote until the other members have readmitted it',
    );
  } else {
    logger.warn(
      'This member has lost a part of what it knew: it has no vote until the other members have readmitted it',
    );
  }
}
