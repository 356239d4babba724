import { QuorateError, type Logger } from '../runtime/index.js';
import type { Storage } from '../storage/index.js';
import type { RestoredHistory } from '../zab/index.js';
import type { EnsembleMember } from './ensemble.js';
import type { Recovered } from './recover.js';

/** Nothing was ever promised or kept there, as far as can be seen. */
export function isUntouched({ isNew, history }: Recovered): boolean {
  const { rejoining, acceptedEpoch, entries, snapshotZxid } = history;
  return isNew || (rejoining === 'new' && acceptedEpoch === 0 && entries.length === 0 && snapshotZxid === 0n);
}

/** The directory waits for its ensemble to take this member back, but the member is started alone. */
export class CannotRejoinError extends QuorateError {
  constructor(id: number) {
    super(
      'CANNOT_REJOIN',
      `Member ${id} has lost a part of what it knew, and stands alone now: nobody can give it back. Start it as the member of ` +
        `its ensemble that it was; or, if what was lost may be lost for good, run quorate doctor --repair --alone on its ` +
        `data directory`,
      { fields: { member: id } },
    );
  }
}

export interface FirstStartParts {
  readonly id: number;
  readonly storage: Storage;
  readonly members: readonly EnsembleMember[];
  readonly initialize: boolean;
  readonly logger: Logger;
}

/**
 * Decides whether a member may be counted, and makes it durable before the member says anything to anybody. An empty directory
 * may be that of a new member, or of one whose disk was wiped, and which may have promised and acknowledged what
 * others rely on. Nobody can tell the two apart, so a voter of several that finds its directory empty is not counted until the others have taken
 * it back, or until all of them are there and all of them are empty: that is how a new ensemble begins. `initialize` is
 * the operator's word that this directory has never held anything. Rejects with `CannotRejoinError`.
 */
export async function settleFirstStart(
  recovered: Recovered,
  { id, storage, members, initialize, logger }: FirstStartParts,
): Promise<RestoredHistory> {
  const { history } = recovered;
  const voters = members.filter(({ isObserver }) => isObserver !== true);
  const isOneOfSeveral = voters.length > 1 && voters.some((voter) => voter.id === id);
  if (initialize && !isUntouched(recovered))
    logger.warn('Initialize has no effect: the data directory is not empty');
  let { rejoining = null } = history;
  if (isUntouched(recovered)) rejoining = isOneOfSeveral && !initialize ? 'new' : null;
  if (rejoining !== null && members.length < 2) throw new CannotRejoinError(id);
  if (isUntouched(recovered) || rejoining !== (history.rejoining ?? null))
    await storage.persist({ rejoining });
  if (rejoining !== null && isOneOfSeveral) tell(rejoining === 'new', logger);
  return { ...history, rejoining };
}

function tell(isEmpty: boolean, logger: Logger): void {
  if (!isEmpty) {
    const message =
      'This member has lost a part of what it knew: it has no vote until the others have taken it back';
    return logger.warn(message);
  }
  logger.warn(
    'The data directory was empty: this member has no vote until the others have taken it back, or all members of a new ' +
      'ensemble have been started. Should this be a new ensemble, not all members of which can be started now, start this ' +
      'member with --initialize',
  );
}
