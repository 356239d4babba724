import type { Notification, PeerMessage } from './peer-message.js';
import type { PeerState } from './peer-state.js';
import type { Role } from './role.js';
import { isAttended, isFoundedBy, type Standing } from './standing.js';
import { isBetterVote, isSameVote, NO_VOTE, type Vote } from './vote.js';

const RESEND_MS = 200;
const RESEND_MAX_MS = 2000;
/** How long a quorum's agreement must stand before it counts, lest a better candidate is just being heard of. */
const FINALIZE_WAIT_MS = 200;

/**
 * Fast Leader Election. It only has to find a likely leader: whether that one may lead is settled in discovery,
 * so nothing here can break safety. The election begins when the disk is quiet, for a vote must name what is
 * durable and nothing else (ZOOKEEPER-4712: a disk write outlived the role that had computed its vote).
 */
export class Election implements Role {
  readonly name = 'looking';
  readonly phase = 'election';
  readonly leader = null;
  readonly epoch = 0;
  readonly isServing = false;
  readonly #state: PeerState;
  readonly #notBeforeMs: number;
  #hasBegun = false;
  #isAnnounced = false;
  /** Votes of this round, by voter. */
  readonly #received = new Map<number, Vote>();
  /** What those say who have a leader already. */
  readonly #settled = new Map<number, Notification>();
  /** Which of those that were heard can be counted. */
  readonly #standings = new Map<number, Standing>();
  #resendMs = RESEND_MS;
  #resendAtMs = 0;
  #decideAtMs: number | null = null;

  constructor(state: PeerState, delayMs: number) {
    this.#state = state;
    this.#notBeforeMs = state.nowMs + delayMs;
    state.vote = state.ownVote;
  }

  tick(): void {
    if (!this.#hasBegun) return this.#begin();
    const now = this.#state.nowMs;
    if (this.#decideAtMs !== null && now >= this.#decideAtMs) return this.#elect(this.#state.vote.leader);
    if (now >= this.#resendAtMs) {
      this.#resendMs = Math.min(this.#resendMs * 2, RESEND_MAX_MS);
      this.#broadcast();
    }
  }

  linkUp(peer: number): void {
    if (this.#hasBegun) this.#notify(peer);
  }

  linkDown(): void {
    if (this.#hasBegun) this.#tally();
  }

  pause(): void {}

  durable(): void {
    if (!this.#hasBegun) this.#begin();
  }

  flush(): void {}

  leave(): void {}

  step(from: number, message: PeerMessage): void {
    if (message.type !== 'notification' || !this.#hasBegun) return;
    if (!this.#state.quorum.isVoter(from) || !this.#state.quorum.isVoter(message.vote.leader)) return;
    this.#standings.set(from, message.standing);
    if (message.state === 'looking') this.#hearVote(from, message);
    else if (message.state !== 'observing') this.#hearSettled(from, message);
  }

  #begin(): void {
    const state = this.#state;
    if (!state.disk.isIdle || state.nowMs < this.#notBeforeMs) return this.#announce();
    this.#hasBegun = true;
    state.round += 1;
    this.#propose(state.ownVote);
    this.#tally();
  }

  /** No vote yet, but whoever leads or follows this member has to know that it does not any more. */
  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    const { round, config } = this.#state;
    for (const peer of config.others) {
      this.#state.notify(peer, this.name, { round: round + 1, vote: NO_VOTE });
    }
  }

  #hearVote(from: number, { round, vote }: Notification): void {
    const state = this.#state;
    if (!state.config.isVoter) return;
    if (round < state.round) return this.#notify(from);
    if (round > state.round) {
      state.round = round;
      this.#received.clear();
      const own = state.ownVote;
      this.#propose(isBetterVote(vote, own) ? vote : own);
    } else if (isBetterVote(vote, state.vote)) this.#propose(vote);
    // It may have had a leader still when this member's vote came: without an answer it would wait for the next one.
    else if (isBetterVote(state.vote, vote)) this.#notify(from);
    this.#received.set(from, vote);
    this.#tally();
  }

  /** Somebody has a leader. It is followed if a quorum says so, and it does itself. */
  #hearSettled(from: number, notification: Notification): void {
    const state = this.#state;
    const { vote, round } = notification;
    if (round === state.round) this.#received.set(from, vote);
    this.#settled.set(from, notification);
    const agrees = (other: Vote): boolean => other.leader === vote.leader && other.epoch === vote.epoch;
    const inRound = [...this.#received].filter(([, other]) => agrees(other)).map(([voter]) => voter);
    const anyRound = [...this.#settled].filter(([, other]) => agrees(other.vote)).map(([voter]) => voter);
    const isAgreed =
      (round === state.round && this.#isEnough(inRound)) ||
      this.#isEnough(anyRound) ||
      isFoundedBy(state.quorum, this.#standingsOf([...anyRound, state.id]));
    const isConfirmed =
      vote.leader === state.id ? round === state.round : this.#settled.get(vote.leader)?.state === 'leading';
    if (!isAgreed || !isConfirmed) return;
    state.round = round;
    state.vote = vote;
    this.#elect(vote.leader);
  }

  #propose(vote: Vote): void {
    this.#state.vote = vote;
    this.#decideAtMs = null;
    if (this.#state.config.isVoter) this.#received.set(this.#state.id, vote);
    this.#resendMs = RESEND_MS;
    this.#broadcast();
  }

  /** Decides at once when nobody who could be heard now has another opinion: waiting would change nothing. */
  #tally(): void {
    const { quorum, vote, nowMs, outbox } = this.#state;
    const supporters = new Set<number>();
    for (const [voter, other] of this.#received) if (isSameVote(other, vote)) supporters.add(voter);
    const isSettled = (voter: number): boolean => supporters.has(voter) || !outbox.isUp(voter);
    if (!this.#isEnough(supporters)) this.#decideAtMs = null;
    else if (quorum.voters.every(isSettled)) this.#elect(vote.leader);
    else this.#decideAtMs ??= nowMs + FINALIZE_WAIT_MS;
  }

  #isEnough(voters: Iterable<number>): boolean {
    return isAttended(this.#state.quorum, this.#standingsOf(voters));
  }

  #standingsOf(voters: Iterable<number>): ReadonlyMap<number, Standing> {
    const { id, standing } = this.#state;
    const known = (voter: number): Standing => (voter === id ? standing : this.#standings.get(voter)!);
    return new Map([...voters].map((voter) => [voter, known(voter)]));
  }

  #elect(leader: number): void {
    if (leader === this.#state.id) this.#state.become({ to: 'leading', reason: 'elected' });
    else this.#state.become({ to: 'following', leader, reason: `member ${leader} was elected` });
  }

  #broadcast(): void {
    const state = this.#state;
    this.#resendAtMs = state.nowMs + state.jitter.spread(this.#resendMs);
    for (const peer of state.config.others) this.#notify(peer);
  }

  #notify(peer: number): void {
    this.#state.notify(peer, this.name);
  }
}
