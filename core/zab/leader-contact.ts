/** Echoes kept at most. When there are more, every other one is forgotten, never the oldest. */
const MOST_ECHOES = 64;

interface Echo {
  readonly nonce: number;
  readonly sentMs: number;
}

/**
 * Until when the leader is known to have heard this learner: as of the sending of the last message that the leader says it has
 * got. What arrives from the leader proves less: on a slow line it may have been sent long before the leader gave this learner
 * up, and the leader expires the sessions of a learner that it has given up.
 *
 * The leader sends a ping for every turn with an open `sync`, so the number of echoes under way has no bound. Of the echoes of
 * one moment only the first is kept, because it proves as much as the others. The oldest one is never forgotten: the leader
 * hears it first, and without it no traffic however dense may end the contact.
 */
export class LeaderContact {
  #provenMs: number;
  #echoes: Echo[] = [];

  constructor(nowMs: number) {
    this.#provenMs = nowMs;
  }

  /** Milliseconds of the learner's own time. */
  get provenMs(): number {
    return this.#provenMs;
  }

  /** A message was sent to which what the leader sends next is an answer; or silence since then proves nothing. */
  provenAt(nowMs: number): void {
    this.#provenMs = nowMs;
  }

  /** A ping is echoed, and says which echo the leader has heard. */
  echoed(nonce: number, heard: number, nowMs: number): void {
    while (this.#echoes.length > 0 && this.#echoes[0]!.nonce <= heard)
      this.#provenMs = Math.max(this.#provenMs, this.#echoes.shift()!.sentMs);
    if (this.#echoes.at(-1)?.sentMs === nowMs) return;
    this.#echoes.push({ nonce, sentMs: nowMs });
    if (this.#echoes.length > MOST_ECHOES) this.#echoes = this.#echoes.filter((_, index) => index % 2 === 0);
  }
}
