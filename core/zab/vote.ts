import { epochOf } from './zxid.js';

/** Whom a member wants to lead, and how recent that one's history is. */
export interface Vote {
  /** A voter; 0 of one who has no vote to give. */
  readonly leader: number;
  /** Epoch of the leader's history while electing; the epoch that it leads once that is known. */
  readonly epoch: number;
  /** Last durable zxid of the leader. */
  readonly zxid: bigint;
}

/** For a candidate whose last durable entry is `zxid`. */
export function voteFor(leader: number, zxid: bigint): Vote {
  return { leader, epoch: epochOf(zxid), zxid };
}

export const NO_VOTE: Vote = { leader: 0, epoch: 0, zxid: 0n };

/** The more recent history wins; of equals, the larger id. */
export function isBetterVote(vote: Vote, other: Vote): boolean {
  if (vote.epoch !== other.epoch) return vote.epoch > other.epoch;
  if (vote.zxid !== other.zxid) return vote.zxid > other.zxid;
  return vote.leader > other.leader;
}

export function isSameVote(vote: Vote, other: Vote): boolean {
  return vote.leader === other.leader && vote.epoch === other.epoch && vote.zxid === other.zxid;
}
