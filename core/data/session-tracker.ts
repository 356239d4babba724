interface TrackedSession<Owner> {
  timeoutMs: number;
  owner: Owner | null;
  isClosing: boolean;
  /** When it expires, always a multiple of the tick. */
  expiresAt: number;
}

/**
 * Which sessions are alive by the leader's ticks. A session expires at the end of the tick in which its timeout ends,
 * so it lives between its timeout and a tick more, and all that expire together stand in one bucket:
 * touching is cheap and expiring looks at nothing but what is due. States of a session: alive → closing → removed.
 */
export class SessionTracker<Owner> {
  private readonly tickMs: number;
  private readonly sessions = new Map<bigint, TrackedSession<Owner>>();
  /** Sessions that are alive, by when they expire. No more buckets than ticks in the longest timeout. */
  private readonly buckets = new Map<number, Set<bigint>>();

  constructor(tickMs: number) {
    this.tickMs = tickMs;
  }

  /** Sessions tracked, closing ones included. */
  get size(): number {
    return this.sessions.size;
  }

  /** Starts a full timeout from now. For a session that is known already, takes over timeout and owner (a null one changes nothing); it does not bring back one that is closing. */
  add(sessionId: bigint, timeoutMs: number, nowMs: number, owner: Owner | null): void {
    const known = this.sessions.get(sessionId);
    if (known === undefined) {
      const session = { timeoutMs, owner, isClosing: false, expiresAt: Number.NEGATIVE_INFINITY };
      this.sessions.set(sessionId, session);
      this.moveTo(sessionId, session, this.expiryOf(timeoutMs, nowMs));
      return;
    }
    known.timeoutMs = timeoutMs;
    if (owner !== null) known.owner = owner;
    if (!known.isClosing) this.moveTo(sessionId, known, this.expiryOf(timeoutMs, nowMs));
  }

  remove(sessionId: bigint): void {
    const session = this.sessions.get(sessionId);
    if (session === undefined) return;
    this.leaveBucket(sessionId, session);
    this.sessions.delete(sessionId);
  }

  /** Its client was heard from: a full timeout from now, never less than it had. False when the session is unknown or closing. */
  touch(sessionId: bigint, nowMs: number): boolean {
    const session = this.sessions.get(sessionId);
    if (session === undefined || session.isClosing) return false;
    const expiresAt = this.expiryOf(session.timeoutMs, nowMs);
    if (expiresAt > session.expiresAt) this.moveTo(sessionId, session, expiresAt);
    return true;
  }

  /** Nothing happens if the session is unknown. */
  setOwner(sessionId: bigint, owner: Owner | null): void {
    const session = this.sessions.get(sessionId);
    if (session !== undefined) session.owner = owner;
  }

  /** Null if nobody has claimed the session yet, undefined if there is no such session. */
  ownerOf(sessionId: bigint): Owner | null | undefined {
    return this.sessions.get(sessionId)?.owner;
  }

  /** The timeout in milliseconds; undefined if there is no such session, or it is closing. */
  timeoutOf(sessionId: bigint): number | undefined {
    const session = this.sessions.get(sessionId);
    return session === undefined || session.isClosing ? undefined : session.timeoutMs;
  }

  /** The sessions that `owner` speaks for, closing ones included. Looks at all sessions. */
  ownedBy(owner: Owner): readonly bigint[] {
    return [...this.sessions].filter(([, session]) => session.owner === owner).map(([id]) => id);
  }

  /** From here on it neither expires nor can be touched; it goes with `remove`. */
  setClosing(sessionId: bigint): void {
    const session = this.sessions.get(sessionId);
    if (session === undefined) return;
    this.leaveBucket(sessionId, session);
    session.isClosing = true;
  }

  /** False for an unknown session too. */
  isClosing(sessionId: bigint): boolean {
    return this.sessions.get(sessionId)?.isClosing ?? false;
  }

  /**
   * Sessions whose time is up and that are not closing yet; at most `limit`, oldest first. They are told again until they
   * are closing or touched. `isSilent` may know better: whether nobody can have heard from the session up to `expiresAt`.
   */
  expired(
    nowMs: number,
    limit: number,
    isSilent: (owner: Owner | null, expiresAt: number) => boolean = () => true,
  ): readonly bigint[] {
    const due = [...this.buckets.keys()].filter((expiresAt) => expiresAt <= nowMs).sort((a, b) => a - b);
    const expired: bigint[] = [];
    for (const expiresAt of due) {
      for (const sessionId of this.buckets.get(expiresAt) ?? []) {
        if (expired.length >= limit) return expired;
        const { owner } = this.sessions.get(sessionId)!;
        if (isSilent(owner, expiresAt)) expired.push(sessionId);
      }
    }
    return expired;
  }

  /** End of the tick in which a timeout that begins now is over. */
  private expiryOf(timeoutMs: number, nowMs: number): number {
    return (Math.floor((nowMs + timeoutMs) / this.tickMs) + 1) * this.tickMs;
  }

  private moveTo(sessionId: bigint, session: TrackedSession<Owner>, expiresAt: number): void {
    this.leaveBucket(sessionId, session);
    session.expiresAt = expiresAt;
    const bucket = this.buckets.get(expiresAt);
    if (bucket === undefined) this.buckets.set(expiresAt, new Set([sessionId]));
    else bucket.add(sessionId);
  }

  private leaveBucket(sessionId: bigint, session: TrackedSession<Owner>): void {
    const bucket = this.buckets.get(session.expiresAt);
    if (bucket === undefined) return;
    bucket.delete(sessionId);
    if (bucket.size === 0) this.buckets.delete(session.expiresAt);
  }
}
