export type PeerRole = 'looking' | 'following' | 'leading' | 'observing';
export type PeerPhase = 'election' | 'discovery' | 'synchronization' | 'broadcast';

/** What keeps a new ensemble from being founded, or what it is founded without; each list ascending. */
export interface FoundingStatus {
  /** Voters that have no link to this member, or have not declared over it what their disk holds. */
  readonly absentVoters: readonly number[];
  /** Observers of which the same holds: a founding waits for them for some time only. */
  readonly silentObservers: readonly number[];
  /** Voters and observers that show that the ensemble was founded before: nothing is founded then. */
  readonly membersWithHistory: readonly number[];
  /** A founding that has begun before goes on. */
  readonly isRefounding: boolean;
  /** Voters that have lost their disks, or a part, since a founding began: nothing is founded if they are a quorum. */
  readonly lostVoters: readonly number[];
}

export interface PeerStatus {
  readonly state: PeerRole;
  readonly phase: PeerPhase;
  /** The member that leads, as far as this one knows; null while looking. */
  readonly leader: number | null;
  /** The epoch that is led or followed; 0 outside. */
  readonly epoch: number;
  /** In an established ensemble and up to date: clients are welcome. */
  readonly isServing: boolean;
  /** Leading, and a quorum has acknowledged this epoch, whose whole initial history is applied here. */
  readonly isEstablishedLeader: boolean;
  /** `propose` works now. False on an established leader that drains, or has too much in flight. */
  readonly admits: boolean;
  /** False on a leader from a long pause of its process until a quorum has answered it again: nothing must expire meanwhile. */
  readonly isQuorumConfirmed: boolean;
  /** What this member promised and acknowledged may be forgotten: it is not counted until the ensemble has taken it back. */
  readonly isRejoining: boolean;
  /** Why voters that would be enough elect no leader; null if nothing of that kind stands in the way. */
  readonly obstacle: string | null;
  /** Which entries that may have been acknowledged, and that no voter holds, this leader began without; else null. */
  readonly gap: string | null;
  /** What a founding waits for, as this voter sees it; null on a member that would take no part in one. */
  readonly founding: FoundingStatus | null;
  readonly lastProposed: bigint;
  readonly lastDurable: bigint;
  readonly committed: bigint;
  /** Handed out in `Ready.committed` so far. */
  readonly delivered: bigint;
  /** Why the last role was left; null before. */
  readonly lastChange: string | null;
  /**
   * The last role in which clients were served ended by a hand-over, behind everything that its leader had to say: whatever
   * that leader has not proposed by then, it never will.
   */
  readonly endedByHandOver: boolean;
}

/** Whether nothing has changed but how far the zxids have got. */
export function isSameSituation(a: PeerStatus, b: PeerStatus): boolean {
  return (
    a.state === b.state &&
    a.phase === b.phase &&
    a.leader === b.leader &&
    a.epoch === b.epoch &&
    a.isServing === b.isServing &&
    a.isEstablishedLeader === b.isEstablishedLeader &&
    a.admits === b.admits &&
    a.isQuorumConfirmed === b.isQuorumConfirmed &&
    a.isRejoining === b.isRejoining &&
    a.obstacle === b.obstacle &&
    a.gap === b.gap &&
    a.lastChange === b.lastChange &&
    isSameFounding(a.founding, b.founding)
  );
}

export function isSameFounding(a: FoundingStatus | null, b: FoundingStatus | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    isSameList(a.absentVoters, b.absentVoters) &&
    isSameList(a.silentObservers, b.silentObservers) &&
    isSameList(a.membersWithHistory, b.membersWithHistory) &&
    a.isRefounding === b.isRefounding &&
    isSameList(a.lostVoters, b.lostVoters)
  );
}

function isSameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((member, index) => member === b[index]);
}

/** One learner as its leader sees it. */
export interface LearnerStatus {
  readonly id: number;
  readonly isVoter: boolean;
  /** A voter that is not counted until it has been taken back. */
  readonly isRejoining: boolean;
  /** Synchronized, and told to serve clients. */
  readonly isUpToDate: boolean;
  /** The last zxid that it has acknowledged on this link. */
  readonly acked: bigint;
}
