import type { Discovery } from './discovery.js';
import type { LearnerRoster } from './learner-roster.js';
import type { LearnerTracker } from './learner-tracker.js';
import type { PeerState } from './peer-state.js';
import { invariant } from './zab-error.js';
import { makeZxid } from './zxid.js';

/**
 * Readmits voters that do not count: the disk was lost or damaged, or it was empty from the start. Such a voter follows, votes and
 * acknowledges like any other, but nothing of it counts (`Admission`).
 *
 * ## Rule 1: readmission
 *
 * A voter W that does not count is readmitted in an epoch E if
 * (a) E's leader knew, before it fixed E, that this process of W does not count (`EpochBasis.mayReadmit`; the permission is used
 *     up by the readmission, `noteReadmitted`): so every promise of E was made after the loss;
 * (b) E is established by voters that count, and W is not one of them (`Leader.#count` over `#acked`, where `#hearAck` and
 *     `durable` leave W out);
 * (c) W holds E's marker, and with it E's whole initial history (`carryOut`: `ackedZxid`; `Learner.#readmit`).
 * To wait for a later epoch alone would not be enough: a leader that is cut off in an old epoch could bring W up to its own date,
 * and the two would be a quorum for the next epoch, while W had gone on with others before its loss.
 *
 * Why that is safe. Let Q be the voters whose promises of E counted (`EpochBasis.takesPromiseOf`), and A the voters whose
 * acknowledgements established E. Both are quorums without W, and both acted after the loss.
 * - An entry that W acknowledged in an epoch e before the loss. The promises of e were complete before the loss, so a voter of Q
 *   promised e before it promised E: e < E (`Learner.#hearNewEpoch` refuses a lower epoch). If the entry is committed, or ever will
 *   be, then a voter of its quorum other than W is in Q and had the entry when it promised E. A leader does not
 *   count the promise of a voter with a longer history (`Leader.#hearPromise`), or adopts that history first (`Adoption`), so the entry is in E's initial history, which W holds. W has
 *   promised E, and can only help an epoch above E, whose leader must be as recent as W.
 * - An epoch P that W promised to a candidate C before the loss. If C completes its quorum with that promise, the quorum shares a
 *   voter other than W with Q, and one with A. P = E: the voter shared with Q promised it to one of the two only (`isPromise`).
 *   P < E: E supersedes P like any older epoch. P > E: the voter shared with A acknowledged E's marker before it promised P, and
 *   reports it to C. C accepted P before the loss, when that marker did not exist, and has accepted nothing of E since. So C finds
 *   a history that is more recent than its own. Unless C adopts it, C does not count that promise (`Leader.#hearPromise`), and has
 *   no quorum. Before C adopts it, every voter of its quorum echoes a ping that C sent after this report, over the link over which
 *   it promised (`Adoption.consider`). The process of W that promised ended with the loss, before the marker existed, and cannot
 *   echo it: C has no quorum either.
 * If the shared voter lost its own disk meanwhile, it was readmitted by the same rule, and the same holds for what it forgot. All
 * of this needs a quorum that counts: if more voters lose their disks, no epoch can be fixed, and the ensemble waits.
 *
 * ## Rule 2: founding
 *
 * In a new ensemble no voter counts. It is founded in an epoch E by *all* voters. There is no other exemption from rule 1.
 * (a) When E was fixed, each voter had declared over its present link that it is a founder, so without a transaction
 *     (`Admission.mayFound`, `basisOf`); no listed observer had declared a transaction; and the voters that are known to have lost
 *     their disks, or a part, since an earlier attempt are no quorum (`lostVoters`): who is *damaged*, and who is *empty* beside a
 *     voter that is *founding*. E is above every epoch that a voter has promised (`Discovery.#fix`).
 * (b) Every voter promises E, and later acknowledges its marker, over that same link (`EpochBasis.isPromisedBy`,
 *     `#isHeldByEverybody`). Once a voter is gone, the leader gives E up (`EpochBasis.isBroken`).
 * (c) Only then is the first voter readmitted. A voter that comes over another link falls under rule 1, for as long as E lasts.
 * (d) No transaction is admitted, and no client is served, in E or any later epoch, before every voter has counted at the same time
 *     (`checkFounded`, `Leader.isEstablished`). A voter that knows this is *full* for ever, and one that does not count when it
 *     learns it is *damaged* (`DiskQueue.noteFounded`): it has lost its disk, and does not pass for a new one any more.
 *
 * Nothing acknowledged is lost. Assume that a transaction was acknowledged before E was fixed. By (d) every voter had counted by
 * then. A voter that kept its disk is *founding* or *full*, and *full* prevents a founding, as does a transaction; so each voter
 * of the quorum that acknowledged the transaction has lost its disk. That is a quorum of lost disks: of these, an intact voter
 * that is *founding* prevents the founding by (a), and so does an observer that has the transaction. Only if nobody is
 * left that knows of it can an ensemble be founded again.
 *
 * No quorum too early. What a founder may have forgotten is void: every voter has promised E, each candidate of an older epoch
 * among them, and E is above all of these epochs, so no older epoch can be completed.
 *
 * Never for ever without a quorum. A founding can be interrupted at any point; restarted members keep what is durable. Let fewer
 * than a quorum of disks be lost. If some voter is *full*, every voter has counted, and those that kept their disks still do:
 * they are a quorum. If none is, then either those that count are a quorum, which readmits the others by rule 1, or all are
 * founders, and found again: a voter that held a marker is not among the lost, so those are fewer than a quorum.
 */
export class Readmission {
  readonly #state: PeerState;
  readonly #learners: LearnerRoster;
  readonly #discovery: Discovery;
  /** Every voter has acknowledged the marker of a founding. */
  #isFoundingHeld = false;
  #isFounded = false;

  constructor(state: PeerState, learners: LearnerRoster, discovery: Discovery) {
    this.#state = state;
    this.#learners = learners;
    this.#discovery = discovery;
  }

  /** Readmits whom it may. To be called from phase 2 on, when a voter has acknowledged more. */
  carryOut(isEstablished: boolean): void {
    const { outbox, disk } = this.#state;
    if (isEstablished) this.checkFounded();
    this.#isFoundingHeld ||= this.#isHeldByEverybody();
    if (!isEstablished && !this.#isFoundingHeld) return;
    disk.readmit(this.#isFounded);
    const { epoch, basis } = this.#discovery;
    for (const learner of this.#learners.all) {
      if (!isWaiting(learner) || learner.isBeingReadmitted || learner.ackedZxid < this.#marker) continue;
      if (basis?.mayReadmit(learner.id) !== true) continue;
      learner.isBeingReadmitted = true;
      outbox.send(learner.id, { type: 'readmit', epoch });
    }
  }

  /** The voter has made its readmission durable. */
  confirmed({ id }: LearnerTracker): void {
    const { admission } = this.#state;
    invariant(
      this.#discovery.basis?.mayReadmit(id) === true,
      'a voter is readmitted over the link that was known',
      {
        voter: id,
        epoch: this.#discovery.epoch,
      },
    );
    this.#discovery.basis.noteReadmitted(id);
    admission.declare(id, this.#isFounded ? 'full' : 'founding');
  }

  /** A voter that holds the marker, and can be readmitted only in a later epoch. */
  get needsEpoch(): LearnerTracker | undefined {
    return this.#learners.all.find(
      (learner) => isWaiting(learner) && learner.ackedZxid >= this.#marker && !learner.isBeingReadmitted,
    );
  }

  /** Every voter has counted at the same time, in this epoch or before: transactions may be admitted. */
  get isFounded(): boolean {
    return this.#isFounded;
  }

  /** The same, looked at anew: to be called once the epoch is established, when a voter has come further. */
  checkFounded(): boolean {
    if (this.#isFounded) return true;
    const { history, admission, disk } = this.#state;
    this.#isFounded = !history.isBlank || admission.isFoundingKnown || this.#doAllCount();
    if (this.#isFounded) disk.noteFounded();
    return this.#isFounded;
  }

  get #marker(): bigint {
    return makeZxid(this.#discovery.epoch, 0);
  }

  #doAllCount(): boolean {
    const { quorum, admission } = this.#state;
    return quorum.voters.every((voter) => admission.counts(voter) && this.#holdsMarker(voter));
  }

  #isHeldByEverybody(): boolean {
    const { basis } = this.#discovery;
    if (basis?.isFounding !== true || basis.isBroken) return false;
    return this.#state.quorum.voters.every((voter) => this.#holdsMarker(voter));
  }

  #holdsMarker(voter: number): boolean {
    const { id, disk } = this.#state;
    const held = voter === id ? disk.durableZxid : (this.#learners.get(voter)?.ackedZxid ?? 0n);
    return held >= this.#marker;
  }
}

function isWaiting({ isVoter, isCounted }: LearnerTracker): boolean {
  return isVoter && !isCounted;
}
