import { countableFor, type VoterState } from './ambiguous-end.js';
import { EpochBasis } from './epoch-basis.js';
import type { FoundingStatus } from './peer-status.js';
import type { PeerState } from './peer-state.js';
import { isFounder, remembers, type Standing } from './standing.js';

/** Ticks that a founding waits for the listed observers, from when every voter is there. */
export const OBSERVER_WAIT_TICKS = 20;

interface Declaration {
  readonly standing: Standing;
  /** The link over which the member declared it, and so the process that did. */
  readonly link: number;
}

/**
 * Decides which voters count: the only place that does.
 *
 * | for | a voter counts | asked by |
 * | --- | --- | --- |
 * | a vote, and for fixing an epoch | if it remembers; or in a founding | `isEnough`, `mayFound`, `basisOf` |
 * | the same, with an ambiguous end | for a candidate that holds what it may have lost, or when every voter is there | `countableFor` |
 * | the history that a candidate takes over | if it remembers, and its end is not ambiguous | `mayAdopt` |
 * | a promise | if it remembered when it promised; or in the founding that fixed the epoch | `EpochBasis.takesPromiseOf`, `isPromisedBy` |
 * | an acknowledgement, a quorum of contact, a hand-over | from its acknowledgement of the epoch's marker on, if it remembers | `counts` |
 * | its return | see `Readmission` | `EpochBasis.mayReadmit` |
 *
 * A founding takes every voter, each known over its present link to be a founder, and every listed observer known to be
 * without a transaction, or silent for `OBSERVER_WAIT_TICKS`.
 */
export class Admission {
  readonly #state: PeerState;
  readonly #declared = new Map<number, Declaration>();
  /** Since when nothing is missing for a founding, observers apart. */
  #votersReadyMs: number | null = null;

  constructor(state: PeerState) {
    this.#state = state;
  }

  /** A member has declared its standing over its present link. */
  declare(member: number, standing: Standing): void {
    const link = this.#state.outbox.linkOf(member);
    if (link !== undefined) this.#declared.set(member, { standing, link });
  }

  /** What the member declared last, over whatever link; undefined before it has. */
  standingOf(member: number): Standing | undefined {
    const { id, standing } = this.#state;
    return member === id ? standing : this.#declared.get(member)?.standing;
  }

  /** This voter's acknowledgements and echoes count, once it has acknowledged the marker of the epoch. */
  counts(voter: number): boolean {
    const standing = this.standingOf(voter);
    return this.#state.quorum.isVoter(voter) && standing !== undefined && remembers(standing);
  }

  /** Those among these voters that count are a quorum. */
  hasQuorum(voters: Iterable<number>): boolean {
    return this.#state.quorum.isReached([...voters].filter((voter) => this.counts(voter)));
  }

  /** A candidate whose history ends at `zxid`, and is as recent as any of theirs, can lead with these voters, itself among them. */
  isEnough(voters: ReadonlyMap<number, VoterState>, zxid: bigint): boolean {
    return this.isQuorumFor(voters, zxid) || this.mayFound(voters.keys());
  }

  /** Those of these voters that count for a leader whose history ends at `zxid` are a quorum; `voters` as they were when they spoke. */
  isQuorumFor(voters: ReadonlyMap<number, VoterState>, zxid: bigint): boolean {
    const { quorum } = this.#state;
    const countable = [...countableFor(quorum, voters, zxid)];
    return quorum.isReached(countable.filter(([, standing]) => remembers(standing)).map(([voter]) => voter));
  }

  /** These are all the voters, and nothing stands against a founding by them. */
  mayFound(voters: Iterable<number>): boolean {
    const present = new Set(voters);
    if (!this.#state.quorum.voters.every((voter) => present.has(voter))) return false;
    this.tick();
    if (this.#votersReadyMs === null) return false;
    const { nowMs, config } = this.#state;
    const isWaitOver = nowMs - this.#votersReadyMs >= OBSERVER_WAIT_TICKS * config.tickMs;
    return isWaitOver || this.#survey().silentObservers.length === 0;
  }

  /** What an epoch rests on that a leader fixes with these voters; null if they are not enough. */
  basisOf(voters: Iterable<number>): EpochBasis | null {
    const present = [...voters];
    const isFounding = !this.hasQuorum(present);
    if (isFounding && !this.mayFound(present)) return null;
    const { quorum, id } = this.#state;
    const links = new Map<number, number>();
    for (const voter of quorum.voters) {
      const link = voter === id ? undefined : this.#currentLink(voter);
      if (link !== undefined && (isFounding || !this.counts(voter))) links.set(voter, link);
    }
    return new EpochBasis(this.#state, { isFounding, links, founding: this.#survey() });
  }

  /** A voter has declared, over its present link, that its ensemble is founded. */
  get isFoundingKnown(): boolean {
    const { quorum, disk } = this.#state;
    return disk.rejoining === null || quorum.voters.some((voter) => this.#present(voter) === 'full');
  }

  /** What a founding waits for, as this voter sees it; null if it would take no part in one. */
  get founding(): FoundingStatus | null {
    const { config, standing } = this.#state;
    return config.isVoter && isFounder(standing) ? this.#survey() : null;
  }

  /** Time has passed, or a member has declared something. */
  tick(): void {
    const { config, standing, nowMs } = this.#state;
    const mayTakePart = !config.isVoter || isFounder(standing);
    if (!mayTakePart || !this.#areVotersReady()) this.#votersReadyMs = null;
    else this.#votersReadyMs ??= nowMs;
  }

  #areVotersReady(): boolean {
    const { absentVoters, membersWithHistory, isRefounding, lostVoters } = this.#survey();
    if (absentVoters.length > 0 || membersWithHistory.length > 0) return false;
    // Who lost a part of its disk may have lost a history, unless another voter shows that there was none.
    return lostVoters.length === 0 || (isRefounding && !this.#state.quorum.isReached(lostVoters));
  }

  #survey(): FoundingStatus {
    const { quorum, config } = this.#state;
    const observers = config.observers;
    const standings = [...quorum.voters, ...observers].map((id) => ({ id, standing: this.#present(id) }));
    const isVoter = (id: number): boolean => quorum.isVoter(id);
    const those = (holds: (standing: Standing | undefined) => boolean): number[] =>
      standings.filter(({ standing }) => holds(standing)).map(({ id }) => id);
    const silent = those((standing) => standing === undefined);
    // Every voter held a marker when the first of them was readmitted: who holds nothing has lost its disk since.
    const isHeld = those((standing) => standing === 'founding').length > 0;
    return {
      absentVoters: silent.filter(isVoter),
      silentObservers: silent.filter((id) => !isVoter(id)),
      membersWithHistory: those((standing) => standing !== undefined && !isFounder(standing)),
      isRefounding: isHeld || those((standing) => standing === 'new').length > 0,
      lostVoters: those((standing) => standing === 'damaged' || (isHeld && standing === 'empty')).filter(
        isVoter,
      ),
    };
  }

  /** What the member declared over its present link. */
  #present(member: number): Standing | undefined {
    if (member === this.#state.id) return this.#state.standing;
    return this.#currentLink(member) === undefined ? undefined : this.#declared.get(member)!.standing;
  }

  /** The present link of the member, if it has declared its standing over it. */
  #currentLink(member: number): number | undefined {
    const link = this.#declared.get(member)?.link;
    return link !== undefined && this.#state.outbox.isCurrent(member, link) ? link : undefined;
  }
}
