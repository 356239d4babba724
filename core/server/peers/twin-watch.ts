/** Links of one member that were alive when another one took their place, within `FLAP_MS`, from which on two processes fight. */
const MOST_REPLACED = 3;
const FLAP_MS = 10_000;
const LONGEST_BACK_OFF_TICKS = 16;

/** A link to a member, as far as it matters here. */
export interface Claim {
  /** Id of the data directory; '' if it is not known. */
  readonly directoryId: string;
  readonly address: string;
}

export interface EstablishedClaim extends Claim {
  /** When something last came over it. */
  readonly heardAt: number;
}

interface Rivalry {
  replaced: number[];
  refusals: number;
  refusedUntil: number;
}

/**
 * Decides between two connections that both prove to be the same member. For the same data directory the newest wins, since a member
 * that was restarted has lost its old link; unless live links replace each other again and again, as those of two processes with a
 * copied directory do: then the established one stays for a while, longer each time. Of another directory the established one stays
 * as long as it is heard from within a tick.
 */
export class TwinWatch {
  readonly #tickMs: number;
  readonly #rivalries = new Map<number, Rivalry>();

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** Why the newcomer is refused; null if it takes the place of the established link. To be called once for each newcomer. */
  objection(member: number, established: EstablishedClaim, newcomer: Claim, now: number): string | null {
    if (now - established.heardAt > this.#tickMs) return null;
    const isOther =
      established.directoryId !== '' &&
      newcomer.directoryId !== '' &&
      established.directoryId !== newcomer.directoryId;
    if (!isOther && !this.#isFight(member, now)) return null;
    // The port of a connection that was made changes with each attempt: the log would repeat the same refusal.
    const host = newcomer.address.replace(/:\d+$/, '');
    return (
      `two processes claim to be member ${member}: the one at ${established.address} stays linked, ` +
      `the one at ${host} is refused`
    );
  }

  #isFight(member: number, now: number): boolean {
    const rivalry = this.#rivalries.get(member) ?? { replaced: [], refusals: 0, refusedUntil: 0 };
    this.#rivalries.set(member, rivalry);
    if (now < rivalry.refusedUntil) return true;
    rivalry.replaced = rivalry.replaced.filter((at) => now - at < FLAP_MS);
    if (rivalry.replaced.length === 0) rivalry.refusals = 0;
    rivalry.replaced.push(now);
    if (rivalry.replaced.length <= MOST_REPLACED) return false;
    const ticks = Math.min(2 ** rivalry.refusals, LONGEST_BACK_OFF_TICKS);
    rivalry.refusals += 1;
    rivalry.refusedUntil = now + ticks * this.#tickMs;
    return true;
  }
}
