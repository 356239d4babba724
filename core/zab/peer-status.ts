export type PeerRole = 'looking' | 'following' | 'leading' | 'observing';
export type PeerPhase = 'election' | 'discovery' | 'synchronization' | 'broadcast';

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
    a.lastChange === b.lastChange
  );
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
