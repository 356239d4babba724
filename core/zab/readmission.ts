import type { Discovery } from './discovery.js';
import type { LearnerRoster } from './learner-roster.js';
import type { LearnerTracker } from './learner-tracker.js';
import type { PeerState } from './peer-state.js';
import { isFoundedBy, type Standing } from './standing.js';
import { makeZxid } from './zxid.js';

/**
 * Takes voters back that have forgotten what they promised and acknowledged: a wiped disk, or a damaged one.
 *
 * Such a voter W keeps company like any other, but nobody counts it: not in an election, not in discovery, not
 * towards a commit, not for a leader's claim to have a quorum. It counts again in an epoch E when
 * 1. E's leader knew that W is rejoining before it fixed E (so all promises of E came after the loss), and
 * 2. E is established, by voters other than W, and W holds E's marker and thus E's whole initial history.
 * Merely to wait for a later epoch would not do: a leader cut off in an old epoch could bring W up to its own date,
 * and the two be a quorum for the next one, while W had gone on with others before.
 *
 * Why it is safe. Let Q be the voters that promised E, and A those whose acknowledgements of E's marker established
 * it: quorums without W, all of it after the loss.
 * - *What W acknowledged* in an epoch e: e's promises were complete before the loss, so a voter of Q had promised e
 *   before it promised E, and e < E. If the entry is committed, or ever will be, its quorum shares another voter than W
 *   with Q, which had it before it promised E: it is in E's initial history, which W holds. W has promised E, so
 *   it can help only an epoch above E, whose leader must be as recent as W.
 * - *What W promised*, an epoch P to a candidate C. Should C ever complete its quorum with that promise, the quorum
 *   shares another voter than W with Q, and with A. P = E is impossible, since that voter promised it to one
 *   of the two only. P < E is an epoch that E has superseded, as ever. P > E: the one shared with A had acknowledged E's
 *   marker before it promised P, and reports it; C had accepted P before the loss, when that marker did not exist, and
 *   can have accepted nothing of E since. So C finds a more recent history than its own. Without
 *   taking it over, C does not count that promise, and has no quorum. Before C takes it over, every voter of its quorum
 *   echoes a ping that C sent after this report, over the link on which it promised (`Adoption`); W's process of then
 *   ended with the loss, before the marker existed, and cannot: C has no quorum either.
 * Should the shared voter itself have lost its disk since, it was taken back by the same rule, and the same holds
 * of what it has forgotten. All of this needs a quorum that remembers: if more voters have lost their disks, nothing goes on.
 *
 * But for the beginning. Nobody remembers anything in a new ensemble, and so nobody would count. Therefore *every*
 * voter together is enough as well, if none has a transaction in its history: all are there, even whoever
 * might act on a forgotten promise, and give it up by promising E; nothing can be lost. E's leader admits no transaction before
 * a quorum remembers: whenever they are interrupted, they can begin again.
 */
export class Readmission {
  readonly #state: PeerState;
  readonly #learners: LearnerRoster;
  readonly #discovery: Discovery;
  #isFounding = false;

  constructor(state: PeerState, learners: LearnerRoster, discovery: Discovery) {
    this.#state = state;
    this.#learners = learners;
    this.#discovery = discovery;
  }

  /** To be called from phase 2 on, when somebody has come further. */
  carryOut(isEstablished: boolean): void {
    const { outbox, disk } = this.#state;
    this.#isFounding ||= this.#isHeldByEverybody();
    if (!isEstablished && !this.#isFounding) return;
    disk.readmit();
    const epoch = this.#discovery.epoch;
    for (const learner of this.#learners.all) {
      if (!isWaiting(learner) || learner.isBeingReadmitted || learner.ackedZxid < this.#marker) continue;
      if (!this.#discovery.isAfterReturnOf(learner.id)) continue;
      learner.isBeingReadmitted = true;
      outbox.send(learner.id, { type: 'readmit', epoch });
    }
  }

  /** One that is up to date, but can be taken back only in a later epoch. */
  get needsEpoch(): LearnerTracker | undefined {
    return this.#learners.all.find(
      (learner) => isWaiting(learner) && learner.isUpToDate && !learner.isBeingReadmitted,
    );
  }

  get #marker(): bigint {
    return makeZxid(this.#discovery.epoch, 0);
  }

  /** Every voter holds the marker, and nobody has more than markers. */
  #isHeldByEverybody(): boolean {
    const { id, standing, disk, quorum } = this.#state;
    const holders = new Map<number, Standing>();
    if (disk.durableZxid >= this.#marker) holders.set(id, standing);
    for (const learner of this.#learners.all) {
      if (learner.ackedZxid >= this.#marker) holders.set(learner.id, learner.standing);
    }
    return isFoundedBy(quorum, holders);
  }
}

function isWaiting({ isVoter, isCounted }: LearnerTracker): boolean {
  return isVoter && !isCounted;
}
