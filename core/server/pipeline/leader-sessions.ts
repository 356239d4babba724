import { SessionTracker } from '../../data/index.js';

export interface LeaderSessionsOptions {
  readonly tickMs: number;
  /** This member. */
  readonly id: number;
  /** How long a member may go on serving clients after the last that its leader heard of it, in milliseconds. */
  readonly graceMs: number;
}

/** A session that was taken up by a member. */
export interface Claim {
  readonly timeoutMs: number;
  /** The member that spoke for it before; null if none did. */
  readonly previous: number | null;
}

/**
 * Which sessions are alive, as the leader alone decides by its ticks, and which member speaks for each.
 *
 * A client is promised that its session lives for its timeout from the last answer that it got, and locks are built on
 * that. So a session on another member expires only when that member has reported everybody whom it heard up to the end
 * of the timeout; and when a member is lost, its sessions get their whole timeout from the moment by which it must
 * have stopped serving, since whom it heard last was never reported.
 */
export class LeaderSessions {
  readonly #options: LeaderSessionsOptions;
  readonly #tracker: SessionTracker<number>;
  /** Up to when each learner has reported whom it heard, in this leader's time. */
  readonly #reported = new Map<number, number>();
  /** How often a session has gone from one member to another under this leader; only of those that have. */
  readonly #moves = new Map<bigint, number>();

  constructor(options: LeaderSessionsOptions) {
    this.#options = options;
    this.#tracker = new SessionTracker(options.tickMs);
  }

  /** A leader begins: every session that there is gets its whole timeout, from when the members that followed another leader have all stopped. */
  begin(sessions: ReadonlyMap<bigint, number>, now: number): void {
    for (const [id, timeoutMs] of sessions)
      this.#tracker.add(id, timeoutMs, now + this.#options.graceMs, null);
  }

  /** A session begins to be tracked when its creation is proposed, so that writes right behind it find it. */
  track(sessionId: bigint, timeoutMs: number, owner: number, now: number): void {
    this.#tracker.add(sessionId, timeoutMs, now, owner);
  }

  /** From now on only `owner` speaks for the session. Null if the session is unknown or closing. */
  claim(sessionId: bigint, owner: number, now: number): Claim | null {
    const timeoutMs = this.#tracker.timeoutOf(sessionId);
    if (timeoutMs === undefined) return null;
    const previous = this.#tracker.ownerOf(sessionId) ?? null;
    this.#tracker.touch(sessionId, now);
    this.#tracker.setOwner(sessionId, owner);
    if (previous === owner) return { timeoutMs, previous: null };
    this.#moves.set(sessionId, this.movesOf(sessionId) + 1);
    return { timeoutMs, previous };
  }

  /** Grows with each move: what was asked for before one must not take effect behind it, even if the session has come back to its member. */
  movesOf(sessionId: bigint): number {
    return this.#moves.size === 0 ? 0 : (this.#moves.get(sessionId) ?? 0);
  }

  isOwner(sessionId: bigint, member: number): boolean {
    return this.#tracker.ownerOf(sessionId) === member;
  }

  /** False for a session that is unknown or closing. */
  touch(sessionId: bigint, now: number): boolean {
    return this.#tracker.touch(sessionId, now);
  }

  /** What `learner` reports: these were heard, and, up to `upTo`, nobody else. */
  report(learner: number, sessionIds: readonly bigint[], upTo: number, now: number): void {
    this.#reported.set(learner, upTo);
    for (const sessionId of sessionIds)
      if (this.isOwner(sessionId, learner)) this.#tracker.touch(sessionId, now);
  }

  /** Nothing more will be reported by that member of what it has heard. */
  lost(learner: number, now: number): void {
    this.#reported.delete(learner);
    for (const sessionId of this.#tracker.ownedBy(learner)) {
      this.#tracker.touch(sessionId, now + this.#options.graceMs);
      this.#tracker.setOwner(sessionId, null);
    }
  }

  /** Its close has been proposed: nothing is accepted from it any more. */
  setClosing(sessionId: bigint): void {
    this.#tracker.setClosing(sessionId);
  }

  isClosing(sessionId: bigint): boolean {
    return this.#tracker.isClosing(sessionId);
  }

  closed(sessionId: bigint): void {
    this.#tracker.remove(sessionId);
    this.#moves.delete(sessionId);
  }

  /** Sessions whose time is up, oldest first. */
  expired(now: number, limit: number): readonly bigint[] {
    return this.#tracker.expired(now, limit, (owner, expiresAt) => {
      if (owner === null || owner === this.#options.id) return true;
      return (this.#reported.get(owner) ?? -Infinity) >= expiresAt;
    });
  }
}
