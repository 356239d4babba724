import { describeWait, voterStateOf, type VoterState } from './ambiguous-end.js';
import { mayAdopt } from './adoption.js';
import type { Notification, PeerMessage } from './peer-message.js';
import type { PeerState } from './peer-state.js';
import type { Role } from './role.js';
import { isBetterVote, isSameVote, NO_VOTE, voteFor, type Vote } from './vote.js';
import { maxZxid, NO_ZXID } from './zxid.js';

const RESEND_MS = 200;
const RESEND_MAX_MS = 2000;
/** How long a candidate waits for a better one, unless every voter that it can reach supports it. */
const FINALIZE_WAIT_MS = 200;

/**
 * Election over any graph of links. It only has to find a likely leader: whether that one may lead is settled in
 * discovery, so nothing here can break safety. The election begins when the disk is quiet, for a vote must name what
 * is durable and nothing else (ZOOKEEPER-4712: a disk write outlived the role that had computed its vote).
 *
 * Every looking voter tells each voter that it has a link to how recent its own history is, and whether it *can lead*:
 * it and the looking voters that it has links to are a quorum. It is *behind* if they are none without those that have a
 * more recent history: then it has to take that one over first (`Adoption`). Each votes for the best of itself and its
 * direct neighbours that can lead; who is behind comes last. A vote for somebody else's neighbour is never adopted,
 * because who adopts it may have no link to that one. A candidate that a quorum votes for leads, and says so to all.
 *
 * Why it elects somebody whenever some voter has links to a quorum: of all that can lead, let B be the best. Every neighbour
 * of B that counts for it votes for B, since B is the best that it can know of; they and B are a quorum. Who has links to
 * no quorum disturbs nobody: it cannot lead, because voters that have a leader do not look for one.
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
  /** The newest word of each voter that looks for a leader in this round, over the link that is up. */
  readonly #heard = new Map<number, Notification>();
  #canLead = false;
  #obstacle: string | null = null;
  /** It could lead only with a more recent history than its own. */
  #isBehind = false;
  #resendMs = RESEND_MS;
  #resendAtMs = 0;
  #decideAtMs: number | null = null;

  constructor(state: PeerState, delayMs: number) {
    this.#state = state;
    this.#notBeforeMs = state.nowMs + delayMs;
    state.vote = this.#ownVote;
  }

  /** What keeps voters that would be enough from electing a leader; null if nothing does. */
  get obstacle(): string | null {
    return this.#obstacle;
  }

  tick(): void {
    if (!this.#hasBegun) return this.#begin();
    const now = this.#state.nowMs;
    if (this.#decideAtMs !== null && now >= this.#decideAtMs) return this.#lead();
    if (now >= this.#resendAtMs) {
      this.#resendMs = Math.min(this.#resendMs * 2, RESEND_MAX_MS);
      this.#broadcast();
    }
    // A founding may have waited for observers long enough.
    if (!this.#canLead && this.#state.admission.founding !== null) this.#decide();
  }

  linkUp(peer: number): void {
    if (this.#hasBegun) this.introduce(peer);
  }

  linkDown(peer: number): void {
    this.#heard.delete(peer);
    if (this.#hasBegun) this.#decide();
  }

  pause(): void {}

  durable(): void {
    if (!this.#hasBegun) this.#begin();
  }

  flush(): void {}

  leave(): void {}

  introduce(peer: number): void {
    this.#state.notify(peer, this.name, { canLead: this.#canLead, isBehind: this.#isBehind });
  }

  step(from: number, message: PeerMessage): void {
    if (message.type !== 'notification' || !this.#hasBegun || !this.#state.quorum.isVoter(from)) return;
    if (message.state === 'leading') return this.#hearLeader(from, message);
    if (message.state === 'looking' && message.vote.leader !== NO_VOTE.leader)
      return this.#hearVote(from, message);
    this.#heard.delete(from);
    this.#decide();
  }

  #begin(): void {
    const state = this.#state;
    if (!state.disk.isIdle || state.nowMs < this.#notBeforeMs) return this.#announce();
    this.#hasBegun = true;
    state.round += 1;
    state.vote = this.#ownVote;
    this.#broadcast();
    this.#decide();
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

  #hearVote(from: number, notification: Notification): void {
    const state = this.#state;
    const { round } = notification;
    if (!state.config.isVoter) return;
    if (round < state.round) return this.introduce(from);
    const isNewRound = round > state.round;
    if (isNewRound) {
      state.round = round;
      this.#heard.clear();
    }
    // It may have had a leader still when this member's word came: without an answer it would wait for the next one.
    const isFirst = !this.#heard.has(from);
    this.#heard.set(from, notification);
    if (isNewRound) this.#broadcast();
    else if (isFirst) this.introduce(from);
    this.#decide();
  }

  /** Nobody but the leader itself is believed: who follows it may not know yet that it is gone. */
  #hearLeader(from: number, { vote, round, canLead }: Notification): void {
    const state = this.#state;
    this.#heard.delete(from);
    if (vote.leader !== from || !canLead) return this.#decide();
    state.round = round;
    state.vote = vote;
    state.become({ to: 'following', leader: from, reason: `member ${from} leads` });
  }

  /** Something has changed: whether this member can lead, whom it votes for, and whether enough vote for it. */
  #decide(): void {
    const state = this.#state;
    if (!state.config.isVoter || state.isLeaving) return;
    const isCurrent = this.#isEnough([...this.#heard].filter(([, heard]) => this.#isNoNewer(heard)));
    const canAdopt = !isCurrent && this.#isEnoughToAdopt(this.#heard);
    const canLead = state.ownVote.leader === state.id && (isCurrent || canAdopt);
    const isBehind = canLead && !isCurrent;
    const vote = this.#bestVote(canLead, isBehind);
    if (canLead !== this.#canLead || isBehind !== this.#isBehind || !isSameVote(vote, state.vote)) {
      this.#canLead = canLead;
      this.#isBehind = isBehind;
      state.vote = vote;
      this.#resendMs = RESEND_MS;
      this.#broadcast();
    }
    this.#obstacle = this.#waitsFor();
    this.#tally();
  }

  /** Who is not behind comes first. Without anybody who can lead a voter votes for itself. */
  #bestVote(canLead: boolean, isBehind: boolean): Vote {
    const own = this.#ownVote;
    const candidates = canLead ? [{ vote: own, isBehind }] : [];
    for (const [voter, heard] of this.#heard) {
      if (heard.canLead) candidates.push({ vote: voteFor(voter, heard.claim), isBehind: heard.isBehind });
    }
    const [first, ...others] = candidates;
    let best = first ?? { vote: own, isBehind };
    for (const other of others) {
      const isBetter = other.isBehind === best.isBehind ? isBetterVote(other.vote, best.vote) : best.isBehind;
      if (isBetter) best = other;
    }
    return best.vote;
  }

  /** For itself; counted only while this member can lead. */
  get #ownVote(): Vote {
    const { id, config, disk } = this.#state;
    return config.isVoter ? voteFor(id, disk.durableZxid) : NO_VOTE;
  }

  #isNoNewer({ claim }: Notification): boolean {
    return claim <= this.#state.disk.durableZxid;
  }

  /** Leads at once when every voter that it can reach wants it: waiting would change nothing. */
  #tally(): void {
    const { id, quorum, outbox, nowMs } = this.#state;
    const supporters = [...this.#heard].filter(
      ([, heard]) => heard.vote.leader === id && (this.#isBehind || this.#isNoNewer(heard)),
    );
    const isEnough = this.#isBehind ? this.#isEnoughToAdopt(supporters) : this.#isEnough(supporters);
    const wantsToLead = this.#canLead && this.#state.vote.leader === id && isEnough;
    const isSettled = (voter: number): boolean =>
      voter === id || !outbox.isUp(voter) || this.#heard.get(voter)?.vote.leader === id;
    if (!wantsToLead) this.#decideAtMs = null;
    else if (quorum.voters.every(isSettled)) this.#lead();
    else this.#decideAtMs ??= nowMs + FINALIZE_WAIT_MS;
  }

  /** Whether this member and these are a quorum of voters that count for this member. */
  #isEnough(others: Iterable<readonly [number, Notification]>): boolean {
    const { admission, disk } = this.#state;
    return admission.isEnough(this.#withSelf(others), disk.durableZxid);
  }

  /** Whether this member and these are a quorum from which the most recent history may be taken over. */
  #isEnoughToAdopt(others: Iterable<readonly [number, Notification]>): boolean {
    const able = [...this.#withSelf(others)].filter(([, { standing }]) => mayAdopt(standing));
    const { id, quorum, standing: own } = this.#state;
    return mayAdopt(own) && quorum.isReached([id, ...able.map(([voter]) => voter)]);
  }

  /** What keeps voters that would be enough from electing one of them; null if nothing does. */
  #waitsFor(): string | null {
    const { quorum, disk, admission } = this.#state;
    const voters = this.#withSelf(this.#heard);
    const lost = [...voters.values()].filter(({ standing }) => standing === 'ambiguous');
    const heard = [...this.#heard.values()];
    const newest = heard.reduce((zxid, { claim }) => maxZxid(zxid, claim), disk.durableZxid);
    const couldLead = this.#canLead || heard.some(({ canLead }) => canLead);
    if (couldLead || lost.every(({ mayHold = NO_ZXID }) => mayHold <= newest)) return null;
    return admission.hasQuorum(voters.keys()) ? describeWait(quorum, voters) : null;
  }

  #withSelf(others: Iterable<readonly [number, Notification]>): Map<number, VoterState> {
    const { id, voterState } = this.#state;
    const voters = new Map([...others].map(([voter, heard]) => [voter, voterStateOf(heard)]));
    return voters.set(id, voterState);
  }

  #lead(): void {
    this.#state.become({ to: 'leading', reason: 'elected' });
  }

  #broadcast(): void {
    const state = this.#state;
    this.#resendAtMs = state.nowMs + state.jitter.spread(this.#resendMs);
    for (const peer of state.config.others) this.introduce(peer);
  }
}
