import type { MemberGauges } from '../../../core/server/index.js';
import { epochOf, makeZxid } from '../../../core/zab/index.js';
import type { Bounds } from '../plan.js';
import { check } from './referee.js';

/** A session may still be opened while no more writes are taken, up to so many times the bound. */
const ROOM_FOR_SESSIONS = 2;
/** Timers of a member, whatever it does: its own tick, and some for each link and each request to its disk. */
const TIMERS_AT_MOST = 40;

/** What a member holds at the end of a turn. */
export interface Holding {
  readonly gauges: MemberGauges;
  /** Timers of its process that have not fired. */
  readonly timers: number;
}

/** Nothing gathers without a bound in a member, at any moment. */
export function checkBounds(name: string, { gauges, timers }: Holding, bounds: Bounds): void {
  const { status, requests } = gauges;
  const most = ROOM_FOR_SESSIONS * bounds.proposals;
  check(requests <= most, () => `${name} has ${requests} requests under way, ${most} are allowed`);
  check(timers <= TIMERS_AT_MOST, () => `${name} has set ${timers} timers: some are never cancelled`);
  if (!status.isEstablishedLeader) return;
  const { lastProposed, delivered, epoch } = status;
  const from = epochOf(delivered) < epoch ? makeZxid(epoch, 0) : delivered;
  const unapplied = Number(lastProposed - from);
  check(
    unapplied <= bounds.uncommittedEntries,
    () => `${name} has ${unapplied} proposals that are not applied, ${bounds.uncommittedEntries} are allowed`,
  );
}

/**
 * What is left on a disk is what is needed: the snapshots that are kept, and nothing half-written. A power failure between a
 * snapshot's renaming and the sync of the directory may take the removal of the one before, and leave it until the next.
 */
export function checkDisk(name: string, files: readonly string[], snapshotsKept: number): void {
  const snapshots = files.filter((file) => file.startsWith('snapshot-') && !file.includes('.'));
  const leftovers = files.filter((file) => file.endsWith('.tmp'));
  check(snapshots.length <= snapshotsKept + 2, () => `${name} keeps ${snapshots.join()}`);
  check(leftovers.length <= 1, () => `${name} leaves ${leftovers.join()} behind`);
}
