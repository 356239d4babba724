/**
 * Who votes, and how many of them are enough. Any two quorums must have a member in common: everything Zab
 * promises rests on that alone, so another rule than the majority may be put in its place.
 */
export interface Quorum {
  /** In ascending order. */
  readonly voters: readonly number[];
  isVoter(id: number): boolean;
  /** Whether these members contain a quorum; those without a vote count nothing. */
  isReached(members: Iterable<number>): boolean;
  /** The largest value that every member of some quorum has reached; null if a quorum has no value at all. */
  reachedBy(values: ReadonlyMap<number, bigint>): bigint | null;
}

/** More than half of the voters. */
export class MajorityQuorum implements Quorum {
  readonly voters: readonly number[];
  readonly #isVoter: ReadonlySet<number>;
  readonly #needed: number;

  constructor(voters: readonly number[]) {
    this.#isVoter = new Set(voters);
    this.voters = [...this.#isVoter].sort((a, b) => a - b);
    this.#needed = Math.floor(this.voters.length / 2) + 1;
  }

  isVoter(id: number): boolean {
    return this.#isVoter.has(id);
  }

  isReached(members: Iterable<number>): boolean {
    const present = new Set<number>();
    for (const member of members) if (this.#isVoter.has(member)) present.add(member);
    return present.size >= this.#needed;
  }

  reachedBy(values: ReadonlyMap<number, bigint>): bigint | null {
    const reached: bigint[] = [];
    for (const voter of this.voters) {
      const value = values.get(voter);
      if (value !== undefined) reached.push(value);
    }
    if (reached.length < this.#needed) return null;
    reached.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
    return reached[this.#needed - 1]!;
  }
}
