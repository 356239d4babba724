import { DigestPoints, type DigestPoint, type StateMachine } from '../../../data/index.js';
import type { Logger } from '../../../runtime/index.js';
import type { ReplicatedState } from '../replicated-state.js';
import { DigestComparison, type DigestFinding } from './digest-comparison.js';

/** Questions of the leader that a learner has not reached yet; the oldest is given up for a newer one. */
const OPEN_QUESTIONS = 4;

export interface DigestExchangeParts {
  /** This member. */
  readonly id: number;
  /** Ids of all voters; observers answer too, but count towards no quorum. */
  readonly voters: readonly number[];
  readonly state: ReplicatedState;
  readonly logger: Logger;
  /** A member other than this one differs from a quorum: it has to be informed. */
  readonly report: (member: number, expected: DigestPoint) => void;
  /** A quorum has another digest at that zxid than this member. Called once for each state that a snapshot can replace. */
  readonly ownStateDiffers: (own: DigestPoint, expected: DigestPoint) => void;
}

/** Members whose states differ at `zxid`. */
export interface StateDifference {
  readonly zxid: bigint;
  readonly members: readonly number[];
}

/**
 * Compares the states of all members while they serve. The leader's heartbeats name two points: its newest fixed one
 * (see `DigestPoints`) and its present state. Each learner answers with its own digest at the same zxids as soon as it
 * has applied them. A member that differs from a quorum of voters is informed; where no digest has a quorum, every
 * member goes on and the difference is logged on both sides and shown by `difference`.
 */
export class DigestExchange {
  readonly #parts: DigestExchangeParts;
  readonly #points = new DigestPoints();
  #comparison: DigestComparison | null = null;
  /** What the leader has asked and this learner has not reached yet. */
  #asked: DigestPoint[] = [];
  #difference: StateDifference | null = null;
  /** This member's state was found to differ from a quorum's, and waits for the snapshot that replaces it. */
  #isGivenUp = false;

  constructor(parts: DigestExchangeParts) {
    this.#parts = parts;
  }

  /** The newest difference that was seen in the present role; null if there is none. */
  get difference(): StateDifference | null {
    return this.#difference;
  }

  /** The state machine has applied `zxid`. */
  applied(zxid: bigint, machine: StateMachine): void {
    this.#points.applied(zxid, machine);
  }

  /** A snapshot of the leader has replaced the state. */
  replaced(): void {
    this.#points.clear();
    this.#asked = [];
    this.#difference = null;
    this.#isGivenUp = false;
  }

  lead(): void {
    this.#comparison = new DigestComparison(this.#parts.voters);
  }

  /** The present role ends. */
  end(): void {
    this.#comparison = null;
    this.#asked = [];
    this.#difference = null;
  }

  /** On the leader: the points that its next heartbeat names. */
  question(): readonly DigestPoint[] {
    const { id, state } = this.#parts;
    const { lastZxid: zxid, digest } = state.machine;
    const { latest } = this.#points;
    const points = latest === null || latest.zxid === zxid ? [] : [latest];
    points.push({ zxid, digest });
    for (const point of points) this.#compare(id, point);
    return points;
  }

  /** On the leader: a learner has answered. */
  answered(learner: number, points: readonly DigestPoint[]): void {
    for (const point of points) this.#compare(learner, point);
  }

  /** On a learner: the leader has asked. */
  asked(points: readonly DigestPoint[]): void {
    for (const point of points)
      if (!this.#asked.some(({ zxid }) => zxid === point.zxid)) this.#asked.push(point);
    this.#asked.splice(0, this.#asked.length - OPEN_QUESTIONS);
  }

  /** On a learner: its digests at the points that were asked and are reached by now. */
  answers(leader: number): readonly DigestPoint[] {
    const { lastZxid } = this.#parts.state.machine;
    const reached = this.#asked.filter(({ zxid }) => zxid <= lastZxid);
    this.#asked = this.#asked.filter(({ zxid }) => zxid > lastZxid);
    const answers: DigestPoint[] = [];
    for (const { zxid, digest: expected } of reached) {
      const digest = this.#digestAt(zxid);
      if (digest === null) continue;
      answers.push({ zxid, digest });
      if (digest !== expected) this.#note(zxid, [leader, this.#parts.id]);
    }
    return answers;
  }

  /** On a learner: the leader has found that a quorum has another digest. An old verdict on a replaced state is ignored. */
  differs(expected: DigestPoint): void {
    const digest = this.#digestAt(expected.zxid);
    if (digest === null || digest === expected.digest) return;
    this.#giveUp({ zxid: expected.zxid, digest }, expected);
  }

  /** A state that differs at one of the points of a heartbeat mostly differs at the other one as well. */
  #giveUp(own: DigestPoint, expected: DigestPoint): void {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#parts.ownStateDiffers(own, expected);
  }

  #digestAt(zxid: bigint): bigint | null {
    const machine = this.#parts.state.machine;
    return zxid === machine.lastZxid ? machine.digest : this.#points.at(zxid);
  }

  #compare(member: number, point: DigestPoint): void {
    for (const finding of this.#comparison?.add(member, point) ?? []) this.#act(finding);
  }

  #act(finding: DigestFinding): void {
    const { id, report } = this.#parts;
    const { zxid } = finding;
    if (finding.type === 'undecided') return this.#note(zxid, finding.members);
    const { member, digest, expected } = finding;
    this.#note(zxid, [member]);
    if (member === id) this.#giveUp({ zxid, digest }, { zxid, digest: expected });
    else report(member, { zxid, digest: expected });
  }

  /** Logged once as long as the same members differ. */
  #note(zxid: bigint, members: readonly number[]): void {
    const isKnown = this.#difference?.members.join() === members.join();
    this.#difference = { zxid, members };
    if (isKnown) return;
    this.#parts.logger.error('The states of members differ', { zxid: `0x${zxid.toString(16)}`, members });
  }
}
