import { voterStateOf, type VoterState } from './ambiguous-end.js';
import type { Discovery } from './discovery.js';
import type { LearnerRoster } from './learner-roster.js';
import type { LearnerTracker } from './learner-tracker.js';
import type { Entry } from './peer-config.js';
import type { Diff, Proposal, Trunc } from './peer-message.js';
import type { PeerState } from './peer-state.js';
import { remembers, type Standing } from './standing.js';
import { invariant } from './zab-error.js';
import { epochOf, isSuccessor, minZxid } from './zxid.js';

interface Plan {
  /** Whose history is taken over. */
  readonly lender: number;
  /** Its last entry. */
  readonly upTo: bigint;
  /** Voters whose promises are confirmed, without this member. */
  readonly supporters: ReadonlyMap<number, VoterState>;
}

/** Who takes part in an adoption: a voter with a complete history. One with an ambiguous end may have acknowledged more. */
export function mayAdopt(standing: Standing): boolean {
  return remembers(standing) && standing !== 'ambiguous';
}

/**
 * Phase 1 as the Zab paper has it: a candidate that a quorum has promised its epoch takes over the most recent history of
 * that quorum, and makes it durable, before it closes it with the epoch's marker. So a voter that alone has links to a
 * quorum can lead though it is behind.
 *
 * It begins only when a quorum of promises is *confirmed*: there is a round of pings that began after the promise and the
 * history of each of these voters had come, and each has echoed it, or a later one, over the link on which it promised. So,
 * when the last of these histories came, every process that had promised still ran, and none of the promises was one
 * that its voter has forgotten with its disk. `Readmission` rests on that.
 *
 * What is cut off this member's own history is not committed, and cannot be any more: an entry that was ever acknowledged by
 * a quorum is in the history of one of those who promised, and so in the most recent one. At each moment this history
 * is a beginning of that one, or of its own: a crash in between leaves an ordinary voter that is behind.
 */
export class Adoption {
  readonly #state: PeerState;
  readonly #learners: LearnerRoster;
  readonly #discovery: Discovery;
  #plan: Plan | null = null;

  constructor(state: PeerState, learners: LearnerRoster, discovery: Discovery) {
    this.#state = state;
    this.#learners = learners;
    this.#discovery = discovery;
  }

  /** No phase ends, and no promise completes a quorum, before it is over. */
  get isUnderWay(): boolean {
    return this.#plan !== null;
  }

  /** A voter has echoed this round of pings: begins if the round confirms a quorum, and one of it has more than this member. */
  consider(round: number): void {
    const { id, quorum, disk, history, outbox, standing } = this.#state;
    if (this.#plan !== null || !this.#discovery.isEpochDurable || !mayAdopt(standing) || !disk.isIdle) return;
    const isConfirmed = ({ isVoter, info, report, firstRound, echoedRound }: LearnerTracker): boolean =>
      isVoter &&
      mayAdopt(info.standing) &&
      report?.isPromise === true &&
      firstRound <= round &&
      echoedRound >= round;
    const confirmed = this.#learners.all.filter(isConfirmed);
    const supporters = new Map(confirmed.map((learner) => [learner.id, voterStateOf(learner.info)]));
    if (!quorum.isReached([id, ...supporters.keys()])) return;
    let best = confirmed[0]!;
    for (const learner of confirmed) if (learner.report!.lastZxid > best.report!.lastZxid) best = learner;
    const { lastZxid } = best.report!;
    if (lastZxid <= history.last) return;
    this.#plan = { lender: best.id, upTo: lastZxid, supporters };
    const epochs = history.epochsUpTo(history.last);
    outbox.send(best.id, { type: 'lend', epoch: this.#discovery.epoch, lastZxid: history.last, epochs });
  }

  isFrom(learner: number): boolean {
    return this.#plan?.lender === learner;
  }

  /** False if the message has no place here. */
  hear(learner: number, message: Diff | Trunc | Proposal): boolean {
    if (!this.isFrom(learner)) return false;
    const { history } = this.#state;
    if (message.type === 'diff') return message.after === history.last;
    if (message.type === 'trunc') return this.#truncate(message.after);
    return message.entries.every((entry) => this.#append(entry));
  }

  /** The voters whose promises count, once the history is taken over and durable; null before, and only once. */
  takeSupporters(): ReadonlyMap<number, VoterState> | null {
    const { history, disk } = this.#state;
    const plan = this.#plan;
    if (plan === null || history.last !== plan.upTo || disk.durableZxid !== plan.upTo || !disk.isIdle)
      return null;
    this.#plan = null;
    return plan.supporters;
  }

  #truncate(after: bigint): boolean {
    const { history, disk, commitZxid } = this.#state;
    if (!history.contains(after) || !disk.isIdle) return false;
    const committed = minZxid(commitZxid, history.last);
    invariant(after >= committed, 'a quorum lacks what is committed here', { after, committed });
    history.truncateAfter(after);
    disk.truncateAfter(after);
    return true;
  }

  #append(entry: Entry): boolean {
    const { history, disk } = this.#state;
    const isInOrder = isSuccessor(entry.zxid, history.last) && epochOf(entry.zxid) < this.#discovery.epoch;
    if (!isInOrder || entry.zxid > this.#plan!.upTo) return false;
    history.append(entry);
    disk.append(entry);
    return true;
  }
}
