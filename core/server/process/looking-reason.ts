import type { MemberHealth } from '../member/index.js';

/** Why a member has no leader, as far as it knows, and what to do. */
export function lookingReason(health: MemberHealth): string {
  return health.founding === null ? absence(health) : foundingReason(health, health.founding);
}

/** Of a member that holds no transaction. */
function foundingReason(
  health: MemberHealth,
  { absentVoters, silentObservers, membersWithHistory, lostVoters }: NonNullable<MemberHealth['founding']>,
): string {
  const { voters } = health;
  const all = `${voters.length} of ${voters.length} voters`;
  if (membersWithHistory.length > 0) {
    return (
      `this member has no history and no vote, ${members(membersWithHistory)} ${have(membersWithHistory)} one, so it waits for a leader among those ` +
      'that have a vote. If a majority of these is lost for good, run quorate doctor --force-new-ensemble on the one whose history reaches furthest'
    );
  }
  if (absentVoters.length > 0)
    return `a new ensemble needs ${all}, and ${unreachable(absentVoters, health)}. To begin with fewer, list only those in --ensemble`;
  if (silentObservers.length > 0)
    return `founding waits some time for ${members(silentObservers)}, listed as observers`;
  if (lostVoters.length > 0)
    return `${members(lostVoters)} ${have(lostVoters)} lost a disk since the founding began`;
  return `${all} are there, and the founding begins`;
}

/** Of a member with a history. */
function absence(health: MemberHealth): string {
  const { id, voters, peers, rejoining } = health;
  const missing = voters.filter((voter) => voter !== id && !peers.includes(voter));
  const present = voters.length - missing.length;
  const quorum = Math.floor(voters.length / 2) + 1;
  const vote = rejoining ? 'this member has no vote before the others have taken it back; ' : '';
  if (present < quorum)
    return `${vote}${present} of ${voters.length} voters are there, a quorum is ${quorum}, and ${unreachable(missing, health)}`;
  return (
    `${vote}${present} of ${voters.length} voters are there and have elected no leader yet. If that lasts, too few of them have a vote: see reason in ` +
    `/readyz of ${members(voters.filter((voter) => voter !== id && peers.includes(voter)))}`
  );
}

/** With what is known of the reasons. */
function unreachable(missing: readonly number[], { linkProblems }: MemberHealth): string {
  const problems = linkProblems
    .filter(({ member }) => missing.includes(member))
    .map(({ member, problem }) => `member ${member}: ${problem}`);
  const reasons = problems.length === 0 ? '' : ` (${problems.join('; ')})`;
  return `${members(missing)} cannot be reached${reasons}`;
}

function members(ids: readonly number[]): string {
  return ids.length === 1 ? `member ${ids[0]}` : `members ${ids.join(', ')}`;
}

function have(ids: readonly number[]): string {
  return ids.length === 1 ? 'has' : 'have';
}
