import { formatZxid, NO_ZXID } from './zxid.js';
import type { Quorum } from './quorum.js';
import { remembers, type Standing } from './standing.js';

/**
 * Counts voters whose log ended, when they started, in entries that may have been acknowledged and are gone.
 *
 * Such a voter W has its promises, and its history up to some entry. Of what followed, up to `mayHold`, it is unknown whether W
 * acknowledged it. It therefore takes part as if it still held it all: it counts for a candidate only if the candidate's history
 * reaches `mayHold`. Its vote and its promise then mean what they would have meant had nothing been lost, for a leader compares
 * the last zxids of histories and nothing else. What the leader gives it afterwards takes the place of what is gone: once W
 * holds an entry at or behind `mayHold`, which can only come from a leader that a quorum promised an epoch to, it is a voter
 * like any other. As a candidate W stands with the history that it has.
 *
 * A quorum that does not need W goes on without it: such a quorum shares a voter other than W with every quorum that W was part
 * of. Where W is needed and no candidate reaches `mayHold`, the ensemble waits, unless *every* voter is there, whether it counts
 * or not: then each of them has promised the epoch and shown its history, and none holds what is gone (the candidate's is the most
 * recent, and does not reach it). Had it been committed, a quorum would have held it durably. That all of that quorum have lost it,
 * at an ambiguous end or with their disks, means that the disks of a majority were damaged or lost, for a failure of power takes
 * only what was not synced, and so was not acknowledged. Fewer such disks leave a holder, and its history is the more recent one.
 * To wait longer could bring nothing back: nobody is missing who might hold it. The status of the leader names what it began
 * without (`describeGap`).
 *
 * So a failure of power at all voters needs nobody's help, also if a minority of the disks is lost with it: all come back, the most
 * recent history of all leads, and every entry that was acknowledged by a quorum is in it, for on each of these disks it was synced,
 * and one at least is whole. What remains is an ambiguous end beside a voter that is missing and may hold the entries: the ensemble
 * waits for it.
 */
export interface VoterState {
  readonly standing: Standing;
  /** The last entry that an *ambiguous* voter may have acknowledged; absent of others. */
  readonly mayHold?: bigint;
}

export function voterStateOf({ standing, mayHold = NO_ZXID }: VoterState): VoterState {
  return standing === 'ambiguous' ? { standing, mayHold } : { standing };
}

/** Those of `voters` that count for a candidate whose history ends at `zxid` and is as recent as any of theirs. */
export function countableFor(
  quorum: Quorum,
  voters: ReadonlyMap<number, VoterState>,
  zxid: bigint,
): ReadonlyMap<number, Standing> {
  const areAllPresent = quorum.voters.every((voter) => voters.has(voter));
  const counts = ({ standing, mayHold = NO_ZXID }: VoterState): boolean =>
    standing !== 'ambiguous' || mayHold <= zxid || areAllPresent;
  const countable = [...voters].filter(([, state]) => counts(state));
  return new Map(countable.map(([voter, { standing }]) => [voter, standing]));
}

/** Says what an election waits for that would be decided if every voter counted. */
export function describeWait(quorum: Quorum, voters: ReadonlyMap<number, VoterState>): string {
  const ambiguous = [...voters].filter(([, { standing }]) => standing === 'ambiguous');
  const missing = quorum.voters.filter((voter) => !voters.has(voter));
  const lost = ambiguous.map(
    ([voter, { mayHold = NO_ZXID }]) => `member ${voter} (up to ${formatZxid(mayHold)})`,
  );
  const rejoining = [...voters].filter(([, { standing }]) => !remembers(standing)).map(([voter]) => voter);
  const uncounted = rejoining.length === 0 ? '' : `; without a vote: ${rejoining.join(', ')}`;
  return (
    `entries at the end of the log may have been acknowledged and are gone at ${lost.join(', ')}; waiting for a voter that ` +
    `holds them, or for every voter; missing: ${missing.join(', ') || 'none'}${uncounted}`
  );
}

/**
 * Says which entries an ensemble goes on without that may have been acknowledged, because these voters are all voters and none
 * holds more than `zxid`; null if those that can have lost nothing are a quorum.
 */
export function describeGap(
  quorum: Quorum,
  voters: ReadonlyMap<number, VoterState>,
  zxid: bigint,
): string | null {
  const lost = [...voters].filter(([, { mayHold = NO_ZXID }]) => mayHold > zxid);
  const isSure = ([, { standing, mayHold = NO_ZXID }]: [number, VoterState]): boolean =>
    remembers(standing) && mayHold <= zxid;
  const sure = [...voters].filter(isSure).map(([voter]) => voter);
  if (lost.length === 0 || quorum.isReached(sure)) return null;
  const named = lost.map(
    ([voter, { mayHold = NO_ZXID }]) => `member ${voter} (up to ${formatZxid(mayHold)})`,
  );
  return `entries behind ${formatZxid(zxid)} may have been acknowledged at ${named.join(', ')}, and no voter holds them`;
}
